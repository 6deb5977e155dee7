/**
 * Pages of consents (lfi-api 2.2). A page costs the same wherever it is: whoever walks on from the page before continues
 * behind its last row, and is told the total that the walk began with. Only who jumps into the middle has the rows
 * before it skipped, in the index.
 */
import type { Instant } from '../clock.ts'
import { type Binding, type Db, query } from '../db.ts'
import { STATUS_BY_CLOCK } from './by-clock.ts'
import type { Consent, ConsentType } from './consent.ts'
import { COLUMNS, type ConsentRow, toConsent } from './row.ts'
import { tally } from './tally.ts'

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

export function createLists(db: Db): ConsentLists {
  const steps = new Map<string, Step>()
  const stepKey = ({ page: _, ...walk }: ConsentFilter, page: number): string => JSON.stringify([walk, page])
  return {
    page: async (filter, now) => {
      const known = steps.get(stepKey(filter, filter.page - 1))
      const step = known !== undefined && now - known.since < STEP_MS ? known : null
      const [rows, totalRecords] = await Promise.all([
        rowsOf(db, filter, step, now),
        step === null ? count(db, filter, now) : step.totalRecords,
      ])
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

type Condition = { readonly sql: string; readonly bindings: readonly Binding[] }
const condition = (sql: string, ...bindings: readonly Binding[]): Condition => ({ sql, bindings })

/** A user, an account, a group: few rows each, whatever else they must be. */
const isNarrow = ({ psuUserId, accountId, groupId }: ConsentFilter): boolean =>
  psuUserId !== undefined || accountId !== undefined || groupId !== undefined

function conditionsOf(filter: ConsentFilter): readonly Condition[] {
  const { updatedAfter, consentType, psuUserId, accountId, groupId } = filter
  return [
    ...(updatedAfter === undefined ? [] : [condition('updated_at > ?', new Date(updatedAfter))]),
    ...(consentType === undefined ? [] : [condition('type = ?', consentType)]),
    ...(psuUserId === undefined ? [] : [condition('psu_user_id = ?', psuUserId)]),
    ...(accountId === undefined ? [] : [condition('account_ids @> array[?]::text[]', accountId)]),
    ...(groupId === undefined ? [] : [condition('(id = ? or base_consent_id = ?)', groupId, groupId)]),
  ]
}

const statusByClock = (status: string, now: Instant): Condition =>
  condition(`${STATUS_BY_CLOCK} = ?`, new Date(now), status)

/** Statuses that a consent can have by the clock before the sweeper has written it down. */
const BY_CLOCK: readonly string[] = ['Expired', 'Rejected']

/** Each can be read in the order of the list by an index of its own; together they are the list. */
function branchesOf(filter: ConsentFilter, now: Instant): readonly (readonly Condition[])[] {
  const conditions = conditionsOf(filter)
  const { status } = filter
  if (status === undefined) return [conditions]
  if (isNarrow(filter) || filter.updatedAfter !== undefined) return [[...conditions, statusByClock(status, now)]]
  const stored = [...conditions, condition('status = ?', status)]
  if (!BY_CLOCK.includes(status)) return [[...stored, condition('(due_at is null or due_at > ?)', new Date(now))]]
  return [stored, [...conditions, condition('due_at <= ?', new Date(now)), statusByClock(status, now)]]
}

/** A change stream goes forward; a list to look at starts with the newest. */
const orderOf = (filter: ConsentFilter) =>
  filter.updatedAfter === undefined
    ? {
        by: 'created_at desc, id',
        behind: ({ at, id }: Step) => condition('(created_at <= ? and (created_at < ? or id > ?))', at, at, id),
      }
    : { by: 'updated_at, id', behind: ({ at, id }: Step) => condition('(updated_at, id) > (?, ?)', at, id) }

async function rowsOf(db: Db, filter: ConsentFilter, step: Step | null, now: Instant): Promise<readonly ConsentRow[]> {
  const order = orderOf(filter)
  const skipped = step === null ? (filter.page - 1) * filter.pageSize : 0
  const branches = branchesOf(filter, now).map((branch) => (step === null ? branch : [...branch, order.behind(step)]))
  const [only, ...others] = branches
  const limited = `order by ${order.by} limit ${filter.pageSize} offset ${skipped}`
  // One order is walked as far as the page. Several, and rows that no order leads to, are put in order first.
  const page =
    only !== undefined && others.length === 0 && !isNarrow(filter)
      ? `select id from consent where ${allOf(only)} ${limited}`
      : `select id from found ${limited}`
  const found = branches.map((branch) => {
    const keys = `select id, created_at, updated_at from consent where ${allOf(branch)}`
    return isNarrow(filter) ? `(${keys})` : `(${keys} order by ${order.by} limit ${skipped + filter.pageSize})`
  })
  const before = page.includes('from found') ? `found as materialized (${found.join(' union all ')}), ` : ''
  const sql = `
    with ${before}page as materialized (${page})
    select ${COLUMNS.join(', ')} from consent where id in (select id from page) order by ${order.by}`
  const bindings = branches.flatMap((branch) => branch.flatMap((each) => each.bindings))
  return (await query<ConsentRow>(db, sql, bindings)).rows
}

async function count(db: Db, filter: ConsentFilter, now: Instant): Promise<number> {
  const { consentType: type, status, updatedAfter } = filter
  if (!isNarrow(filter) && updatedAfter === undefined) return tally(db, { type, status }, now)
  const [branch = []] = branchesOf(filter, now)
  const sql = `select count(*) as count from consent where ${allOf(branch)}`
  const { rows } = await query<{ count: string }>(
    db,
    sql,
    branch.flatMap((each) => each.bindings),
  )
  return Number(rows[0]?.count ?? 0)
}

const allOf = (conditions: readonly Condition[]): string =>
  conditions.length === 0 ? 'true' : conditions.map(({ sql }) => sql).join(' and ')
