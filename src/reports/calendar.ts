/**
 * Days of the reports are days of the Gulf (UTC+4, no summer time), as the service windows of the contract are
 * (lfi-api 8). A period has a first and a last day, both included.
 */
import type { Instant } from '../clock.ts'

export type Grain = 'hour' | 'day'
/** From, included, to, not included; in milliseconds since the epoch. */
export type Span = { readonly from: number; readonly to: number }

export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000
const OFFSET_MS = 4 * HOUR_MS
const DATE = /^\d{4}-\d{2}-\d{2}$/

export const startOf = (grain: Grain, at: number): number =>
  grain === 'hour' ? at - (((at % HOUR_MS) + HOUR_MS) % HOUR_MS) : dayIndex(at) * DAY_MS - OFFSET_MS

export const dateOf = (at: number): string => new Date(at + OFFSET_MS).toISOString().slice(0, 10)

/** Null for what is no date, or none of the calendar. */
export function startOfDate(date: string): number | null {
  const midnight = DATE.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== date) return null
  return midnight - OFFSET_MS
}

/** Null unless both are dates, in order, and not more than `daysMax` of them. */
export function periodOf(first: string, last: string, daysMax: number): Span | null {
  const [from, lastDay] = [startOfDate(first), startOfDate(last)]
  if (from === null || lastDay === null || lastDay < from) return null
  const to = lastDay + DAY_MS
  return to - from > daysMax * DAY_MS ? null : { from, to }
}

/** What of a span has passed: nobody was up or down in the future. */
export const passed = ({ from, to }: Span, now: Instant): Span => ({ from, to: Math.max(from, Math.min(to, now)) })

export function daysOf({ from, to }: Span): readonly Span[] {
  const days: Span[] = []
  for (let day = startOf('day', from); day < to; day += DAY_MS) {
    days.push({ from: Math.max(day, from), to: Math.min(day + DAY_MS, to) })
  }
  return days
}

const dayIndex = (at: number): number => Math.floor((at + OFFSET_MS) / DAY_MS)
