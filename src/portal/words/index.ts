/** Which language somebody reads, and how times and numbers are written in it. */
import { type Html, html } from '../../html.ts'
import { ar } from './ar.ts'
import { en, type Words } from './en.ts'

export type { Words } from './en.ts'

export const LANGUAGES = ['en', 'ar'] as const
export type Language = (typeof LANGUAGES)[number]

export type Tongue = {
  readonly language: Language
  readonly direction: 'ltr' | 'rtl'
  readonly words: Words
  /** A moment as people of the Emirates read it, and as a program does. */
  time(at: Date | number | string | null): Html
  number(value: number): string
}

/** Digits as they stand in ids and amounts, so that one page has one kind of them. */
const LOCALES = { en: 'en-GB', ar: 'ar-AE-u-nu-latn' } as const satisfies Record<Language, string>
const WORDS = { en, ar } as const satisfies Record<Language, Words>
const ZONE = 'Asia/Dubai'

function tongueOf(language: Language): Tongue {
  const words = WORDS[language]
  const moments = new Intl.DateTimeFormat(LOCALES[language], {
    dateStyle: 'medium',
    timeStyle: 'medium',
    hour12: false,
    timeZone: ZONE,
  })
  const numbers = new Intl.NumberFormat(LOCALES[language], { maximumFractionDigits: 1 })
  return {
    language,
    direction: language === 'ar' ? 'rtl' : 'ltr',
    words,
    time: (at) => {
      if (at === null) return html`${words.shell.never}`
      const moment = new Date(at)
      return html`<time datetime="${moment.toISOString()}">${moments.format(moment)}</time>`
    },
    number: (value) => numbers.format(value),
  }
}

export const TONGUES = { en: tongueOf('en'), ar: tongueOf('ar') } as const satisfies Record<Language, Tongue>

export const toLanguage = (text: unknown): Language | null => LANGUAGES.find((each) => each === text) ?? null

/** The first language of the browser's that there are words for (RFC 9110 12.5.4), in the order in which it sent them. */
export function preferred(acceptLanguage: string): Language {
  const wanted = acceptLanguage.split(',').map((each) => each.trim().slice(0, 2).toLowerCase())
  return wanted.map(toLanguage).find((each) => each !== null) ?? 'en'
}
