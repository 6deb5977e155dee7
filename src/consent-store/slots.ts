/**
 * Where the n-th consent of a list is: counted in stretches of time, from long ones to short ones, so that finding it
 * costs the same however many consents there are (migrations/0017-consent-slots.ts). Right for the moment at which the
 * caller reads: whoever also wants the rows reads both in one snapshot.
 */
import { type Instant, toInstant } from '../clock.ts'
import { type Binding, type Db, query } from '../db.ts'
import { STATUS_BY_CLOCK } from './by-clock.ts'
import type { ConsentType } from './consent.ts'

/** A list in its order, and which consents of it. */
export type Counted = {
  /** `created`: from the latest on; `updated`: from the earliest on. */
  readonly list: 'created' | 'updated'
  readonly type: ConsentType | undefined
  readonly status: string | undefined
}
/** The stretch in which a place is, `until` excluded, and how many consents of the stretch come before it. */
export type Place = { readonly from: Instant; readonly until: Instant; readonly before: number }

/** Longest first. A stretch is 2^span seconds, and consists of 32 of the next. */
const SPANS = [22, 17, 12] as const
type Span = (typeof SPANS)[number]
const FINEST = 12
const NARROWING = 5
const [MIN, MAX] = [-(2 ** 31), 2 ** 31 - 1]

/**
 * What the clock has moved on and nobody has written down yet: by how many the counts of a status differ from those that
 * are stored, by the finest stretch. Looked up once for all that is asked of one moment.
 */
export type Moved = { readonly total: number; readonly bySlot: ReadonlyMap<number, number> }
export const NOTHING_MOVED: Moved = { total: 0, bySlot: new Map() }

export async function movedBy(db: Db, of: Counted, now: Instant): Promise<Moved> {
  if (of.status === undefined) return NOTHING_MOVED
  const typed = of.type === undefined ? 'true' : 'type = ?'
  const { rows } = await query<{ slot: number; count: string }>(
    db,
    `select consent_slot_at(${of.list}_at, ${FINEST}) as slot,
       sum((${STATUS_BY_CLOCK} = ?)::int - (status = ?)::int) as count
     from consent where due_at <= ? and ${typed} group by slot`,
    [new Date(now), of.status, of.status, new Date(now), ...(of.type === undefined ? [] : [of.type])],
  )
  const bySlot = new Map(rows.map(({ slot, count }) => [slot, Number(count)]))
  return { bySlot, total: [...bySlot.values()].reduce((sum, count) => sum + count, 0) }
}

/** null: the list ends before it. */
export async function placeOf(db: Db, of: Counted, rank: number, moved: Moved): Promise<Place | null> {
  let before = rank
  let within: number | null = null
  for (const span of SPANS) {
    let found: number | null = null
    for (const { slot, count } of await counts(db, of, span, within, moved)) {
      if (before < count) {
        found = slot
        break
      }
      before -= count
    }
    if (found === null) return null
    within = found
  }
  const slot = within ?? 0
  return { from: beginning(slot), until: beginning(slot + 1), before }
}

/** How many changed last in the stretches before the one of `at`, and where that one begins. */
export async function countedBefore(
  db: Db,
  of: Counted,
  at: Instant,
  moved: Moved,
): Promise<{ readonly count: number; readonly from: Instant }> {
  let count = 0
  let within: number | null = null
  for (const span of SPANS) {
    const own = slotAt(at, span)
    for (const each of await counts(db, of, span, within, moved)) if (each.slot < own) count += each.count
    within = own
  }
  return { count, from: beginning(slotAt(at, FINEST)) }
}

const slotAt = (at: Instant, span: Span): number => Math.floor(at / 1000 / 2 ** span)
const beginning = (slot: number): Instant => toInstant(slot * 2 ** FINEST * 1000)

type Count = { readonly slot: number; readonly count: number }

/** In the order of the list. */
async function counts(db: Db, of: Counted, span: Span, within: number | null, moved: Moved): Promise<readonly Count[]> {
  const [first, last] = within === null ? [MIN, MAX] : [within * 2 ** NARROWING, (within + 1) * 2 ** NARROWING - 1]
  const typed = of.type === undefined ? '' : 'and type = ?'
  const standing = of.status === undefined ? '' : 'and status = ?'
  const bindings: Binding[] = [first, last]
  for (const each of [of.type, of.status]) if (each !== undefined) bindings.push(each)
  const { rows } = await query<{ slot: number; count: string }>(
    db,
    `select slot, sum(delta) as count from consent_slot
     where list = '${of.list}' and span = ${span} and slot between ? and ? ${typed} ${standing} group by slot`,
    bindings,
  )
  const bySlot = new Map(rows.map(({ slot, count }) => [slot, Number(count)]))
  for (const [finest, count] of moved.bySlot) {
    const slot = finest >> (span - FINEST)
    if (slot >= first && slot <= last) bySlot.set(slot, (bySlot.get(slot) ?? 0) + count)
  }
  const found = [...bySlot].filter(([, count]) => count !== 0).map(([slot, count]) => ({ slot, count }))
  return found.sort((one, other) => (of.list === 'created' ? other.slot - one.slot : one.slot - other.slot))
}

/** Lines that are read with the others before they are worth folding, and as many as are folded at a time. */
const FRESH_MIN = 1_000
const FRESH_MAX = 20_000

/** Puts new lines together with those of the same stretch. Several may do it at once: each folds those that it took. */
export async function foldSlots(db: Db): Promise<void> {
  await query(
    db,
    `with fresh as (
       delete from consent_slot where ctid = any(array(
           select ctid from consent_slot where not folded limit ? for update skip locked))
         and (select count(*) from (select 1 from consent_slot where not folded limit ?) as enough) >= ?
       returning list, span, slot, type, status, delta),
     earlier as (
       delete from consent_slot where ctid = any(array(
         select ctid from consent_slot where folded
           and (list, span, slot, type, status) in (select list, span, slot, type, status from fresh)
         for update skip locked))
       returning list, span, slot, type, status, delta)
     insert into consent_slot (list, span, slot, type, status, delta, folded)
       select list, span, slot, type, status, sum(delta), true
       from (select * from fresh union all select * from earlier) as taken
       group by list, span, slot, type, status having sum(delta) <> 0`,
    [FRESH_MAX, FRESH_MIN, FRESH_MIN],
  )
}
