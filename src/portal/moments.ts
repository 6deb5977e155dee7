/** Moments as forms have them: the time of the Emirates, without a zone (src/local-date.ts says why that is enough). */
import { type Instant, toInstant } from '../clock.ts'

const AHEAD_MS = 4 * 3_600_000
const FORM = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/

/** null: no moment that there is. */
export function momentIn(text: string | null): Instant | null {
  const at = text !== null && FORM.test(text) ? Date.parse(`${text}Z`) : Number.NaN
  return Number.isNaN(at) ? null : toInstant(at - AHEAD_MS)
}

/** As a field of a form has it, to the minute. */
export const writtenMoment = (at: number): string => new Date(at + AHEAD_MS).toISOString().slice(0, 16)

/** The day that it is there. */
export const writtenDay = (at: number): string => writtenMoment(at).slice(0, 10)
