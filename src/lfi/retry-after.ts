/** When the LFI says one may come back (RFC 9110 10.2.3): a number of seconds, or a date in one of three forms (5.6.7). */
import type { Instant } from '../clock.ts'

/** Beyond an hour it is a mistake, or an outage that is announced in other ways; a TPP would stay away for as long. */
const SECONDS_MAX = 3_600

const DELAY = /^\d{1,15}$/
const TIME = '\\d{2}:\\d{2}:\\d{2}'
const DATES = [
  new RegExp(`^[A-Z][a-z]{2}, \\d{2} [A-Z][a-z]{2} \\d{4} ${TIME} GMT$`),
  new RegExp(`^[A-Z][a-z]{5,8}, \\d{2}-[A-Z][a-z]{2}-\\d{2} ${TIME} GMT$`),
  // The oldest has no zone, and is UTC all the same.
  new RegExp(`^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \\d]\\d ${TIME} \\d{4}$`),
]

/** Null where there is none, or nothing that can be read as one. */
export function retryAfterSeconds(header: string | null, now: Instant): number | null {
  if (header === null) return null
  if (DELAY.test(header)) return bounded(Number(header))
  if (!DATES.some((form) => form.test(header))) return null
  const at = Date.parse(header.endsWith('GMT') ? header : `${header} GMT`)
  return Number.isNaN(at) ? null : bounded(Math.ceil((at - now) / 1_000))
}

/** What has passed already means: soon. */
const bounded = (seconds: number): number => Math.min(Math.max(seconds, 1), SECONDS_MAX)
