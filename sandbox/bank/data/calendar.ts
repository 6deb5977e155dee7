/** Gulf Standard Time: UTC+4 all year, so days and months are plain arithmetic. */
const OFFSET_MS = 4 * 3_600_000
export const DAY_MS = 86_400_000

/** Days since 1970-01-01 on the bank's own calendar. */
export type Day = number
/** Months since year 0 on the bank's own calendar. */
export type Month = number

export const dayAt = (epochMs: number): Day => Math.floor((epochMs + OFFSET_MS) / DAY_MS)
export const startOf = (day: Day): number => day * DAY_MS - OFFSET_MS
export const at = (day: Day, minuteOfDay: number): number => startOf(day) + minuteOfDay * 60_000

export function monthOf(day: Day): Month {
  const date = new Date(day * DAY_MS)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}

export const firstDay = (month: Month): Day => Date.UTC(Math.floor(month / 12), month % 12, 1) / DAY_MS
export const lastDay = (month: Month): Day => firstDay(month + 1) - 1
/** The wanted day of a month, or its last day where the month is shorter. */
export const dayIn = (month: Month, dayOfMonth: number): Day =>
  Math.min(firstDay(month) + dayOfMonth - 1, lastDay(month))

/** Full date, `2026-01-31`. */
export const dateText = (day: Day): string => new Date(day * DAY_MS).toISOString().slice(0, 10)
/** Date-time with the bank's offset, so that its date part is the booking day that statements speak of. */
export const stamp = (epochMs: number): string => `${new Date(epochMs + OFFSET_MS).toISOString().slice(0, 19)}+04:00`
export const monthText = (month: Month): string => dateText(firstDay(month)).slice(0, 7)

export const DATE = /^\d{4}-\d{2}-\d{2}$/
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?$/

/** A calendar date that exists; `null` for anything else. */
export function parseDate(text: string): Day | null {
  if (!DATE.test(text)) return null
  const epoch = Date.parse(`${text}T00:00:00Z`)
  // Date.parse accepts 31 February and moves it on; the round trip does not.
  return Number.isNaN(epoch) || dateText(epoch / DAY_MS) !== text ? null : epoch / DAY_MS
}

/** Date-time or date of a filter; without an offset it is meant in Gulf time, without a time at midnight. */
export function parseMoment(text: string): number | null {
  const day = parseDate(text)
  if (day !== null) return startOf(day)
  const match = DATE_TIME.exec(text)
  if (match === null || parseDate(text.slice(0, 10)) === null) return null
  const epoch = Date.parse(match[2] === undefined ? `${text}+04:00` : text)
  return Number.isNaN(epoch) ? null : epoch
}
