/**
 * How a word sounds, roughly: its consonants, and what stands between them. Arabic is written without its short
 * vowels and into Latin letters in many ways, so words of both are brought to this form before they are compared.
 */
import { isArabic } from './normalise.ts'

/**
 * What may stand between two consonants. Of Arabic alone: `?` where a short vowel may have been meant, `I` and `U` for
 * the letters that stand for a long vowel or the end of a diphthong.
 */
type Gap = '' | '?' | 'a' | 'e' | 'i' | 'u' | 'ai' | 'au' | 'I' | 'U'
export type Sound = {
  /** Each consonant with everything it may be heard as; an initial vowel counts as one. */
  readonly consonants: readonly string[]
  /** One before each consonant, and one after the last. */
  readonly gaps: readonly Gap[]
}

const ARABIC: ReadonlyMap<string, string> = new Map([
  ['ب', 'bp'],
  ['ت', 't'],
  ['ث', 'ts'],
  ['ج', 'jg'],
  ['ح', 'h'],
  ['خ', 'x'],
  ['د', 'd'],
  ['ذ', 'dz'],
  ['ر', 'r'],
  ['ز', 'z'],
  ['س', 's'],
  ['ش', 'S'],
  ['ص', 's'],
  ['ض', 'dz'],
  ['ط', 't'],
  ['ظ', 'zd'],
  ['غ', 'g'],
  ['ف', 'fv'],
  ['ق', 'kg'],
  ['ك', 'k'],
  ['ل', 'l'],
  ['م', 'm'],
  ['ن', 'n'],
  ['ه', 'h'],
])
const ARABIC_VOWELS: ReadonlyMap<string, Gap> = new Map([
  ['ا', 'a'],
  ['و', 'U'],
  ['ي', 'I'],
])
/** What the letters of Arabic may be heard as. */
const MEANS: ReadonlyMap<Gap, readonly Gap[]> = new Map([
  ['I', ['i', 'ai', 'e']],
  ['U', ['u', 'au']],
])
/** Latin spellings of one consonant, longest first. */
const LATIN: readonly (readonly [string, string])[] = [
  ['kh', 'x'],
  ['gh', 'g'],
  ['sh', 'S'],
  ['ch', 'S'],
  ['th', 't'],
  ['dh', 'd'],
  ['ph', 'f'],
  ['ck', 'k'],
  ['q', 'k'],
  ['c', 'k'],
]

export const soundOf = (word: string): Sound => (isArabic(word) ? soundOfArabic(word) : soundOfLatin(word))

function soundOfArabic(word: string): Sound {
  const consonants: string[] = []
  const gaps: Gap[] = []
  let gap: Gap = ''
  const letters = [...word]
  letters.forEach((letter, at) => {
    const vowel = ARABIC_VOWELS.get(letter)
    const isLast = at === letters.length - 1
    if (at === 0 && (vowel === 'U' || vowel === 'I')) {
      consonants.push(vowel === 'U' ? 'w' : 'y')
      gaps.push('')
    } else if (letter === 'ع' || vowel !== undefined) {
      // At the start both carry a vowel that is not written.
      if (at === 0) {
        consonants.push('*')
        gaps.push('')
      } else if (vowel !== undefined) gap = gap === '' ? vowel : joinLong(gap, vowel)
    } else if (!(isLast && letter === 'ه' && consonants.length > 0)) {
      consonants.push(ARABIC.get(letter) ?? letter)
      gaps.push(consonants.length === 1 ? '' : gap === '' ? '?' : gap)
      gap = ''
    }
  })
  return { consonants, gaps: [...gaps, gap === '' ? '?' : gap] }
}

function soundOfLatin(word: string): Sound {
  const consonants: string[] = []
  const gaps: Gap[] = []
  let gap: Gap = ''
  let at = 0
  while (at < word.length) {
    const rest = word.slice(at)
    const [spelling, heard] = LATIN.find(([each]) => rest.startsWith(each)) ?? [rest[0] ?? '', rest[0] ?? '']
    const vowel = vowelAt(word, at)
    if (vowel !== null) {
      if (at === 0) {
        consonants.push('*')
        gaps.push('')
      }
      gap = join(gap, vowel)
    } else if (!(heard === 'h' && at + spelling.length === word.length && gap !== '')) {
      // Doubled letters sound once.
      if (consonants.at(-1) !== heard || gap !== '') {
        consonants.push(heard)
        gaps.push(gap)
      }
      gap = ''
    }
    at += spelling.length
  }
  return { consonants, gaps: [...gaps, gap] }
}

/** A `y` or `w` between vowels, or at the start, is a consonant. */
function vowelAt(word: string, at: number): 'a' | 'e' | 'i' | 'u' | null {
  const letter = word[at] ?? ''
  if (letter === 'a' || letter === 'e' || letter === 'i') return letter
  if (letter === 'o' || letter === 'u') return 'u'
  if (letter !== 'y' && letter !== 'w') return null
  const before = /[aeiou]/.test(word[at - 1] ?? '')
  const after = /[aeiou]/.test(word[at + 1] ?? '')
  if (at === 0 || (before && after)) return null
  return letter === 'y' ? 'i' : 'u'
}

const joinLong = (one: Gap, other: Gap): Gap => (one === 'U' || other === 'U' ? 'au' : 'ai')

function join(gap: Gap, vowel: Gap): Gap {
  if (gap === '') return vowel
  const both = `${gap}${vowel}`
  if (/u/.test(both) && /a/.test(both)) return 'au'
  if (/a/.test(both) && /[ei]/.test(both)) return 'ai'
  if (both === 'ei' || both === 'ie') return both === 'ei' ? 'ai' : 'i'
  if (both === 'ee') return 'i'
  return /u/.test(both) ? 'u' : vowel
}

/** `same` is as good as equal; `close` needs more than this one word to be believed. */
export type Heard = 'same' | 'close' | 'other'

export function heardAs(one: Sound, other: Sound): Heard {
  const { length } = one.consonants
  if (length !== other.consonants.length) return 'other'
  const isClose = one.consonants.every((letters, at) => meets(letters, other.consonants[at] ?? ''))
  if (!isClose) return 'other'
  const spoken = one.consonants.filter((letters) => letters !== '*').length
  if (spoken < 2) return 'other'
  const doubts = one.gaps.map((gap, at) => doubt(gap, other.gaps[at] ?? '', spoken))
  if (doubts.includes('other')) return 'other'
  return doubts.includes('close') ? 'close' : 'same'
}

const meets = (some: string, others: string): boolean => [...some].some((letter) => others.includes(letter))

/** Few consonants leave the vowels to tell names apart, so that a guess about them is only close. */
function doubt(one: Gap, other: Gap, spoken: number): Heard {
  if (one === other) return one === '?' && spoken < 3 ? 'close' : 'same'
  if (MEANS.get(one)?.includes(other) === true || MEANS.get(other)?.includes(one) === true) return 'same'
  const pair = [one, other]
  if (pair.includes('?')) return spoken < 3 ? 'close' : 'same'
  if (pair.includes('e') && (pair.includes('a') || pair.includes('i') || pair.includes('ai'))) return 'same'
  // An unstressed vowel is written or not, as in Fatima and Fatma.
  return pair.includes('') && spoken >= 3 && !pair.includes('u') && !pair.includes('au') ? 'same' : 'other'
}
