/** Entries as a table. The order of the columns is the field dictionary's. */

import { FIELDS } from '../fields.ts'
import type { StoredEntry } from '../stored-entry.ts'

export const csvHeader = (): string => `${FIELDS.map(({ name }) => name).join(',')}\n`

export const csvRow = (index: number, entry: StoredEntry): string =>
  `${FIELDS.map(({ name }) => cell(name === 'index' ? index : entry[name])).join(',')}\n`

/** RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe in front. */
function cell(value: unknown): string {
  const text = plain(value)
  const safe = typeof value !== 'number' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

function plain(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.join(' ')
  if (typeof value === 'object' && 'commitment' in value) return `commitment:${String(value.commitment)}`
  return String(value)
}
