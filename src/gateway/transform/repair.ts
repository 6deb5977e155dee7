/**
 * Makes a body fit its schema by leaving out optional members that break it (lfi-api 3.5 rule 4). What a record
 * cannot be without is not repaired: a list that lacks a record, or a record that lacks an amount, would be a lie.
 */
import type { Check, Violation } from '../../schema-registry.ts'
import type { Quality } from './quality.ts'

type Segment = string | number
/** Path of one record; `#` stands for any index. What lies above or at it cannot be left out. */
export type RecordPath = readonly (string | '#')[]

/** A check reports some violations at a time. */
const ROUNDS_MAX = 50

/** True when the body fits in the end. Changes the body. */
export function repair(body: unknown, check: Check, records: RecordPath, quality: Quality): boolean {
  let violations = check(body)
  if (violations.length === 0) return true
  dropNulls(body)
  for (let round = 0; round < ROUNDS_MAX; round++) {
    violations = check(body)
    if (violations.length === 0) return true
    for (const violation of violations) {
      quality.note(violation.path, violation.rule)
      if (!leaveOut(body, culprit(violation), records)) return false
    }
  }
  return false
}

/** The place that would have to go: for a missing member, whatever lacks it. */
function culprit(violation: Violation): readonly Segment[] {
  const path = parsePath(violation.path)
  return violation.rule === 'required' || violation.rule === 'discriminator' ? path.slice(0, -1) : path
}

const SEGMENT = /\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g

export function parsePath(path: string): readonly Segment[] {
  return [...path.matchAll(SEGMENT)].map(([, index, quoted, name]) => {
    if (index !== undefined) return Number(index)
    return quoted === undefined ? (name ?? '') : (JSON.parse(`"${quoted}"`) as string)
  })
}

/** Elements of lists go with their list: a list that is silently shorter says something that the LFI did not. */
function leaveOut(body: unknown, path: readonly Segment[], records: RecordPath): boolean {
  const end = path.findLastIndex((segment) => typeof segment === 'string')
  const member = path.slice(0, end + 1)
  if (!isOptional(member, records)) return false
  const name = member.at(-1)
  const holder = member.slice(0, -1).reduce<unknown>(into, body)
  if (typeof holder !== 'object' || holder === null || typeof name !== 'string') return false
  // Two violations may name the same member: the second finds it gone.
  if (Object.hasOwn(holder, name)) delete (holder as Record<string, unknown>)[name]
  return true
}

/** Members of a record, at any depth; beside the records, what describes them. */
function isOptional(path: readonly Segment[], records: RecordPath): boolean {
  if (path[0] !== records[0]) return path[0] === 'meta'
  if (path.length <= records.length) return false
  return records.every((segment, at) => segment === '#' || segment === path[at])
}

const into = (value: unknown, segment: Segment): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<Segment, unknown>>)[segment] : undefined

/** Null means absent to many LFIs and to none of the schemas. */
function dropNulls(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    if (member === null && !Array.isArray(value)) delete (value as Record<string, unknown>)[name]
    else dropNulls(member)
  }
}
