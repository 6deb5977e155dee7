/** How many consents there are of a type and status, without counting them (migrations/0016-consent-lists.ts). */
import type { Instant } from '../clock.ts'
import { type Db, query } from '../db.ts'
import { STATUS_BY_CLOCK } from './by-clock.ts'
import { AHEAD, DUE_BESIDES } from './counted-ahead.ts'
import { type Counted, LONGEST } from './slots.ts'

/** The stored counts, and what the clock has moved since, of the same moment. */
export async function tallyAt(db: Db, of: Pick<Counted, 'type' | 'status'>, now: Instant): Promise<number> {
  const { type, status } = of
  const typed = type === undefined ? { sql: 'true', bindings: [] } : { sql: 'type = ?', bindings: [type] }
  const { rows } = await (status === undefined
    ? query<Count>(db, `select sum(delta) as count from consent_tally where ${typed.sql}`, typed.bindings)
    : query<Count>(
        db,
        `with ahead as materialized (${AHEAD})
         select coalesce((select sum(delta) from consent_tally where status = ? and ${typed.sql}), 0)
           + coalesce((select sum(delta) from consent_ahead_line
             where ahead = (select id from ahead) and list = 'created' and span = ${LONGEST}
               and status = ? and ${typed.sql}), 0)
           + coalesce((select sum((${STATUS_BY_CLOCK} = ?)::int - (status = ?)::int) from consent
             where ${DUE_BESIDES} and ${typed.sql}), 0) as count`,
        [
          new Date(now),
          ...[status, ...typed.bindings],
          ...[status, ...typed.bindings],
          ...[new Date(now), status, status, new Date(now), ...typed.bindings],
        ],
      ))
  return Number(rows[0]?.count ?? 0)
}
type Count = { readonly count: string | null }

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
