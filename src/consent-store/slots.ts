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

/** null: the list ends before it. */
export async function placeOf(db: Db, of: Counted, rank: number, now: Instant): Promise<Place | null> {
  let before = rank
  let within: number | null = null
  for (const span of SPANS) {
    let found: number | null = null
    for (const { slot, count } of await counts(db, of, span, within, now)) {
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
  now: Instant,
): Promise<{ readonly count: number; readonly from: Instant }> {
  let count = 0
  let within: number | null = null
  for (const span of SPANS) {
    const own = slotAt(at, span)
    for (const each of await counts(db, of, span, within, now)) if (each.slot < own) count += each.count
    within = own
  }
  return { count, from: beginning(slotAt(at, FINEST)) }
}

const slotAt = (at: Instant, span: Span): number => Math.floor(at / 1000 / 2 ** span)
const beginning = (slot: number): Instant => toInstant(slot * 2 ** FINEST * 1000)

type Count = { readonly slot: number; readonly count: number }

/** In the order of the list. Consents that the clock has moved on count as what they are by now. */
async function counts(db: Db, of: Counted, span: Span, within: number | null, now: Instant): Promise<readonly Count[]> {
  const conditions: readonly (readonly [string, ...Binding[]])[] = [
    ['true'],
    ...(within === null
      ? []
      : [['slot between ? and ?', within * 2 ** NARROWING, (within + 1) * 2 ** NARROWING - 1] as const]),
    ...(of.type === undefined ? [] : [['type = ?', of.type] as const]),
    ...(of.status === undefined ? [] : [['status = ?', of.status] as const]),
  ]
  const wanted = conditions.map(([sql]) => sql).join(' and ')
  const bindings = conditions.flatMap(([, ...values]) => values)
  const lines = `select slot, type, status, delta from consent_slot where list = '${of.list}' and span = ${span}`
  const due = `select consent_slot_at(${of.list}_at, ${span}) as slot, type, status, by_clock
    from (select ${of.list}_at, type, status, ${STATUS_BY_CLOCK} as by_clock from consent where due_at <= ?) as due`
  const moved = `
    union all select slot, type, status, -1 from due where status <> by_clock
    union all select slot, type, by_clock, 1 from due where status <> by_clock`
  const { rows } = await query<{ slot: number; count: string }>(
    db,
    `${of.status === undefined ? '' : `with due as materialized (${due})`}
     select slot, sum(delta) as count from (${lines}${of.status === undefined ? '' : moved}) as lines
     where ${wanted} group by slot having sum(delta) <> 0
     order by slot ${of.list === 'created' ? 'desc' : 'asc'}`,
    [...(of.status === undefined ? [] : [new Date(now), new Date(now)]), ...bindings],
  )
  return rows.map(({ slot, count }) => ({ slot, count: Number(count) }))
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
