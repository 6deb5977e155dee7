/**
 * Pages of consents (lfi-api 2.2). A page costs the same wherever it is: whoever walks on from the page before continues
 * behind its last row, and is told the total that the walk began with; whoever jumps is brought to the stretch of time
 * that the page begins in (slots.ts), and total, place and rows are of one moment. While very many consents are due that
 * nobody has written down (counted-ahead.ts), rows are sought only in the stretches that the page reaches over.
 */
import { type Instant, toInstant } from '../clock.ts'
import { type Db, inSnapshot } from '../db.ts'
import type { Consent } from './consent.ts'
import { isCountedAhead } from './counted-ahead.ts'
import {
  type Condition,
  type ConsentFilter,
  condition,
  countRows,
  type Ended,
  isNarrow,
  orderOf,
  rowsOf,
  type Start,
} from './list-rows.ts'
import { type ConsentRow, toConsent } from './row.ts'
import { type Counted, movedBy, type Place, type Places, placesIn } from './slots.ts'
import { tallyAt } from './tally.ts'

export type { ConsentFilter } from './list-rows.ts'
export type ConsentPage = { readonly rows: readonly Consent[]; readonly totalRecords: number }
export type ConsentLists = {
  page(filter: ConsentFilter, now: Instant): Promise<ConsentPage>
  /** Those of a kind that come after one of them, or the first; the newest first. */
  following(kind: Kind, after: Ended | null, limit: number, now: Instant): Promise<readonly Consent[]>
}
type Kind = Pick<ConsentFilter, 'consentType' | 'status'>

/** Where a page ended. Walks of other filters and page sizes are other walks. */
type Step = Ended & { readonly totalRecords: number; readonly since: Instant }
const STEPS_MAX = 10_000
/** Someone who pauses longer than this walks on from the number of the page. */
const STEP_MS = 60_000

/** So many rows are skipped sooner than a place is looked up. */
const NEAR = 100

export function createLists(db: Db): ConsentLists {
  const steps = new Map<string, Step>()
  const stepKey = ({ page: _, ...walk }: ConsentFilter, page: number): string => JSON.stringify([walk, page])
  return {
    page: async (filter, now) => {
      const known = steps.get(stepKey(filter, filter.page - 1))
      const step = known !== undefined && now - known.since < STEP_MS ? known : null
      const { rows, totalRecords } = await found(db, filter, step, now)
      const last = rows.at(-1)
      if (last !== undefined && rows.length === filter.pageSize) {
        if (steps.size >= STEPS_MAX) steps.clear()
        const at = filter.updatedAfter === undefined ? last.created_at : last.updated_at
        steps.set(stepKey(filter, filter.page), { at, id: last.id, totalRecords, since: step?.since ?? now })
      }
      return { rows: rows.map(toConsent), totalRecords }
    },
    following: async (kind, after, limit, now) => {
      const step = after === null ? null : { ...after, totalRecords: 0, since: now }
      return (await found(db, { ...kind, page: 1, pageSize: limit }, step, now)).rows.map(toConsent)
    },
  }
}

type Found = { readonly rows: readonly ConsentRow[]; readonly totalRecords: number }

async function found(db: Db, filter: ConsentFilter, step: Step | null, now: Instant): Promise<Found> {
  if (filter.status !== undefined && !isNarrow(filter) && (await isCountedAhead(db, now))) {
    return inSnapshot(db, (snapshot) => amongMany(snapshot, filter, step, now))
  }
  return step === null ? jumped(db, filter, now) : walked(db, filter, step, now)
}

async function walked(db: Db, filter: ConsentFilter, step: Step, now: Instant): Promise<Found> {
  const start = { conditions: [orderOf(filter).behind(step)], skipped: 0 }
  return { rows: await rowsOf(db, filter, start, now), totalRecords: step.totalRecords }
}

async function jumped(db: Db, filter: ConsentFilter, now: Instant): Promise<Found> {
  const skipped = skippedBy(filter)
  if (isNarrow(filter) || (skipped <= NEAR && filter.updatedAfter === undefined)) {
    const [rows, totalRecords] = await Promise.all([
      rowsOf(db, filter, { conditions: [], skipped }, now),
      total(db, filter, now),
    ])
    return { rows, totalRecords }
  }
  return inSnapshot(db, async (snapshot) => {
    const moved = await movedBy(snapshot, countedOf(filter), now)
    const places = placesIn(snapshot, countedOf(filter), moved)
    const before = await upTo(snapshot, filter, places, now)
    const totalRecords = (await places.total()) - before
    if (skipped <= NEAR) return { rows: await rowsOf(snapshot, filter, { conditions: [], skipped }, now), totalRecords }
    const place = await places.placeOf(before + skipped)
    return { rows: place === null ? [] : await rowsOf(snapshot, filter, startAt(filter, place), now), totalRecords }
  })
}

async function amongMany(db: Db, filter: ConsentFilter, step: Step | null, now: Instant): Promise<Found> {
  const of = countedOf(filter)
  const places = placesIn(db, of, await movedBy(db, of, now))
  const all = await places.total()
  const within = async (start: Start, last: number) => {
    const end = await places.placeOf(Math.min(last, all - 1))
    if (end === null) return []
    return rowsOf(db, filter, { ...start, conditions: [...start.conditions, upToEnd(of, end)], isMany: true }, now)
  }
  if (step !== null) {
    const { before, count } = await places.stretchOf(toInstant(step.at.getTime()))
    const start = { conditions: [orderOf(filter).behind(step)], skipped: 0 }
    return { rows: await within(start, before + count + filter.pageSize - 1), totalRecords: step.totalRecords }
  }
  const before = await upTo(db, filter, places, now)
  const first = before + skippedBy(filter)
  const place = await places.placeOf(first)
  const rows = place === null ? [] : await within(startAt(filter, place), first + filter.pageSize - 1)
  return { rows, totalRecords: all - before }
}

const skippedBy = ({ page, pageSize }: ConsentFilter): number => (page - 1) * pageSize

/** A page that begins at a place. The list itself may begin within that stretch. */
function startAt(filter: ConsentFilter, { from, until, before }: Place): Start {
  const { updatedAfter } = filter
  if (updatedAfter === undefined) {
    return { conditions: [condition('created_at < ?', new Date(until))], skipped: before }
  }
  return updatedAfter >= from
    ? { conditions: [], skipped: skippedBy(filter) }
    : { conditions: [condition('updated_at >= ?', new Date(from))], skipped: before }
}

const upToEnd = ({ list }: Counted, { from, until }: Place): Condition =>
  list === 'created' ? condition('created_at >= ?', new Date(from)) : condition('updated_at < ?', new Date(until))

const countedOf = ({ updatedAfter, consentType, status }: ConsentFilter): Counted => ({
  list: updatedAfter === undefined ? 'created' : 'updated',
  type: consentType,
  status,
})

/** How many of the stream of changes come before it: those up to and with `updatedAfter`. */
async function upTo(db: Db, { updatedAfter, ...filter }: ConsentFilter, places: Places, now: Instant): Promise<number> {
  if (updatedAfter === undefined) return 0
  const { before, from } = await places.stretchOf(updatedAfter)
  const near = [condition('updated_at >= ?', new Date(from)), condition('updated_at <= ?', new Date(updatedAfter))]
  return before + (await countRows(db, filter, near, now))
}

const total = (db: Db, filter: ConsentFilter, now: Instant): Promise<number> =>
  isNarrow(filter) ? countRows(db, filter, [], now) : tallyAt(db, countedOf(filter), now)
