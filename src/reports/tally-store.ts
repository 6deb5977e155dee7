/** The figures of the datasets as the database keeps them. */
import { type Db, query, type Tx } from '../db.ts'
import type { Span } from './calendar.ts'
import type { DatasetName, Tallied } from './datasets.ts'

/** One statement for all. A figure that an earlier row has not yet is 0 there. */
const ADD = `
  insert into report_tally as known
  select * from jsonb_to_recordset(?::jsonb) as given (
    dataset text, starts_at timestamptz, facts text[], figures bigint[])
  on conflict (dataset, starts_at, facts) do update set figures = array(
    select coalesce(one, 0) + coalesce(other, 0)
    from unnest(known.figures, excluded.figures) with ordinality as figure (one, other, place) order by place)`

export async function addTally(tx: Tx, tallied: readonly Tallied[]): Promise<void> {
  if (tallied.length === 0) return
  const rows = tallied.map(({ dataset, startsAt, facts, figures }) => ({
    dataset,
    starts_at: new Date(startsAt).toISOString(),
    facts,
    figures,
  }))
  await query(tx, ADD, [JSON.stringify(rows)])
}

/** By day, and in the order of the facts. */
export async function readTally(db: Db, dataset: DatasetName, { from, to }: Span): Promise<readonly Tallied[]> {
  const { rows } = await query<{ starts_at: Date; facts: readonly string[]; figures: readonly string[] }>(
    db,
    `select starts_at, facts, figures from report_tally
     where dataset = ? and starts_at >= ? and starts_at < ? order by starts_at, facts`,
    [dataset, new Date(from), new Date(to)],
  )
  return rows.map(({ starts_at, facts, figures }) => ({
    dataset,
    startsAt: starts_at.getTime(),
    facts,
    figures: figures.map(Number),
  }))
}
