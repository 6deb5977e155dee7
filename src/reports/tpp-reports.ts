/** What a TPP may read about itself and about the LFI it calls: the five reports of tpp-api 9.2. */
import type { Db } from '../db.ts'
import type { ApiSet } from '../measure.ts'
import { type Availability, availability } from './availability.ts'
import { dateOf, type Span } from './calendar.ts'
import type { Subject } from './downtime.ts'
import { type Outages, spanOf } from './outages.ts'
import { downtimeIn, type Speed, speeds, volumes } from './store.ts'

export const REPORT_TYPES = [
  'API Call Volume',
  'LFI Availability',
  'OFP Availability',
  'LFI Performance',
  'OFP Performance',
] as const
export type ReportType = (typeof REPORT_TYPES)[number]

/** An operation that is reported on. */
export type Endpoint = { readonly apiSet: ApiSet; readonly method: string; readonly url: string }

export type Asked = {
  /** null: of all TPPs together. */
  readonly organisationId: string | null
  readonly endpoints: readonly Endpoint[]
  readonly period: Span
  readonly first: string
  readonly last: string
  /** The part of the period that has passed. */
  readonly passed: Span
}
export type Source = {
  readonly db: Db
  readonly outages: Outages
  readonly lfi: { readonly LfiId: string; readonly LfiName: string }
}
export type Row = Readonly<Record<string, string | number>>

export const REPORTS: Readonly<Record<ReportType, (source: Source, asked: Asked) => Promise<readonly Row[]>>> = {
  'API Call Volume': async ({ db, lfi }, { organisationId, period }) =>
    (await volumes(db, organisationId, period)).map(({ startsAt, apiSet, method, route, group, calls }) => ({
      Type: 'API Call Volume',
      ReportingPeriodDate: dateOf(startsAt),
      ...lfi,
      ApiSet: apiSet,
      HttpMethod: method,
      Url: route,
      HttpResponseCodeGroup: group,
      TotalCalls: calls,
    })),
  'LFI Availability': (source, asked) => availabilityRows('LFI Availability', 'lfi', source, asked),
  'OFP Availability': (source, asked) => availabilityRows('OFP Availability', 'hub', source, asked),
  'LFI Performance': (source, asked) => performanceRows('LFI Performance', 'lfi', source, asked),
  'OFP Performance': (source, asked) => performanceRows('OFP Performance', 'hub', source, asked),
}

async function availabilityRows(type: ReportType, subject: Subject, source: Source, asked: Asked) {
  const measure = await measuring(source, subject, asked.passed)
  return (await reportedOn(source.db, asked)).map(({ apiSet, method, url }) => ({
    Type: type,
    ...edges(asked),
    ...source.lfi,
    ApiSet: apiSet,
    HttpMethod: method,
    Url: url,
    ...measure(asked.passed, (down) => down.method === method && down.route === url),
  }))
}

/** What this client may call, and what others of its organisation have called: their calls are in the other reports. */
async function reportedOn(db: Db, { organisationId, endpoints, period }: Asked): Promise<readonly Endpoint[]> {
  const found = new Map(endpoints.map((each) => [`${each.method} ${each.url}`, each]))
  for (const { apiSet, method, route: url } of await volumes(db, organisationId, period)) {
    if (!found.has(`${method} ${url}`)) found.set(`${method} ${url}`, { apiSet: apiSet as ApiSet, method, url })
  }
  return [...found.values()]
}

/** Availability within a span, of the operations that are meant; heartbeats mean them all. */
export async function measuring({ db, outages }: Omit<Source, 'lfi'>, subject: Subject, whole: Span) {
  const derived = await downtimeIn(db, subject, whole)
  const declared = (await outages.list(whole)).filter((outage) => outage.subject === subject)
  const spans = (kind: 'planned' | 'unplanned') => declared.filter((each) => each.kind === kind).map(spanOf)
  const [planned, unplanned] = [spans('planned'), spans('unplanned')]
  return (
    span: Span,
    isMeant: (down: { readonly method: string; readonly route: string }) => boolean,
  ): Availability => {
    const seen = derived.filter((down) => down.source === 'heartbeat' || isMeant(down))
    return availability(span, planned, [...unplanned, ...seen])
  }
}

/** The error rate is the operation's, over all groups: 5xx of all calls. */
async function performanceRows(type: ReportType, subject: Subject, { db, lfi }: Source, asked: Asked) {
  const rows = await speeds(db, subject, asked.organisationId, asked.period)
  const ofOperation = Map.groupBy(rows, operationOf)
  return rows.map((row) => {
    const all = ofOperation.get(operationOf(row)) ?? []
    const failed = callsOf(all.filter(({ group }) => group === '5xx'))
    return {
      Type: type,
      ...edges(asked),
      ...lfi,
      ApiSet: row.apiSet,
      HttpMethod: row.method,
      Url: row.route,
      HttpResponseCodeGroup: row.group,
      MaximumResponseTimeMicroseconds: row.max,
      MinimumResponseTimeMicroseconds: row.min,
      AverageResponseTimeMicroseconds: Math.round(row.sum / row.calls),
      TotalCalls: row.calls,
      ErrorRatePercentage: Math.round((100 * failed) / callsOf(all)),
    }
  })
}

const edges = ({ first, last }: Asked) => ({ PeriodStartDate: first, PeriodEndDate: last })
const operationOf = ({ method, route }: Speed): string => `${method} ${route}`
const callsOf = (rows: readonly Speed[]): number => rows.reduce((sum, { calls }) => sum + calls, 0)
