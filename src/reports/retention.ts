/**
 * What is kept only as long as the policy of the LFI says. Figures and declared outages older than that are
 * destroyed, and an entry of the audit log says how many of which, and up to when: evidence of destruction. The log
 * itself is not touched, so that it can be verified from its first entry on. A moment once passed holds for good: a
 * later recount does not bring back what was destroyed.
 */
import type { Audit } from '../audit/index.ts'
import { type Clock, iso, toInstant } from '../clock.ts'
import { type Db, inTransaction, query, type Tx } from '../db.ts'
import type { TenantId } from '../ids.ts'
import { startOf } from './calendar.ts'
import { lockCursor } from './store.ts'

export type Destroyed = { readonly before: string; readonly counts: Readonly<Record<string, number>> }

const STATEMENTS: readonly (readonly [table: string, sql: string])[] = [
  ['report_rollup', 'delete from report_rollup where starts_at < ?'],
  ['report_tally', 'delete from report_tally where starts_at < ?'],
  ['report_times', 'delete from report_times where starts_at < ?'],
  ['report_downtime', 'delete from report_downtime where ended_at < ?'],
  ['outage', 'delete from outage where ends_at < ?'],
]

export function createRetention(deps: {
  readonly db: Db
  readonly audit: Audit
  readonly tenantId: TenantId
  readonly clock: Clock
  readonly years: number
}) {
  const { db, audit, tenantId, clock, years } = deps
  return {
    /** Null where there was nothing to destroy: then nothing is recorded either. */
    destroy: (): Promise<Destroyed | null> => {
      const before = new Date(boundary(clock.now(), years))
      return inTransaction(db, async (tx) => {
        await lockCursor(tx)
        const counts = await destroyAll(tx, before)
        await query(tx, 'update report_cursor set destroyed_before = greatest(destroyed_before, ?::timestamptz)', [
          before,
        ])
        const words = Object.entries(counts).filter(([, count]) => count > 0)
        if (words.length === 0) return null
        await audit.append(tx, {
          kind: 'system',
          at: clock.now(),
          interactionId: null,
          tenantId,
          event: 'destroyed',
          detail: `before ${before.toISOString()}: ${words.map(([table, count]) => `${table} ${count}`).join(', ')}`,
        })
        return { before: before.toISOString(), counts }
      })
    },
  }
}

async function destroyAll(tx: Tx, before: Date): Promise<Readonly<Record<string, number>>> {
  const counts: [string, number][] = []
  for (const [table, sql] of STATEMENTS) counts.push([table, (await query(tx, sql, [before])).rowCount])
  return Object.fromEntries(counts)
}

/** The beginning of the day that many years ago: a whole day is either kept or not. */
export function boundary(now: number, years: number): number {
  const then = new Date(now)
  then.setUTCFullYear(then.getUTCFullYear() - years)
  return startOf('day', Date.parse(iso(toInstant(then))))
}
