/** The derived tables: how far the log was counted, the roll-ups, the periods of downtime. Others: tally-store.ts, times-store.ts. */
import { type Db, query, type Tx } from '../db.ts'
import type { Grain, Span } from './calendar.ts'
import type { Change, Clocked, Running, Subject } from './downtime.ts'
import { clockKey } from './downtime.ts'
import type { Rolled } from './roll-up.ts'

/** How far the log was counted: for calls and downtime, and for the datasets and times. */
export type Position = { readonly seq: number; readonly tallySeq: number }
export type Cursor = Position & { readonly destroyedBefore: number | null }

/** Whoever counts next waits here: two at once would count twice. */
export async function lockCursor(tx: Tx): Promise<Cursor> {
  const { rows } = await query<{ seq: string; tally_seq: string; destroyed_before: Date | null }>(
    tx,
    'select seq, tally_seq, destroyed_before from report_cursor for update',
  )
  const [row] = rows
  if (row === undefined) throw new Error('the cursor of the reports is gone')
  const destroyed = row.destroyed_before?.getTime() ?? null
  return { seq: Number(row.seq), tallySeq: Number(row.tally_seq), destroyedBefore: destroyed }
}

/** Figures of the time before are gone for good; null: none are. */
export async function destroyedBefore(db: Db): Promise<number | null> {
  const { rows } = await query<{ destroyed_before: Date | null }>(db, 'select destroyed_before from report_cursor')
  return rows[0]?.destroyed_before?.getTime() ?? null
}

export const moveCursor = (tx: Tx, { seq, tallySeq }: Position): Promise<unknown> =>
  query(tx, 'update report_cursor set seq = ?, tally_seq = ?', [seq, tallySeq])

export async function forgetAll(tx: Tx): Promise<void> {
  await query(tx, 'delete from report_rollup')
  await query(tx, 'delete from report_downtime')
  await query(tx, 'delete from report_tally')
  await query(tx, 'delete from report_times')
  await moveCursor(tx, { seq: 0, tallySeq: 0 })
}

/** What was destroyed by policy is not brought back; a period that reaches beyond is as it was. */
export const forgetEnded = (tx: Tx, before: number): Promise<unknown> =>
  query(tx, 'delete from report_downtime where ended_at < ?', [new Date(before)])

/** One statement for all; the figures travel as one JSON text. */
const ADD = `
  insert into report_rollup as known
  select * from jsonb_to_recordset(?::jsonb) as given (
    grain text, starts_at timestamptz, door text, api_set text, method text, route text, organisation_id text,
    client_id text, tpp_group text, lfi_group text, calls bigint, attended bigint, records bigint, over_limit bigint,
    total_us_min bigint, total_us_max bigint, total_us_sum bigint, lfi_us_min bigint, lfi_us_max bigint,
    lfi_us_sum bigint)
  on conflict (grain, starts_at, door, api_set, method, route, organisation_id, client_id, tpp_group, lfi_group)
  do update set
    calls = known.calls + excluded.calls,
    attended = known.attended + excluded.attended,
    records = known.records + excluded.records,
    over_limit = known.over_limit + excluded.over_limit,
    total_us_min = least(known.total_us_min, excluded.total_us_min),
    total_us_max = greatest(known.total_us_max, excluded.total_us_max),
    total_us_sum = known.total_us_sum + excluded.total_us_sum,
    lfi_us_min = least(known.lfi_us_min, excluded.lfi_us_min),
    lfi_us_max = greatest(known.lfi_us_max, excluded.lfi_us_max),
    lfi_us_sum = known.lfi_us_sum + excluded.lfi_us_sum`

export async function addRolled(tx: Tx, rolled: readonly Rolled[]): Promise<void> {
  if (rolled.length === 0) return
  const rows = rolled.map(({ bucket, figures }) => ({
    grain: bucket.grain,
    starts_at: new Date(bucket.startsAt).toISOString(),
    door: bucket.door,
    api_set: bucket.apiSet,
    method: bucket.method,
    route: bucket.route,
    organisation_id: bucket.organisationId,
    client_id: bucket.clientId,
    tpp_group: bucket.tppGroup,
    lfi_group: bucket.lfiGroup,
    calls: figures.calls,
    attended: figures.attended,
    records: figures.records,
    over_limit: figures.overLimit,
    total_us_min: figures.totalUs.min,
    total_us_max: figures.totalUs.max,
    total_us_sum: figures.totalUs.sum,
    lfi_us_min: figures.lfiUs?.min ?? null,
    lfi_us_max: figures.lfiUs?.max ?? null,
    lfi_us_sum: figures.lfiUs?.sum ?? 0,
  }))
  await query(tx, ADD, [JSON.stringify(rows)])
}

type DowntimeRow = {
  readonly subject: Subject
  readonly source: Clocked['source']
  readonly method: string
  readonly route: string
  readonly began_at: Date
  readonly ended_at: Date | null
}

