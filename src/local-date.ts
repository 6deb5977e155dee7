/**
 * Dates of the agreement between a person and a bank: days of the Emirates, whatever the zone of a server (tpp-api
 * 2.7.1 leaves the zone open; Asia/Dubai here). That zone has stood four hours ahead since 1920, without summer time.
 */
import type { Instant } from './clock.ts'
import type { Brand } from './ids.ts'

/** YYYY-MM-DD; these compare as text. */
export type LocalDate = Brand<string, 'LocalDate'>

const AHEAD_MS = 4 * 3_600_000
const DAY_MS = 86_400_000
const DATE = /^\d{4}-\d{2}-\d{2}$/

/** null: no day that there is. */
export function toLocalDate(raw: unknown): LocalDate | null {
  if (typeof raw !== 'string' || !DATE.test(raw)) return null
  const epoch = Date.parse(`${raw}T00:00:00Z`)
  return Number.isFinite(epoch) && dateText(epoch) === raw ? (raw as LocalDate) : null
}

/** The day that it is in the Emirates at that moment. */
export const localDateAt = (at: Instant): LocalDate => dateText(at + AHEAD_MS) as LocalDate

/** The moment at which that day begins there. */
export const startOfDay = (date: LocalDate): Instant => (Date.parse(`${date}T00:00:00Z`) - AHEAD_MS) as Instant

export const addDays = (date: LocalDate, days: number): LocalDate =>
  dateText(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS) as LocalDate

/** The anniversary of the 29th of February is the 28th, where there is no 29th. */
export function addYears(date: LocalDate, years: number): LocalDate {
  const year = String(Number(date.slice(0, 4)) + years).padStart(4, '0')
  const isLeap = new Date(`${year}-02-29T00:00:00Z`).getUTCDate() === 29
  const day = date.slice(5) === '02-29' && !isLeap ? '02-28' : date.slice(5)
  return `${year}-${day}` as LocalDate
}

const dateText = (epoch: number): string => new Date(epoch).toISOString().slice(0, 10)
