/** How many consents there are of a type and status, without counting them (migrations/0016-consent-lists.ts). */
import type { Instant } from '../clock.ts'
import { type Binding, type Db, query } from '../db.ts'
import { STATUS_BY_CLOCK } from './by-clock.ts'
import type { ConsentType } from './consent.ts'

/** Of what is due by the clock only the backlog of the sweeper is looked at. */
export async function tally(
  db: Db,
  of: { readonly type: ConsentType | undefined; readonly status: string | undefined },
  now: Instant,
): Promise<number> {
  const typed = of.type === undefined ? { sql: 'true', bindings: [] } : { sql: 'type = ?', bindings: [of.type] }
  if (of.status === undefined) {
    const stored = `select coalesce(sum(delta), 0) as count from consent_tally where ${typed.sql}`
    return only(await query<{ count: string }>(db, stored, typed.bindings))
  }
  const moved = `
    select coalesce(sum((${STATUS_BY_CLOCK} = ?)::int - (status = ?)::int), 0) from consent where due_at <= ? and ${typed.sql}`
  const bindings: readonly Binding[] = [
    of.status,
    ...typed.bindings,
    new Date(now),
    of.status,
    of.status,
    new Date(now),
    ...typed.bindings,
  ]
  return only(
    await query<{ count: string }>(
      db,
      `select coalesce((select sum(delta) from consent_tally where status = ? and ${typed.sql}), 0) + (${moved}) as count`,
      bindings,
    ),
  )
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

const only = ({ rows }: { readonly rows: readonly { readonly count: string }[] }): number => Number(rows[0]?.count ?? 0)
