/**
 * What somebody who watches the hub wants to see of the last hours: traffic by the hour, each operation against the
 * contract's limit, and where the time of the latest calls went. From the roll-ups, but for percentiles, which do not
 * add up: those are of the latest calls in the log.
 */
import type { AuditReader } from '../audit/index.ts'
import { type Db, query } from '../db.ts'
import type { ResponseGroup } from '../measure.ts'
import type { Span } from './calendar.ts'
import { callOf } from './call.ts'

export type HourOfTraffic = { readonly startsAt: number; readonly calls: Readonly<Record<ResponseGroup, number>> }
export type OperationFigures = {
  readonly method: string
  readonly route: string
  readonly calls: number
  /** Longer than the contract's limit for one call; 95 of 100 must not be. */
  readonly overLimit: number
  readonly errors: Readonly<Record<'4xx' | '5xx', number>>
  /** null: none of the latest calls. */
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

const LATEST = 3_000
const PORTION = 1_000
/** Several who look at once, and again every few seconds, cost what one does. */
const BELIEVED_MS = 5_000
const HOUR_MS = 3_600_000
const OPERATIONS_MAX = 40

export function createWatch(deps: { readonly db: Db; readonly reader: AuditReader }): Watch {
  const { db, reader } = deps
  let known: { readonly until: number; readonly found: Promise<ReadonlyMap<string, Segments>> } | null = null
  const segments = (): Promise<ReadonlyMap<string, Segments>> => {
    if (known === null || known.until < performance.now()) {
      known = { until: performance.now() + BELIEVED_MS, found: latestSegments(db, reader) }
    }
    return known.found
  }
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
      const latest = await segments()
      return rows.map(({ method, route, calls, over, four, five }) => ({
        method,
        route,
        calls: Number(calls),
        overLimit: Number(over),
        errors: { '4xx': Number(four), '5xx': Number(five) },
        p95: latest.get(`${method} ${route}`) ?? null,
      }))
    },
  }
}

type Times = { readonly total: number[]; readonly hubIn: number[]; readonly lfi: number[]; readonly hubOut: number[] }

/** Of the latest entries of the log that are calls of TPPs, by operation. */
async function latestSegments(db: Db, reader: AuditReader): Promise<ReadonlyMap<string, Segments>> {
  const { rows } = await query<{ size: string }>(db, 'select coalesce(max(index) + 1, 0) as size from audit_leaf')
  const size = Number(rows[0]?.size ?? 0)
  const found = new Map<string, Times>()
  for (let from = Math.max(0, size - LATEST); from < size; from += PORTION) {
    for (const accepted of await reader.range(from, PORTION)) {
      const call = callOf(accepted)
      if (call === null || call.door !== 'rs' || call.route === null) continue
      const key = `${call.method} ${call.route}`
      const times = found.get(key) ?? { total: [], hubIn: [], lfi: [], hubOut: [] }
      found.set(key, times)
      times.total.push(call.totalUs)
      if (call.lfi === null) times.hubIn.push(call.totalUs)
      else {
        times.hubIn.push(call.hubInUs ?? 0)
        times.lfi.push(call.lfi.us)
        times.hubOut.push(call.hubOutUs ?? 0)
      }
    }
  }
  return new Map([...found].map(([key, times]) => [key, segmentsOf(times)]))
}

const segmentsOf = ({ total, hubIn, lfi, hubOut }: Times): Segments => ({
  total: p95(total) ?? 0,
  hubIn: p95(hubIn) ?? 0,
  lfi: p95(lfi),
  hubOut: p95(hubOut),
  of: total.length,
})

/** The smallest time that 95 of 100 did not exceed, in milliseconds. */
function p95(microseconds: readonly number[]): number | null {
  const sorted = microseconds.toSorted((one, other) => one - other)
  const at = sorted[Math.ceil(sorted.length * 0.95) - 1]
  return at === undefined ? null : at / 1000
}
