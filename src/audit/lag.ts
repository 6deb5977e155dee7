/** How far the log is behind what was accepted, and the witnesses behind the log: for whoever watches the hub. */
import { type Db, query } from '../db.ts'
import type { WitnessEndpoint } from './witnessing.ts'

export type AuditLag = {
  /** Accepted, and without a place in the log. */
  readonly pending: number
  /** Age of the oldest of those; 0 where there are none. */
  readonly pendingSeconds: number
  /** Age of the oldest checkpoint beyond what a witness has cosigned, of the witness furthest behind. */
  readonly witnessSeconds: number
}

const LAG = `
  select (select count(*) from audit_pending) as pending,
    coalesce(extract(epoch from clock_timestamp() - (
      select accepted_at from audit_entry where id = (select min(entry_id) from audit_pending)
    )), 0) as pending_seconds,
    (select coalesce(max(extract(epoch from clock_timestamp() - (
      select c.signed_at from audit_checkpoint c
      where c.size > coalesce((
        select max(s.size) from audit_cosignature k join audit_checkpoint s on s.id = k.checkpoint_id
        where k.witness = witness.key
      ), 0) order by c.size limit 1
    ))), 0) from unnest(?::text[]) as witness (key)) as witness_seconds`

export async function auditLag(db: Db, witnesses: readonly WitnessEndpoint[]): Promise<AuditLag> {
  const { rows } = await query<Readonly<Record<string, string>>>(db, LAG, [witnesses.map(({ key }) => key.text)])
  const figure = (name: string): number => Number(rows[0]?.[name])
  return {
    pending: figure('pending'),
    pendingSeconds: figure('pending_seconds'),
    witnessSeconds: figure('witness_seconds'),
  }
}
