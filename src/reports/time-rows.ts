/**
 * How fast each operation was on each day, beside the contract's limit (lfi-api 8): 95 of 100 calls within 500 ms.
 * Calls beyond it are counted exactly; percentiles are within their resolution (times.ts).
 */
import { type Db, query } from '../db.ts'
import { dateOf, type Span } from './calendar.ts'
import type { DatasetRow } from './dataset-rows.ts'
import { type BySegment, NO_TIMES, percentile, type Timed, type Times } from './times.ts'

export type OperationDay = {
  readonly startsAt: number
  readonly method: string
  readonly route: string
  readonly calls: number
  readonly overLimit: number
}

export function timeRows(
  days: readonly OperationDay[],
  timed: readonly Timed[],
  lfi: { readonly LfiId: string; readonly LfiName: string },
): readonly DatasetRow[] {
  const known = new Map(timed.map(({ startsAt, method, route, times }) => [keyOf({ startsAt, method, route }), times]))
  return days.map((day) => ({
    Dataset: 'times',
    ReportingPeriodDate: dateOf(day.startsAt),
    ...lfi,
    HttpMethod: day.method,
    Url: day.route,
    TotalCalls: day.calls,
    CallsOverLimit: day.overLimit,
    ...percentiles(known.get(keyOf(day)) ?? NO_TIMES),
  }))
}

const keyOf = ({ startsAt, method, route }: Pick<OperationDay, 'startsAt' | 'method' | 'route'>): string =>
  JSON.stringify([startsAt, method, route])

/** Each segment for itself; of those of the LFI there are none where it is not asked. */
const percentiles = ({ total, hubIn, lfi, hubOut }: BySegment) => ({
  P95Microseconds: p95(total),
  P95HubInMicroseconds: p95(hubIn),
  P95LfiMicroseconds: p95(lfi),
  P95HubOutMicroseconds: p95(hubOut),
})

function p95(times: Times): number | null {
  const us = percentile(times, 0.95)
  return us === null ? null : Math.round(us)
}

export async function operationDays(db: Db, { from, to }: Span): Promise<readonly OperationDay[]> {
  const { rows } = await query<{ starts_at: Date; method: string; route: string; calls: string; over: string }>(
    db,
    `select starts_at, method, route, sum(calls) as calls, sum(over_limit) as over from report_rollup
     where grain = 'day' and door = 'rs' and route <> '' and starts_at >= ? and starts_at < ?
     group by 1, 2, 3 order by 1, 3, 2`,
    [new Date(from), new Date(to)],
  )
  return rows.map(({ starts_at, calls, over, ...row }) => ({
    ...row,
    startsAt: starts_at.getTime(),
    calls: Number(calls),
    overLimit: Number(over),
  }))
}
