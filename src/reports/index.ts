/**
 * Reports: figures that follow from the audit log and from declared outages, and nothing else. Whoever has an export
 * of the log can compute the same.
 */
import { type Audit, createAuditReader } from '../audit/index.ts'
import type { Clock } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import type { Db, Migration } from '../db.ts'
import { HubError } from '../errors.ts'
import { advance, behind, recompute } from './advance.ts'
import type { Availability } from './availability.ts'
import { dateOf, daysOf, type Grain, passed, periodOf, type Span } from './calendar.ts'
import { type CallLog, createCallLog } from './call-log.ts'
import { type DatasetRow, datasetRows, type ReportedSet, sourceOf } from './dataset-rows.ts'
import { createExplanations, type Explanations } from './explanations.ts'
import { reportTables } from './migrations/0050-reports.ts'
import { reportTally } from './migrations/0050-reports-tally.ts'
import { createOutages, type Outages } from './outages.ts'
import { type Format, rawColumns, rawLog } from './raw-log.ts'
import { createRetention, type Destroyed } from './retention.ts'
import { destroyedBefore, type RollUpRow, rollUps } from './store.ts'
import { readTally } from './tally-store.ts'
import { operationDays, timeRows } from './time-rows.ts'
import { readTimes } from './times-store.ts'
import { type Endpoint, measuring, REPORT_TYPES, REPORTS, type ReportType, type Row } from './tpp-reports.ts'
import { createWatch, type Watch } from './watch.ts'

export {
  CALLS_PER_PAGE,
  CALLS_READ_MAX,
  type CallFilter,
  type CallPage,
  type FoundCall,
  type Trace,
} from './call-log.ts'
export { REPORTED_SETS, type ReportedSet } from './dataset-rows.ts'
export type { Explanation } from './explanations.ts'
export { createHeartbeat } from './heartbeat.ts'
export type { By, Outage, Outages } from './outages.ts'
export { csvOf, type Format, MEDIA_TYPES } from './raw-log.ts'
export { RESOLUTION } from './times.ts'
export { type Endpoint, REPORT_TYPES, type ReportType } from './tpp-reports.ts'
export type { HourOfTraffic, OperationFigures, Watch } from './watch.ts'

export const migrations: readonly Migration[] = [reportTables, reportTally]

/** First and last day, both included, as dates of the Gulf. */
export type Days = { readonly first: string; readonly last: string }
export type LfiDay = Availability & { readonly Period: string; readonly LfiId: string; readonly LfiName: string }

export type Reports = {
  readonly outages: Outages
  readonly explanations: Explanations
  readonly watch: Watch
  readonly calls: CallLog
  /** Counts what the log has gained since. */
  advance(): Promise<number>
  /** Counts the whole log anew. */
  recompute(): Promise<number>
  behind(): Promise<number>
  /** @throws HubError Resource.InvalidFormat for days that are none, in the wrong order or too many; so do the others */
  forTpp(asked: Days & TppQuestion): Promise<readonly Row[]>
  /** The same of all TPPs together (lfi-api 7.7). */
  ofAll(type: ReportType, days: Days): Promise<readonly Row[]>
  /** One row per day, and one of all of them. */
  lfiAvailability(days: Days): Promise<readonly LfiDay[]>
  /** By day and TPP: consents, payments, billing inputs; `versions` are of all days together, `times` by operation. */
  dataset(name: ReportedSet, days: Days): Promise<readonly DatasetRow[]>
  rollUps(grain: Grain, days: Days): Promise<readonly RollUpRow[]>
  rawLog(days: Days, format: Format): AsyncGenerator<string, void, undefined>
  /** What the columns of the raw log mean. */
  fields(): readonly { readonly name: string; readonly type: string; readonly meaning: string }[]
  /** What the policy no longer keeps. */
  destroyExpired(): Promise<Destroyed | null>
}
export type TppQuestion = {
  readonly organisationId: string
  /** Null for all. */
  readonly type: ReportType | null
  readonly endpoints: readonly Endpoint[]
}

