/** Two names, word by word: each word has at most one counterpart, wherever in the name it stands. */
import { isArabic } from './normalise.ts'
import type { Parsed, Word } from './parse.ts'
import { similarity } from './similarity.ts'
import { heardAs, soundOf } from './sounds.ts'
import { KNOWN_NAMES } from './words.ts'

export type Likeness = {
  /** Every word of both has a counterpart that is as good as equal. */
  readonly complete: boolean
  /** Every word of the shorter name has a sure counterpart or is an initial of one, at least one of two being sure. */
  readonly contained: boolean
  /** 0 to 1. */
  readonly score: number
  /** False where both name a legal form and not the same. */
  readonly formsAgree: boolean
}

/** What a counterpart is worth. */
export const WORTH = { equal: 1, variant: 1, close: 0.9, initial: 0.85 } as const
/** From here on a difference is taken for a slip of the pen. */
export const SLIP_MIN = 0.9
/** Shorter words have too little to be mistyped: another letter is another name. */
const SLIP_LENGTH_MIN = 4
/** Names of more words are compared as far as this; the limit of the contract leaves room for more. */
const WORDS_MAX = 24

type Pair = { readonly one: number; readonly other: number; readonly worth: number; readonly isInitial: boolean }

export function compare(a: Parsed, b: Parsed): Likeness {
  const formsAgree = a.form === null || b.form === null || a.form === b.form
  const [one, other] = [a.words.slice(0, WORDS_MAX), b.words.slice(0, WORDS_MAX)]
  if (one.length === 0 || other.length === 0) return { complete: false, contained: false, score: 0, formsAgree }
  if (isSameRunTogether(one, other)) return { complete: true, contained: true, score: 1, formsAgree }
  const pairs = counterparts(one, other)
  const longer = Math.max(one.length, other.length)
  const shorter = Math.min(one.length, other.length)
  const sure = pairs.filter((pair) => pair.worth === 1).length
  const firm = pairs.filter((pair) => pair.worth === 1 || pair.isInitial).length
  const cut = a.words.length > WORDS_MAX || b.words.length > WORDS_MAX
  return {
    complete: !cut && sure === longer,
    contained: firm === shorter && shorter >= 2 && sure >= Math.min(2, Math.ceil(shorter / 2)),
    // Initials alone say nothing.
    score: sure === 0 && pairs.every((pair) => pair.isInitial) ? 0 : sum(pairs.map(({ worth }) => worth)) / longer,
    formsAgree,
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** `mac donald` and `macdonald`, `noor eldin` and `nooreldin`. */
function isSameRunTogether(one: readonly Word[], other: readonly Word[]): boolean {
  const [a, b] = [together(one), together(other)]
  return a === b || (one.length !== other.length && sorted(one) === sorted(other))
}

const together = (words: readonly Word[]): string =>
  words.map(({ text, article }) => (article && !isArabic(text) ? `al${text}` : text)).join('')
const sorted = (words: readonly Word[]): string =>
  words
    .map(({ text }) => text)
    .sort()
    .join('')

/** The best first; among equals those that stand nearest, so that both directions give the same. */
function counterparts(one: readonly Word[], other: readonly Word[]): readonly Pair[] {
  const possible: Pair[] = []
  for (const [at, word] of one.entries()) {
    for (const [there, otherWord] of other.entries()) {
      const found = judge(word, otherWord)
      if (found !== null) possible.push({ one: at, other: there, ...found })
    }
  }
  possible.sort(
    (a, b) =>
      b.worth - a.worth ||
      Math.abs(a.one - a.other) - Math.abs(b.one - b.other) ||
      a.one + a.other - (b.one + b.other) ||
      Math.min(a.one, a.other) - Math.min(b.one, b.other),
  )
  const [usedOne, usedOther] = [new Set<number>(), new Set<number>()]
  return possible.filter((pair) => {
    if (usedOne.has(pair.one) || usedOther.has(pair.other)) return false
    usedOne.add(pair.one)
    usedOther.add(pair.other)
    return true
  })
}

type Judged = Pick<Pair, 'worth' | 'isInitial'>

function judge(one: Word, other: Word): Judged | null {
  const forms = [one.text, ...unjoined(one, other)]
  const otherForms = [other.text, ...unjoined(other, one)]
  let best: Judged | null = null
  for (const form of forms) {
    for (const otherForm of otherForms) {
      const found = judgeTexts(form, otherForm)
      if (found !== null && (best === null || found.worth > best.worth)) best = found
    }
  }
  return best
}

/** `almaktoum` beside `al maktoum`: the article may have been joined, but only where the other one has it. */
const unjoined = (word: Word, beside: Word): readonly string[] =>
  beside.article && !word.article && /^[ae]l\p{L}{3,}/u.test(word.text) ? [word.text.slice(2)] : []

function judgeTexts(one: string, other: string): Judged | null {
  if (one === other) return { worth: WORTH.equal, isInitial: false }
  const [rowOne, rowOther] = [KNOWN_NAMES.get(one), KNOWN_NAMES.get(other)]
  if (rowOne !== undefined && rowOne === rowOther) return { worth: WORTH.variant, isInitial: false }
  const areKnownApart = rowOne !== undefined && rowOther !== undefined
  const [short, long] = one.length <= other.length ? [one, other] : [other, one]
  if ([...short].length === 1) {
    return long.startsWith(short) && long.length > 1 ? { worth: WORTH.initial, isInitial: true } : null
  }
  if (isArabic(one) && isArabic(other)) return slip(one, other)
  const heard = areKnownApart ? 'other' : heardAs(soundOf(stem(one)), soundOf(stem(other)))
  if (heard === 'same') return { worth: WORTH.variant, isInitial: false }
  if (heard === 'close') return { worth: WORTH.close, isInitial: false }
  return areKnownApart || isArabic(one) !== isArabic(other) ? null : slip(one, other)
}

/** The article within "servant of …" is heard in many ways and is left out of the sound. */
const stem = (word: string): string =>
  word.replace(/^abd(?:[aeu]l|[aeu]?(?=([rstdzn])\1))(?=\p{L}{2})/u, 'abd').replace(/^عبدال(?=.)/u, 'عبد')

function slip(one: string, other: string): Judged | null {
  if (Math.min(one.length, other.length) < SLIP_LENGTH_MIN) return null
  const alike = similarity(one, other)
  return alike >= SLIP_MIN ? { worth: Math.min(alike, 0.99), isInitial: false } : null
}
