/** The stretch of time that the data covers, anchored on one as-of date. */
import { at, dayIn, firstDay, monthOf, startOf } from './calendar.ts'

export type Window = {
  readonly asOfDay: number
  readonly asOf: number
  readonly firstMonth: number
  readonly thisMonth: number
}

/** The published requirement is two years (lfi-api 3.7): 24 whole months and the one that is running. */
const WHOLE_MONTHS = 24

export function windowUpTo(asOfDay: number): Window {
  const thisMonth = monthOf(asOfDay)
  return { asOfDay, asOf: startOf(asOfDay), firstMonth: thisMonth - WHOLE_MONTHS, thisMonth }
}

export const monthStart = (month: number): number => startOf(firstDay(month))

/** Every month's occurrence of a day that lies inside the window. */
export function occurrences(window: Window, dayOfMonth: number, minuteOfDay: number): number[] {
  const moments: number[] = []
  for (let month = window.firstMonth; month <= window.thisMonth; month++) {
    const moment = at(dayIn(month, dayOfMonth), minuteOfDay)
    if (moment < window.asOf) moments.push(moment)
  }
  return moments
}

/** The first occurrence of a day of the month on or after the as-of date. */
export function nextOccurrence(window: Window, dayOfMonth: number): number {
  const inThisMonth = dayIn(window.thisMonth, dayOfMonth)
  return inThisMonth >= window.asOfDay ? inThisMonth : dayIn(window.thisMonth + 1, dayOfMonth)
}
