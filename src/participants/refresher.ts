/**
 * Which records are asked for again before anybody has to wait for them. The rows are shared by all nodes, so one of
 * them asks, and the answer serves all: a node claims what is due, and the others leave it alone for a while.
 */
import type { Clock } from '../clock.ts'
import { type Db, query } from '../db.ts'

export type Refresher = { claim(): Promise<readonly string[]> }

/** A node that dies with a claim loses it. */
const CLAIMED_MS = 20_000
const AT_ONCE_MAX = 50
/** Part of the cache time after which a record is due: by record, so that what was fetched together drifts apart. */
const [DUE_FROM, DUE_SPREAD] = [0.6, 0.2]

const CLAIM = `
  update software_statement set refresh_claimed_until = to_timestamp(? / 1000.0)
  where software_statement_id in (
    select software_statement_id from software_statement
    where fetched_at < to_timestamp(
        (? - ? * (${DUE_FROM} + ${DUE_SPREAD} * (hashtext(software_statement_id) & 1023) / 1023.0)) / 1000.0)
      and (refresh_claimed_until is null or refresh_claimed_until <= to_timestamp(? / 1000.0))
    order by fetched_at limit ${AT_ONCE_MAX} for update skip locked)
  returning (select client_id from client c where c.software_statement_id = software_statement.software_statement_id)`

export function createRefresher(deps: { readonly db: Db; readonly clock: Clock; readonly cacheMs: number }): Refresher {
  return {
    claim: async () => {
      const now = deps.clock.now()
      const bindings = [now + CLAIMED_MS, now, deps.cacheMs, now]
      const { rows } = await query<{ readonly client_id: string | null }>(deps.db, CLAIM, bindings)
      return rows.flatMap(({ client_id }) => client_id ?? [])
    },
  }
}
