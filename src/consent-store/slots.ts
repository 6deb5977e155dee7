/**
 * Where the n-th consent of a list is: counted in stretches of time, from long ones to short ones, so that finding it
 * costs the same however many consents there are (migrations/0017-consent-slots.ts). Right for the moment at which the
 * caller reads: whoever also wants the rows reads both in one snapshot.
 */
import { type Instant, toInstant } from '../clock.ts'
import { type Binding, type Db, query } from '../db.ts'
import { STATUS_BY_CLOCK } from './by-clock.ts'
import type { ConsentType } from './consent.ts'
import { AHEAD, DUE_BESIDES } from './counted-ahead.ts'
import { fold } from './fold.ts'

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
export const LONGEST = 22
const FINEST = 12
const NARROWING = 5
const [MIN, MAX] = [-(2 ** 31), 2 ** 31 - 1]

/**
 * What the clock has moved on and nobody has written down yet: by how many the counts of a status differ from those that
 * are stored. Of very many there are lines (counted-ahead.ts); of the rest it is the differences by the finest stretch.
 */
export type Moved = { readonly ahead: string | null; readonly bySlot: ReadonlyMap<number, number> }

export async function movedBy(db: Db, of: Counted, now: Instant): Promise<Moved> {
  if (of.status === undefined) return { ahead: null, bySlot: new Map() }
  const typed = of.type === undefined ? 'true' : 'type = ?'
  const { rows } = await query<{ ahead: string | null; slot: number | null; count: string | null }>(
    db,
    `with ahead as materialized (${AHEAD})
     select (select id from ahead) as ahead, null as slot, null as count
     union all
     select null, consent_slot_at(${of.list}_at, ${FINEST}) as slot, sum((${STATUS_BY_CLOCK} = ?)::int - (status = ?)::int)
     from consent where ${DUE_BESIDES} and ${typed} group by slot`,
    [new Date(now), new Date(now), of.status, of.status, new Date(now), ...(of.type === undefined ? [] : [of.type])],
  )
  const moves = rows.flatMap(({ slot, count }) => (slot === null ? [] : [[slot, Number(count)] as const]))
  return { ahead: rows.find(({ slot }) => slot === null)?.ahead ?? null, bySlot: new Map(moves) }
}

/** A list at one moment. What is read of it is read once. */
export type Places = {
  readonly total: () => Promise<number>
  /** null: the list ends before it. */
  readonly placeOf: (rank: number) => Promise<Place | null>
  readonly stretchOf: (at: Instant) => Promise<Stretch>
}
/** The finest stretch of a time: how many there are in it, how many come before it in the list, and when it begins. */
export type Stretch = { readonly before: number; readonly count: number; readonly from: Instant }

export function placesIn(db: Db, of: Counted, moved: Moved): Places {
  const known = new Map<string, Promise<readonly Count[]>>()
  const countsIn = (span: Span, stretch: number | null): Promise<readonly Count[]> => {
    const key = `${span} ${stretch}`
    const found = known.get(key) ?? counts(db, of, span, stretch, moved)
    known.set(key, found)
    return found
  }
  return {
    total: async () => sumOf(await countsIn(LONGEST, null)),
    placeOf: async (rank) => {
      let before = rank
      let slot: number | null = null
      for (const span of SPANS) {
        let within: number | null = null
        for (const each of await countsIn(span, slot)) {
          if (before < each.count) {
            within = each.slot
            break
          }
          before -= each.count
        }
        if (within === null) return null
        slot = within
      }
      return slot === null ? null : { from: beginning(slot), until: beginning(slot + 1), before }
    },
    stretchOf: async (at) => {
      const isBefore = (slot: number, own: number) => (of.list === 'created' ? slot > own : slot < own)
      let before = 0
      let own: number | null = null
      let all: readonly Count[] = []
      for (const span of SPANS) {
        all = await countsIn(span, own)
        const here = slotAt(at, span)
        before += sumOf(all.filter(({ slot }) => isBefore(slot, here)))
        own = here
      }
      return { before, count: sumOf(all.filter(({ slot }) => slot === own)), from: beginning(own ?? 0) }
    },
  }
}

const sumOf = (all: readonly Count[]): number => all.reduce((sum, { count }) => sum + count, 0)
const slotAt = (at: Instant, span: Span): number => Math.floor(at / 1000 / 2 ** span)
const beginning = (slot: number): Instant => toInstant(slot * 2 ** FINEST * 1000)

type Count = { readonly slot: number; readonly count: number }

/** In the order of the list. */
async function counts(
  db: Db,
  of: Counted,
  span: Span,
  stretch: number | null,
  moved: Moved,
): Promise<readonly Count[]> {
  const [first, last] = stretch === null ? [MIN, MAX] : [stretch * 2 ** NARROWING, (stretch + 1) * 2 ** NARROWING - 1]
  const typed = of.type === undefined ? '' : 'and type = ?'
  const standing = of.status === undefined ? '' : 'and status = ?'
  const within = `list = '${of.list}' and span = ${span} and slot between ? and ? ${typed} ${standing}`
  const bindings: Binding[] = [first, last]
  for (const each of [of.type, of.status]) if (each !== undefined) bindings.push(each)
  const lines = [{ from: 'consent_slot', where: within, bindings }]
  if (moved.ahead !== null) {
    lines.push({ from: 'consent_ahead_line', where: `ahead = ? and ${within}`, bindings: [moved.ahead, ...bindings] })
  }
  const { rows } = await query<{ slot: number; count: string }>(
    db,
    `select slot, sum(delta) as count from (
       ${lines.map(({ from, where }) => `select slot, delta from ${from} where ${where}`).join(' union all ')}) as lines
     group by slot`,
    lines.flatMap((each) => each.bindings),
  )
  const bySlot = new Map(rows.map(({ slot, count }) => [slot, Number(count)]))
  for (const [finest, count] of moved.bySlot) {
    const slot = finest >> (span - FINEST)
    if (slot >= first && slot <= last) bySlot.set(slot, (bySlot.get(slot) ?? 0) + count)
  }
  const found = [...bySlot].filter(([, count]) => count !== 0).map(([slot, count]) => ({ slot, count }))
  return found.sort((one, other) => (of.list === 'created' ? other.slot - one.slot : one.slot - other.slot))
}

export const foldSlots = (db: Db): Promise<void> => fold(db, 'consent_slot', ['list', 'span', 'slot', 'type', 'status'])
