/** A name as the words that are compared, apart from what is only said about its bearer. */
import { isArabic, wordsOf } from './normalise.ts'
import { ABBREVIATIONS, ARTICLES, FILLERS, LEGAL_FORMS, PARTICLES, SPLIT_FORMS, TITLES } from './words.ts'

export type Word = {
  /** Without its article. */
  readonly text: string
  /** Whether an article was written apart from it, or joined in Arabic letters. */
  readonly article: boolean
}
export type Parsed = {
  readonly words: readonly Word[]
  /** Legal form of a company; null where none is named. */
  readonly form: string | null
}

export function parseName(name: string, kind: 'person' | 'business'): Parsed {
  const words = wordsOf(name)
  return kind === 'person' ? parsePerson(words) : parseBusiness(words)
}

function parsePerson(all: readonly string[]): Parsed {
  let from = 0
  // A title that would leave nothing was a name.
  while (from < all.length - 1 && TITLES.has(all[from] ?? '')) from += 1
  const named = all.slice(from).filter((word) => word !== '&')
  const kept = named.filter((word) => !PARTICLES.has(word))
  return { words: articles(servants(kept.length === 0 ? named : kept)), form: null }
}

function parseBusiness(all: readonly string[]): Parsed {
  const joined = joinForms(all)
  const forms = joined.flatMap((word) => LEGAL_FORMS.get(word) ?? [])
  const named = joined.filter((word) => !LEGAL_FORMS.has(word) && !FILLERS.has(word))
  // A company whose name is nothing but such words has them for a name.
  const kept = named.length === 0 ? joined : named.map((word) => ABBREVIATIONS.get(word) ?? word)
  // "Company" says least: beside another form it says nothing.
  const form = forms.find((each) => each !== 'company') ?? null
  return { words: articles(kept), form }
}

/** Forms written letter by letter (`L.L.C.`, `ذ م م`), and those of two words. */
function joinForms(words: readonly string[]): readonly string[] {
  const made: string[] = []
  for (const word of spelled(words)) {
    const form = SPLIT_FORMS.get(`${made.at(-1)} ${word}`)
    if (form === undefined) made.push(word)
    else made[made.length - 1] = form
  }
  return made
}

function spelled(words: readonly string[]): readonly string[] {
  const made: string[] = []
  for (let at = 0; at < words.length; at++) {
    const letters = words.slice(at).findIndex((word) => [...word].length > 1)
    const run = words.slice(at, letters < 0 ? words.length : at + letters)
    const form = LONGEST_FIRST.find((length) => LEGAL_FORMS.has(run.slice(0, length).join('')) && run.length >= length)
    made.push(form === undefined ? (words[at] ?? '') : run.slice(0, form).join(''))
    if (form !== undefined) at += form - 1
  }
  return made
}
const LONGEST_FIRST = [5, 4, 3] as const

/** "Servant of …" is one name, however many words it is written in: `abd al rahman`, `abdel rahman`, `abdulrahman`. */
function servants(words: readonly string[]): readonly string[] {
  const made: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    const next = words[at + 1]
    if (next !== undefined && /^abd[aeu]?[lr]?$/.test(word)) {
      const rest = ARTICLES.has(next) ? words[at + 2] : next
      if (rest !== undefined) {
        made.push(`abdul${rest}`)
        at += ARTICLES.has(next) ? 2 : 1
        continue
      }
    }
    if (next !== undefined && word === 'عبد') {
      made.push(`عبد${next}`)
      at += 1
      continue
    }
    made.push(word)
  }
  return made
}

const ARABIC_ARTICLE = /^ال(?=..)/

function articles(words: readonly string[]): readonly Word[] {
  const made: Word[] = []
  let article = false
  for (const [at, word] of words.entries()) {
    if (ARTICLES.has(word) && at < words.length - 1) {
      article = true
      continue
    }
    const bare = isArabic(word) ? word.replace(ARABIC_ARTICLE, '') : word
    made.push({ text: bare, article: article || bare !== word })
    article = false
  }
  return made
}
