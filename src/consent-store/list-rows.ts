/** The rows of a page of consents, read in the order of the list by the indexes that have it (list.ts). */
import type { Instant } from '../clock.ts'
import { type Binding, type Db, query } from '../db.ts'
import { STATUS_BY_CLOCK } from './by-clock.ts'
import { type ConsentType, STATUSES, TYPES } from './consent.ts'
import { COLUMNS, type ConsentRow } from './row.ts'

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

export type Condition = { readonly sql: string; readonly bindings: readonly Binding[] }
export const condition = (sql: string, ...bindings: readonly Binding[]): Condition => ({ sql, bindings })

/** A user, an account, a group: few rows each, whatever else they must be. */
export const isNarrow = ({ psuUserId, accountId, groupId }: ConsentFilter): boolean =>
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
function branchesOf(filter: ConsentFilter, isMany: boolean, now: Instant): readonly (readonly Condition[])[] {
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
  const typed = types.flatMap((type) => (isMany ? standing(status, now).map((each) => [ofType(type), ...each]) : []))
  const due = [condition('due_at <= ?', new Date(now)), statusByClock(status, now)]
  const few = [...(consentType === undefined ? [] : [ofType(consentType)]), ...due]
  return [...stored, ...(isMany ? typed : [few]).map((each) => [...since, ...each])]
}

/**
 * What is due and not written down, of each status that it still has: among very many the rows of a page are found by
 * their place, and are most of what is there (counted-ahead.ts).
 */
function standing(status: string, now: Instant): readonly (readonly Condition[])[] {
  const due = (stored: string) => [condition('status = ?', stored), condition('due_at <= ?', new Date(now))]
  const awaiting = [...due('AwaitingAuthorization'), statusByClock(status, now)]
  return status === 'Expired' ? [due('Authorized'), due('Suspended'), awaiting] : [awaiting]
}

/** The last row of the page before: when it was made, or last changed, and its id. */
export type Ended = { readonly at: Date; readonly id: string }

/** A change stream goes forward; a list to look at starts with the newest. */
export const orderOf = (filter: ConsentFilter) =>
  filter.updatedAfter === undefined
    ? {
        by: 'created_at desc, id',
        key: 'created_at',
        behind: ({ at, id }: Ended) => condition('(created_at <= ? and (created_at < ? or id > ?))', at, at, id),
      }
    : {
        by: 'updated_at, id',
        key: 'updated_at',
        behind: ({ at, id }: Ended) => condition('(updated_at, id) > (?, ?)', at, id),
      }

/** Where in the list the rows are: what leads to them in the index, and how many come before them from there. */
export type Start = {
  readonly conditions: readonly Condition[]
  readonly skipped: number
  /** Very many are due, and the conditions hold what is looked at to the stretches that the page is in. */
  readonly isMany?: boolean
}

export async function rowsOf(
  db: Db,
  filter: ConsentFilter,
  start: Start,
  now: Instant,
): Promise<readonly ConsentRow[]> {
  const order = orderOf(filter)
  const branches = branchesOf(filter, start.isMany === true, now).map((each) => [...each, ...start.conditions])
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

export async function countRows(
  db: Db,
  filter: ConsentFilter,
  also: readonly Condition[],
  now: Instant,
): Promise<number> {
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
