/**
 * Pages of consents (lfi-api 2.2). A page costs the same wherever it is: whoever walks on from the page before continues
 * behind its last row, and is told the total that the walk began with; whoever jumps is brought to the stretch of time
 * that the page begins in (slots.ts), and total, place and rows are of one moment.
 */
import type { Instant } from '../clock.ts'
import { type Binding, type Db, inSnapshot, query } from '../db.ts'
import { STATUS_BY_CLOCK } from './by-clock.ts'
import { type Consent, type ConsentType, STATUSES, TYPES } from './consent.ts'
import { COLUMNS, type ConsentRow, toConsent } from './row.ts'
import { type Counted, countedBefore, type Moved, movedBy, placeOf } from './slots.ts'
import { tally, tallyAt } from './tally.ts'

export type ConsentFilter = {
  /** Strictly later. */
  readonly updatedAfter?: Instant
  readonly consentType?: ConsentType
  /** Matched as text: a status nobody has matches nothing. */
  readonly status?: string
  readonly psuUserId?: string
  readonly accountId?: string
  readonly groupId?: string
  readonly page: number
  readonly pageSize: number
}
export type ConsentPage = { readonly rows: readonly Consent[]; readonly totalRecords: number }
export type ConsentLists = { page(filter: ConsentFilter, now: Instant): Promise<ConsentPage> }

/** Where a page ended. Walks of other filters and page sizes are other walks. */
type Step = { readonly at: Date; readonly id: string; readonly totalRecords: number; readonly since: Instant }
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
      const { rows, totalRecords } = await (step === null ? jumped(db, filter, now) : walked(db, filter, step, now))
      const last = rows.at(-1)
      if (last !== undefined && rows.length === filter.pageSize) {
        if (steps.size >= STEPS_MAX) steps.clear()
        const at = filter.updatedAfter === undefined ? last.created_at : last.updated_at
        steps.set(stepKey(filter, filter.page), { at, id: last.id, totalRecords, since: step?.since ?? now })
      }
      return { rows: rows.map(toConsent), totalRecords }
    },
  }
}

type Found = { readonly rows: readonly ConsentRow[]; readonly totalRecords: number }

async function walked(db: Db, filter: ConsentFilter, step: Step, now: Instant): Promise<Found> {
  const start = { conditions: [orderOf(filter).behind(step)], skipped: 0 }
  return { rows: await rowsOf(db, filter, start, now), totalRecords: step.totalRecords }
}

async function jumped(db: Db, filter: ConsentFilter, now: Instant): Promise<Found> {
  const skipped = (filter.page - 1) * filter.pageSize
  if (isNarrow(filter) || (skipped <= NEAR && filter.updatedAfter === undefined)) {
    const [rows, totalRecords] = await Promise.all([
      rowsOf(db, filter, { conditions: [], skipped }, now),
      total(db, filter, now),
    ])
    return { rows, totalRecords }
  }
  return inSnapshot(db, async (snapshot) => {
    const moved = await movedBy(snapshot, countedOf(filter), now)
    const before = await upTo(snapshot, filter, moved, now)
    const isNear = skipped <= NEAR
    const start = isNear ? { conditions: [], skipped } : await startAt(snapshot, filter, skipped, before, moved)
    const totalRecords = (await tally(snapshot, countedOf(filter), moved)) - before
    return { rows: start === null ? [] : await rowsOf(snapshot, filter, start, now), totalRecords }
  })
}

type Condition = { readonly sql: string; readonly bindings: readonly Binding[] }
const condition = (sql: string, ...bindings: readonly Binding[]): Condition => ({ sql, bindings })

/** Where in the list a page begins: what leads near it in the index, and how many rows come before it from there. */
type Start = { readonly conditions: readonly Condition[]; readonly skipped: number }

/** `before`: what the stream of changes leaves out. null: the list ends before the page. */
async function startAt(
  db: Db,
  filter: ConsentFilter,
  skipped: number,
  before: number,
  moved: Moved,
): Promise<Start | null> {
  const of = countedOf(filter)
  const { updatedAfter } = filter
  const place = await placeOf(db, of, before + skipped, moved)
  if (place === null) return null
  if (of.list === 'created') {
    return { conditions: [condition('created_at < ?', new Date(place.until))], skipped: place.before }
  }
  // The list itself begins within the first stretch.
  const isFirst = updatedAfter !== undefined && updatedAfter >= place.from
  return isFirst
    ? { conditions: [], skipped }
    : { conditions: [condition('updated_at >= ?', new Date(place.from))], skipped: place.before }
}

const countedOf = ({ updatedAfter, consentType, status }: ConsentFilter): Counted => ({
  list: updatedAfter === undefined ? 'created' : 'updated',
  type: consentType,
  status,
})

/** How many of the stream of changes come before it: those up to and with `updatedAfter`. */
async function upTo(db: Db, { updatedAfter, ...filter }: ConsentFilter, moved: Moved, now: Instant): Promise<number> {
  if (updatedAfter === undefined) return 0
  const { count, from } = await countedBefore(db, countedOf({ ...filter, updatedAfter }), updatedAfter, moved)
  const near = [condition('updated_at >= ?', new Date(from)), condition('updated_at <= ?', new Date(updatedAfter))]
  return count + (await countRows(db, filter, near, now))
}

