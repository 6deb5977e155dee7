import { type Html, html } from '../html.ts'
import type { LocalStatus } from '../participants/index.ts'
import type { Tongue } from './words/index.ts'

/** A state in words, and in a colour beside them: never in a colour alone. */
export const stateOf = (words: string, tone: 'good' | 'bad' | 'warn' | 'plain'): Html =>
  html`<span class="state ${tone}">${words}</span>`

const TONES = { active: 'good', inactive: 'warn', blocked: 'bad' } as const satisfies Record<LocalStatus, string>

export const standingState = ({ words }: Tongue, status: LocalStatus): Html =>
  stateOf(words.tpps.states[status], TONES[status])
