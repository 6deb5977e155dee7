/**
 * Tables that say how a value of the LFI becomes a value of the TPP, and the one walk that applies them. What no row
 * names is dropped, and so is null: the TPP's schemas are closed and know no null (lfi-api 3.5).
 */
import type { Quality } from './quality.ts'

export type Convert = (value: unknown, quality: Quality) => unknown
/** Row: name at the LFI → name at the TPP, and how the value changes if it does. */
export type Members = Readonly<Record<string, string | readonly [to: string, kind: Kind]>>
export type Kind = { readonly members: Members } | { readonly each: Kind } | { readonly convert: Convert }

/** What a conversion makes of a value that it cannot convert: the member is left out and noted. */
export const UNFIT = Symbol('unfit')

export const object = (members: Members): Kind => ({ members })
export const listOf = (each: Kind): Kind => ({ each })
export const convert = (how: Convert): Kind => ({ convert: how })

/** Rows that only change case: `bookingDateTime` → `BookingDateTime`. */
export const casing = (...names: readonly string[]): Members =>
  Object.fromEntries(names.map((name) => [name, name.charAt(0).toUpperCase() + name.slice(1)]))
/** Rows for members that the LFI already spells as the TPP does. */
export const same = (...names: readonly string[]): Members => Object.fromEntries(names.map((name) => [name, name]))

/** `withheld`: dotted names at the TPP, below this kind, that are left out. */
export function compile(kind: Kind, withheld: ReadonlySet<string> = new Set(), at = ''): Convert {
  if ('convert' in kind) return kind.convert
  if ('each' in kind) return compileList(compile(kind.each, withheld, at))
  const rows = Object.entries(kind.members)
    .map(([from, row]) =>
      typeof row === 'string' ? { from, to: row, kind: null } : { from, to: row[0], kind: row[1] },
    )
    .filter(({ to }) => !withheld.has(at + to))
    .map(({ from, to, kind: inner }) => ({ from, to, convert: inner && compile(inner, withheld, `${at}${to}.`) }))
  return compileObject(rows)
}

type Row = { readonly from: string; readonly to: string; readonly convert: Convert | null }

/** A value of another type than expected is passed on as it is: the schema check will name it. */
const compileObject =
  (rows: readonly Row[]): Convert =>
  (value, quality) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const source = value as Readonly<Record<string, unknown>>
    const made: Record<string, unknown> = {}
    for (const { from, to, convert: how } of rows) {
      const member = source[from]
      if (member === undefined || member === null) continue
      const next = how === null ? member : how(member, quality)
      if (next === UNFIT) quality.note(to, 'conversion')
      else if (next !== undefined) made[to] = next
    }
    return made
  }

const compileList =
  (each: Convert): Convert =>
  (value, quality) =>
    Array.isArray(value) ? value.map((item) => each(item, quality)) : value
