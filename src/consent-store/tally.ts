/** How many consents there are of a type and status, without counting them (migrations/0016-consent-lists.ts). */
import type { Instant } from '../clock.ts'
import { type Db, query } from '../db.ts'
import { STATUS_BY_CLOCK } from './by-clock.ts'
import { type Counted, type Moved, NOTHING_MOVED } from './slots.ts'

type Kind = Pick<Counted, 'type' | 'status'>

/** In whatever order: the stored counts, and what the clock has moved since, of the same moment. */
export async function tally(db: Db, { type, status }: Kind, moved: Moved): Promise<number> {
  const wanted = [...(type === undefined ? [] : ['type = ?']), ...(status === undefined ? [] : ['status = ?'])]
  const { rows } = await query<{ count: string }>(
    db,
    `select coalesce(sum(delta), 0) as count from consent_tally where ${['true', ...wanted].join(' and ')}`,
    [type, status].filter((each) => each !== undefined),
  )
  return Number(rows[0]?.count ?? 0) + moved.total
}

/** The same in one statement, for whoever asks nothing else of the moment. */
export async function tallyAt(db: Db, of: Kind, now: Instant): Promise<number> {
  const { type, status } = of
  if (status === undefined) return tally(db, of, NOTHING_MOVED)
  const typed = type === undefined ? { sql: 'true', bindings: [] } : { sql: 'type = ?', bindings: [type] }
  const { rows } = await query<{ count: string }>(
    db,
    `select coalesce((select sum(delta) from consent_tally where status = ? and ${typed.sql}), 0)
       + coalesce((select sum((${STATUS_BY_CLOCK} = ?)::int - (status = ?)::int) from consent
         where due_at <= ? and ${typed.sql}), 0) as count`,
    [status, ...typed.bindings, new Date(now), status, status, new Date(now), ...typed.bindings],
  )
  return Number(rows[0]?.count ?? 0)
}

/** Lines that are read with every count before they are worth folding. */
const LINES_MAX = 200

/** Folds the lines together. Several may do it at once: each folds those that it took. */
export async function foldTally(db: Db): Promise<void> {
  await query(
    db,
    `with taken as (
       delete from consent_tally where (select count(*) from consent_tally) > ? returning type, status, delta)
     insert into consent_tally select type, status, sum(delta) from taken group by type, status`,
    [LINES_MAX],
  )
}
