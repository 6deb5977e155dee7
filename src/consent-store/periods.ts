/**
 * Periods of a payment consent (tpp-api 2.7.1): a day, seven days or a year counted from the start date, or a month of
 * the calendar. Days are those of the Emirates.
 */
import { addDays, addYears, type LocalDate } from '../local-date.ts'
import type { Period } from './control-parameters.ts'

/** `until` is the first day after it. */
export type Span = { readonly from: LocalDate; readonly until: LocalDate }

const WEEK_DAYS = 7

/** The period that a day falls into; null before the first one begins. */
export function periodOf({ type, startDate }: Period, date: LocalDate): Span | null {
  if (date < startDate) return null
  switch (type) {
    case 'Day':
      return { from: date, until: addDays(date, 1) }
    case 'Week': {
      const from = addDays(startDate, Math.floor(daysBetween(startDate, date) / WEEK_DAYS) * WEEK_DAYS)
      return { from, until: addDays(from, WEEK_DAYS) }
    }
    case 'Month': {
      const from = `${date.slice(0, 7)}-01` as LocalDate
      return { from, until: `${addDays(from, 31).slice(0, 7)}-01` as LocalDate }
    }
    case 'Year': {
      const years = Number(date.slice(0, 4)) - Number(startDate.slice(0, 4))
      const passed = addYears(startDate, years) <= date ? years : years - 1
      return { from: addYears(startDate, passed), until: addYears(startDate, passed + 1) }
    }
  }
}

/**
 * Whether a payment that comes back with its period falls on that day: the start date, and the same day of each period
 * after it. The 31st comes back on the last day of a shorter month.
 */
export function recursOn({ type, startDate }: Period, date: LocalDate): boolean {
  if (date < startDate) return false
  switch (type) {
    case 'Day':
      return true
    case 'Week':
      return daysBetween(startDate, date) % WEEK_DAYS === 0
    case 'Month': {
      const isLastDay = addDays(date, 1).endsWith('-01')
      const [day, wanted] = [date.slice(8), startDate.slice(8)]
      return day === wanted || (isLastDay && day < wanted)
    }
    case 'Year':
      return date === addYears(startDate, Number(date.slice(0, 4)) - Number(startDate.slice(0, 4)))
  }
}

const DAY_MS = 86_400_000
const daysBetween = (from: LocalDate, to: LocalDate): number =>
  Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS)
