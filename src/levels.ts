/** How full the queues are, from the rooms that have them: for metrics, and for whoever looks at the portal. */
import { auditLag, type WitnessEndpoint } from './audit/index.ts'
import { type Db, poolUsage, query } from './db.ts'
import type { Levels } from './metrics.ts'
import type { Reports } from './reports/index.ts'

const WAITING = `
  select (select count(*) from outbox where state in ('waiting', 'sending')) as falaj_outbox_waiting,
    (select count(*) from outbox where state = 'dead') as falaj_webhooks_dead,
    (select count(*) from outage where starts_at <= now() and (ends_at is null or ends_at > now())) as falaj_outages_open,
    (select count(*) from payment_log where state = 'open' and attempt_until <= now()) as falaj_payments_unsettled`

/** How full the queues are. A database that does not answer has no figures, and that shows as well. */
export function levelsOf(db: Db, reports: Reports, witnesses: readonly WitnessEndpoint[]): Levels {
  return async () => {
    const { used, free, waiting } = poolUsage(db)
    const pool = {
      falaj_database_connections_used: used,
      falaj_database_connections_free: free,
      falaj_database_waiting: waiting,
    }
    try {
      const { rows } = await query<Readonly<Record<string, string>>>(db, WAITING)
      const audit = await auditLag(db, witnesses)
      const counted = (name: string): number => Number(rows[0]?.[name])
      return {
        ...pool,
        falaj_audit_pending: audit.pending,
        falaj_audit_pending_seconds: audit.pendingSeconds,
        falaj_witness_behind_seconds: audit.witnessSeconds,
        falaj_outbox_waiting: counted('falaj_outbox_waiting'),
        falaj_webhooks_dead: counted('falaj_webhooks_dead'),
        falaj_outages_open: counted('falaj_outages_open'),
        falaj_payments_unsettled: counted('falaj_payments_unsettled'),
        falaj_reports_behind: await reports.behind(),
      }
    } catch {
      const audit = {
        falaj_audit_pending: null,
        falaj_audit_pending_seconds: null,
        falaj_witness_behind_seconds: null,
      }
      const unknown = {
        ...audit,
        falaj_outbox_waiting: null,
        falaj_webhooks_dead: null,
        falaj_payments_unsettled: null,
      }
      return { ...pool, ...unknown, falaj_outages_open: null, falaj_reports_behind: null }
    }
  }
}
