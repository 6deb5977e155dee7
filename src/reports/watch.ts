/**
 * What somebody who watches the hub wants to see of the last hours: traffic by the hour, each operation against the
 * contract's limit, and where the time of its calls went. From the roll-ups, and percentiles from the histograms beside
 * them (times.ts): of every call, within their resolution. Whether the limit was kept is counted exactly (`overLimit`).
 */
import { type Db, query } from '../db.ts'
import type { ResponseGroup } from '../measure.ts'
import type { Span } from './calendar.ts'
import { type BySegment, countOf, mergedSegments, NO_TIMES, percentile, type Times } from './times.ts'
import { readTimes } from './times-store.ts'

export type HourOfTraffic = { readonly startsAt: number; readonly calls: Readonly<Record<ResponseGroup, number>> }
export type OperationFigures = {
  readonly method: string
  readonly route: string
  readonly calls: number
  /** Longer than the contract's limit for one call; 95 of 100 must not be. */
  readonly overLimit: number
  readonly errors: Readonly<Record<'4xx' | '5xx', number>>
  /** null: its calls have not been counted yet. */
  readonly p95: Segments | null
}
/** In milliseconds, each segment for itself: the slowest 5 of 100 of one need not be those of another. */
export type Segments = {
  readonly total: number
  readonly hubIn: number
  /** null: the bank is not asked for this. */
  readonly lfi: number | null
  readonly hubOut: number | null
  /** How many calls it was taken from. */
  readonly of: number
}
export type Watch = {
  /** Every hour of the span, the oldest first, of TPPs' calls at the gateway. */
  traffic(span: Span): Promise<readonly HourOfTraffic[]>
  /** The most called first. */
  operations(span: Span): Promise<readonly OperationFigures[]>
}

const HOUR_MS = 3_600_000
const OPERATIONS_MAX = 40

export function createWatch({ db }: { readonly db: Db }): Watch {
  return {
    traffic: async (span) => {
      const { rows } = await query<{ starts_at: Date; group: ResponseGroup; calls: string }>(
        db,
        `select starts_at, tpp_group as "group", sum(calls) as calls from report_rollup
         where grain = 'hour' and door = 'rs' and starts_at >= ? and starts_at < ? group by 1, 2`,
        [new Date(span.from), new Date(span.to)],
      )
      const hours = Array.from(
        { length: Math.ceil((span.to - span.from) / HOUR_MS) },
        (_, at) => span.from + at * HOUR_MS,
      )
      return hours.map((startsAt) => {
        const of = (group: ResponseGroup): number =>
          Number(rows.find((row) => row.starts_at.getTime() === startsAt && row.group === group)?.calls ?? 0)
        return { startsAt, calls: { '2xx': of('2xx'), '4xx': of('4xx'), '5xx': of('5xx') } }
      })
    },
    operations: async (span) => {
      const { rows } = await query<Readonly<Record<'method' | 'route' | 'calls' | 'over' | 'four' | 'five', string>>>(
        db,
        `select method, route, sum(calls) as calls, sum(over_limit) as over,
           coalesce(sum(calls) filter (where tpp_group = '4xx'), 0) as four,
           coalesce(sum(calls) filter (where tpp_group = '5xx'), 0) as five
         from report_rollup where grain = 'hour' and door = 'rs' and route <> '' and starts_at >= ? and starts_at < ?
         group by 1, 2 order by sum(calls) desc, 2, 1 limit ?`,
        [new Date(span.from), new Date(span.to), OPERATIONS_MAX],
      )
      const segments = await segmentsIn(db, span)
      return rows.map(({ method, route, calls, over, four, five }) => ({
        method,
        route,
        calls: Number(calls),
        overLimit: Number(over),
        errors: { '4xx': Number(four), '5xx': Number(five) },
        p95: segments.get(`${method} ${route}`) ?? null,
      }))
    },
  }
}

/** Of each operation, all hours of the span together. */
async function segmentsIn(db: Db, span: Span): Promise<ReadonlyMap<string, Segments>> {
  const found = new Map<string, BySegment>()
  for (const { method, route, times } of await readTimes(db, 'hour', span)) {
    const key = `${method} ${route}`
    found.set(key, mergedSegments(found.get(key) ?? NO_TIMES, times))
  }
  return new Map([...found].map(([key, times]) => [key, segmentsOf(times)]))
}

const segmentsOf = ({ total, hubIn, lfi, hubOut }: BySegment): Segments => ({
  total: p95(total) ?? 0,
  hubIn: p95(hubIn) ?? 0,
  lfi: p95(lfi),
  hubOut: p95(hubOut),
  of: countOf(total),
})

/** In milliseconds. */
function p95(times: Times): number | null {
  const us = percentile(times, 0.95)
  return us === null ? null : us / 1000
}