const total = (db: Db, filter: ConsentFilter, now: Instant): Promise<number> =>
  isNarrow(filter) ? countRows(db, filter, [], now) : tallyAt(db, countedOf(filter), now)

async function countRows(db: Db, filter: ConsentFilter, also: readonly Condition[], now: Instant): Promise<number> {
  const { consentType, status } = filter
  const conditions = [
    ...narrowingOf(filter),
    ...sinceOf(filter),
    ...also,
    ...(consentType === undefined ? [] : [condition('type = ?', consentType)]),
    ...(status === undefined ? [] : [statusByClock(status, now)]),
  ]
  const { rows } = await query<{ count: string }>(
    db,
    `select count(*) as count from consent where ${allOf(conditions)}`,
    conditions.flatMap(({ bindings }) => bindings),
  )
  return Number(rows[0]?.count ?? 0)
}

/** A user, an account, a group: few rows each, whatever else they must be. */
const isNarrow = ({ psuUserId, accountId, groupId }: ConsentFilter): boolean =>
  psuUserId !== undefined || accountId !== undefined || groupId !== undefined

function narrowingOf({ psuUserId, accountId, groupId }: ConsentFilter): readonly Condition[] {
  return [
    ...(psuUserId === undefined ? [] : [condition('psu_user_id = ?', psuUserId)]),
    ...(accountId === undefined ? [] : [condition('account_ids @> array[?]::text[]', accountId)]),
    ...(groupId === undefined ? [] : [condition('(id = ? or base_consent_id = ?)', groupId, groupId)]),
  ]
}

const sinceOf = ({ updatedAfter }: ConsentFilter): readonly Condition[] =>
  updatedAfter === undefined ? [] : [condition('updated_at > ?', new Date(updatedAfter))]

const statusByClock = (status: string, now: Instant): Condition =>
  condition(`${STATUS_BY_CLOCK} = ?`, new Date(now), status)

/** Statuses that a consent can have by the clock before the sweeper has written it down. */
const BY_CLOCK: readonly string[] = ['Expired', 'Rejected']

/** Each can be read in the order of the list by one index; together they are the list. */
function branchesOf(filter: ConsentFilter, now: Instant): readonly (readonly Condition[])[] {
  const { consentType, status } = filter
  const since = sinceOf(filter)
  const ofType = (type: ConsentType) => condition('type = ?', type)
  if (isNarrow(filter)) {
    const typed = consentType === undefined ? [] : [ofType(consentType)]
    return [[...narrowingOf(filter), ...since, ...typed, ...(status === undefined ? [] : [statusByClock(status, now)])]]
  }
  if (status === undefined) {
    if (consentType === undefined) return [since]
    return STATUSES.map((each) => [...since, ofType(consentType), condition('status = ?', each)])
  }
  const types = consentType === undefined ? TYPES : [consentType]
  const stored = types.map((type) => [...since, ofType(type), condition('status = ?', status)])
  if (!BY_CLOCK.includes(status)) {
    return stored.map((each) => [...each, condition('(due_at is null or due_at > ?)', new Date(now))])
  }
  const due = [condition('due_at <= ?', new Date(now)), statusByClock(status, now)]
  return [...stored, [...since, ...(consentType === undefined ? [] : [ofType(consentType)]), ...due]]
}

/** A change stream goes forward; a list to look at starts with the newest. */
const orderOf = (filter: ConsentFilter) =>
  filter.updatedAfter === undefined
    ? {
        by: 'created_at desc, id',
        key: 'created_at',
        behind: ({ at, id }: Step) => condition('(created_at <= ? and (created_at < ? or id > ?))', at, at, id),
      }
    : {
        by: 'updated_at, id',
        key: 'updated_at',
        behind: ({ at, id }: Step) => condition('(updated_at, id) > (?, ?)', at, id),
      }

async function rowsOf(db: Db, filter: ConsentFilter, start: Start, now: Instant): Promise<readonly ConsentRow[]> {
  const order = orderOf(filter)
  const branches = branchesOf(filter, now).map((branch) => [...branch, ...start.conditions])
  const [only, ...others] = branches
  const limited = `order by ${order.by} limit ${filter.pageSize} offset ${start.skipped}`
  // One order is walked as far as the page. Several, and rows that no order leads to, are put in order first.
  const isOne = only !== undefined && others.length === 0 && !isNarrow(filter)
  const page = isOne ? `select id from consent where ${allOf(only)} ${limited}` : `select id from found ${limited}`
  const found = branches.map((branch) => {
    const keys = `select id, ${order.key} from consent where ${allOf(branch)}`
    return isNarrow(filter) ? `(${keys})` : `(${keys} order by ${order.by} limit ${start.skipped + filter.pageSize})`
  })
  const before = isOne ? '' : `found as materialized (${found.join(' union all ')}), `
  const sql = `
    with ${before}page as materialized (${page})
    select ${COLUMNS.join(', ')} from consent where id in (select id from page) order by ${order.by}`
  const bindings = branches.flatMap((branch) => branch.flatMap((each) => each.bindings))
  return (await query<ConsentRow>(db, sql, bindings)).rows
}

const allOf = (conditions: readonly Condition[]): string =>
  conditions.length === 0 ? 'true' : conditions.map(({ sql }) => sql).join(' and ')