export async function runningClocks(tx: Tx): Promise<Running> {
  const { rows } = await query<DowntimeRow>(tx, 'select * from report_downtime where ended_at is null')
  return new Map(rows.map((row) => [clockKey(row), row.began_at.getTime()]))
}

export async function applyChange(tx: Tx, change: Change): Promise<void> {
  const { subject, source, method, route, seq, at } = change.signal
  if (change.kind === 'begin') {
    await query(
      tx,
      `insert into report_downtime (subject, source, method, route, began_seq, began_at)
       values (?, ?, ?, ?, ?, ?)`,
      [subject, source, method, route, seq, new Date(at)],
    )
    return
  }
  await query(
    tx,
    `update report_downtime set ended_at = ?
     where subject = ? and source = ? and method = ? and route = ? and ended_at is null`,
    [new Date(change.endedAt), subject, source, method, route],
  )
}

export type Downtime = Pick<Clocked, 'source' | 'method' | 'route'> & Span

/** Derived downtime that touches the span; what still lasts ends with it. */
export async function downtimeIn(db: Db, subject: Subject, span: Span): Promise<readonly Downtime[]> {
  const { rows } = await query<DowntimeRow>(
    db,
    `select source, method, route, began_at, ended_at from report_downtime
     where subject = ? and began_at < ? and (ended_at is null or ended_at > ?) order by began_seq`,
    [subject, new Date(span.to), new Date(span.from)],
  )
  return rows.map(({ source, method, route, began_at, ended_at }) => ({
    source,
    method,
    route,
    from: began_at.getTime(),
    to: ended_at?.getTime() ?? span.to,
  }))
}

export type Volume = {
  readonly startsAt: number
  readonly apiSet: string
  readonly method: string
  readonly route: string
  readonly group: string
  readonly calls: number
}
export type Speed = Omit<Volume, 'startsAt'> & { readonly min: number; readonly max: number; readonly sum: number }

const OF_TPP = `from report_rollup
  where grain = 'day' and door = 'rs' and api_set <> '' and organisation_id = coalesce(?, organisation_id) and starts_at >= ? and starts_at < ?`
/** Without an organisation: all of them. */
const bounds = (organisationId: string | null, { from, to }: Span) => [organisationId, new Date(from), new Date(to)]

export async function volumes(db: Db, organisationId: string | null, span: Span): Promise<readonly Volume[]> {
  const { rows } = await query<Omit<Volume, 'startsAt' | 'calls'> & { starts_at: Date; calls: string }>(
    db,
    `select starts_at, api_set as "apiSet", method, route, tpp_group as "group", sum(calls) as calls ${OF_TPP}
     group by 1, 2, 3, 4, 5 order by 1, 2, 4, 3, 5`,
    bounds(organisationId, span),
  )
  return rows.map(({ starts_at, calls, ...row }) => ({ ...row, startsAt: starts_at.getTime(), calls: Number(calls) }))
}

/** Of the LFI alone, by its own answers; or of the whole, by what the TPP got. */
export async function speeds(
  db: Db,
  of: Subject,
  organisationId: string | null,
  span: Span,
): Promise<readonly Speed[]> {
  const [group, prefix] = of === 'lfi' ? (['lfi_group', 'lfi_us'] as const) : (['tpp_group', 'total_us'] as const)
  const { rows } = await query<Record<'min' | 'max' | 'sum' | 'calls', string> & Omit<Speed, 'min'>>(
    db,
    `select api_set as "apiSet", method, route, ${group} as "group", sum(calls) as calls,
       min(${prefix}_min) as min, max(${prefix}_max) as max, sum(${prefix}_sum) as sum
     ${OF_TPP} and ${group} <> '' group by 1, 2, 3, 4 order by 1, 3, 2, 4`,
    bounds(organisationId, span),
  )
  return rows.map(({ min, max, sum, calls, ...row }) => ({
    ...row,
    calls: Number(calls),
    min: Number(min),
    max: Number(max),
    sum: Number(sum),
  }))
}

export type RollUpRow = Readonly<Record<string, string | number | null>>

/** Every roll-up of the span as it stands. */
export async function rollUps(db: Db, grain: Grain, span: Span): Promise<readonly RollUpRow[]> {
  const { rows } = await query<Record<string, string | number | Date | null>>(
    db,
    `select * from report_rollup where grain = ? and starts_at >= ? and starts_at < ?
     order by starts_at, door, api_set, route, method, organisation_id, client_id, tpp_group, lfi_group`,
    [grain, new Date(span.from), new Date(span.to)],
  )
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        value instanceof Date ? value.toISOString() : COUNTS.test(name) && value !== null ? Number(value) : value,
      ]),
    ),
  ) as readonly RollUpRow[]
}

const COUNTS = /^(?:calls|attended|records|over_limit|(?:total|lfi)_us_\w+)$/
