/**
 * The day on which the data stands. A restart within the week keeps it, so that identifiers and pages that somebody
 * noted stay true; after that fresh data is worth more.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { dateText, dayAt, parseDate } from './data/calendar.ts'

const KEPT_DAYS = 7

export function asOfDay(stateFile: string, now: number): number {
  const today = dayAt(now)
  const kept = read(stateFile)
  if (kept !== null && kept <= today && today - kept < KEPT_DAYS) return kept
  mkdirSync(dirname(stateFile), { recursive: true })
  writeFileSync(stateFile, `${JSON.stringify({ asOf: dateText(today) })}\n`)
  return today
}

function read(stateFile: string): number | null {
  try {
    const state: unknown = JSON.parse(readFileSync(stateFile, 'utf8'))
    const text = typeof state === 'object' && state !== null && 'asOf' in state ? state.asOf : undefined
    return typeof text === 'string' ? parseDate(text) : null
  } catch {
    // No file yet, or one that something else wrote: both mean to start afresh.
    return null
  }
}