/** A quarter for a TPP; a year and a day for who operates the hub. */
const TPP_DAYS_MAX = 92
const DAYS_MAX = 366

export function createReports(deps: {
  readonly db: Db
  readonly tenant: TenantConfig
  readonly audit: Audit
  readonly clock: Clock
}): Reports {
  const { db, tenant, audit, clock } = deps
  const reader = createAuditReader({ db })
  const outages = createOutages({ db, audit, tenantId: tenant.id, clock })
  const years = tenant.retention?.years ?? RETENTION_YEARS
  const retention = createRetention({ db, audit, tenantId: tenant.id, clock, years })
  const lfi = { LfiId: tenant.organisationId, LfiName: tenant.name }
  /** Without its figures a day would be reported as one without calls, on which nothing failed. */
  const requireKept = async (days: Days, daysMax: number): Promise<Span> => {
    const period = requirePeriod(days, daysMax)
    const from = await destroyedBefore(db)
    if (from === null || period.from >= from) return period
    throw notReported(`The figures of days before ${dateOf(from)} were destroyed by policy`, 'ReportingPeriodStartDate')
  }
  return {
    outages,
    explanations: createExplanations(reader),
    watch: createWatch({ db }),
    calls: createCallLog(reader),
    advance: () => advance(db),
    recompute: () => recompute(db),
    behind: () => behind(db),
    async forTpp({ first, last, type, organisationId, endpoints }) {
      const period = await requireKept({ first, last }, TPP_DAYS_MAX)
      const asked = { organisationId, endpoints, period, first, last, passed: passed(period, clock.now()) }
      const rows: Row[] = []
      for (const each of REPORT_TYPES) {
        if (type === null || type === each) rows.push(...(await REPORTS[each]({ db, outages, lfi }, asked)))
      }
      return rows
    },
    async ofAll(type, { first, last }) {
      const period = await requireKept({ first, last }, DAYS_MAX)
      const all = { organisationId: null, endpoints: [], period, first, last, passed: passed(period, clock.now()) }
      return REPORTS[type]({ db, outages, lfi }, all)
    },
    async lfiAvailability(days) {
      const period = passed(await requireKept(days, DAYS_MAX), clock.now())
      const measure = await measuring({ db, outages }, 'lfi', period)
      // An LFI that is down for one operation is partly down, and that counts (lfi-api 8).
      const row = (Period: string, span: Span): LfiDay => ({ Period, ...lfi, ...measure(span, () => true) })
      return [...daysOf(period).map((day) => row(dateOf(day.from), day)), row(`${days.first}/${days.last}`, period)]
    },
    dataset: async (name, days) => {
      const span = await requireKept(days, DAYS_MAX)
      if (name === 'times') return timeRows(await operationDays(db, span), await readTimes(db, 'day', span), lfi)
      return datasetRows(name, await readTally(db, sourceOf(name), span), { ...days, lfi })
    },
    rollUps: async (grain, days) => rollUps(db, grain, await requireKept(days, DAYS_MAX)),
    rawLog: (days, format) => rawLog(reader, tenant.organisationId, requirePeriod(days, DAYS_MAX), format),
    fields: () => rawColumns(tenant.organisationId).map(({ name, type, meaning }) => ({ name, type, meaning })),
    destroyExpired: () => retention.destroy(),
  }
}

/** CBUAE Open Finance Regulation, article 13. */
const RETENTION_YEARS = 5

function requirePeriod({ first, last }: Days, daysMax: number): Span {
  const period = periodOf(first, last, daysMax)
  if (period !== null) return period
  const reason = `The reporting period must be a first and a last day in this order, ${daysMax} days at most`
  throw notReported(reason, 'ReportingPeriodEndDate')
}

const notReported = (reason: string, path: string): HubError =>
  new HubError('Resource.InvalidFormat', { rule: 'query.reporting-period', reason, path })
