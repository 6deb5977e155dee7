/** The histograms as the database keeps them. */
import { type Db, query, type Tx } from '../db.ts'
import type { Grain, Span } from './calendar.ts'
import { type BySegment, mergedSegments, NO_TIMES, parsed, type Timed, written } from './times.ts'

type Row = {
  readonly grain: Grain
  readonly starts_at: Date
  readonly method: string
  readonly route: string
} & Readonly<Record<'total' | 'hub_in' | 'lfi' | 'hub_out', string>>

const KNOWN = `
  select known.* from report_times known
  join jsonb_to_recordset(?::jsonb) as given (grain text, starts_at timestamptz, method text, route text)
    using (grain, starts_at, method, route)`

const SAVE = `
  insert into report_times
  select * from jsonb_to_recordset(?::jsonb) as given (
    grain text, starts_at timestamptz, method text, route text, total text, hub_in text, lfi text, hub_out text)
  on conflict (grain, starts_at, method, route) do update set
    total = excluded.total, hub_in = excluded.hub_in, lfi = excluded.lfi, hub_out = excluded.hub_out`

/** Read, added to and written: whoever counts holds the cursor, so nobody else does at the same time. */
export async function addTimes(tx: Tx, timed: readonly Timed[]): Promise<void> {
  if (timed.length === 0) return
  const keys = timed.map((each) => ({ ...keyOf(each), starts_at: new Date(each.startsAt).toISOString() }))
  const known = new Map(
    (await query<Row>(tx, KNOWN, [JSON.stringify(keys)])).rows.map(timedIn).map((each) => [nameOf(each), each.times]),
  )
  const rows = timed.map((each, at) => {
    const { total, hubIn, lfi, hubOut } = mergedSegments(known.get(nameOf(each)) ?? NO_TIMES, each.times)
    return { ...keys[at], total: written(total), hub_in: written(hubIn), lfi: written(lfi), hub_out: written(hubOut) }
  })
  await query(tx, SAVE, [JSON.stringify(rows)])
}

export async function readTimes(db: Db, grain: Grain, { from, to }: Span): Promise<readonly Timed[]> {
  const { rows } = await query<Row>(
    db,
    'select * from report_times where grain = ? and starts_at >= ? and starts_at < ? order by starts_at, route, method',
    [grain, new Date(from), new Date(to)],
  )
  return rows.map(timedIn)
}

const keyOf = ({ grain, method, route }: Timed) => ({ grain, method, route })
const nameOf = ({ grain, startsAt, method, route }: Timed): string => JSON.stringify([grain, startsAt, method, route])

const timedIn = ({ grain, starts_at, method, route, total, hub_in, lfi, hub_out }: Row): Timed => {
  const times: BySegment = { total: parsed(total), hubIn: parsed(hub_in), lfi: parsed(lfi), hubOut: parsed(hub_out) }
  return { grain, startsAt: starts_at.getTime(), method, route, times }
}
