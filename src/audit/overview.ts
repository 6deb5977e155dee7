/** How the log stands: its newest checkpoints, what waits, what witnesses have cosigned, and hours that nobody sealed. */
import { type Db, query } from '../db.ts'
import { type AuditLag, auditLag } from './lag.ts'
import { latestCheckpoint } from './log-store.ts'
import type { WitnessEndpoint } from './witnessing.ts'

export type WitnessStanding = {
  readonly name: string
  readonly key: string
  /** null: it has cosigned nothing yet. */
  readonly last: { readonly size: number; readonly cosignedAt: Date } | null
}
export type AuditOverview = {
  /** With its cosignatures, as anybody may keep it; null before the first. */
  readonly checkpoint: string | null
  /** The latest first. */
  readonly recent: readonly { readonly size: number; readonly signedAt: Date; readonly cosignatures: number }[]
  readonly lag: AuditLag
  readonly witnesses: readonly WitnessStanding[]
  /** Hours of UTC within the last week without a checkpoint, since the first there was; the running hour is not one. */
  readonly missedHours: readonly Date[]
}

const RECENT = 10
const MISSED = `
  select hour from generate_series(
    (select greatest(min(hour), date_trunc('hour', ?::timestamptz, 'UTC') - interval '7 days')
     from audit_checkpoint where hour is not null),
    date_trunc('hour', ?::timestamptz, 'UTC') - interval '1 hour', interval '1 hour'
  ) as passed (hour)
  where not exists (select from audit_checkpoint c where c.hour = passed.hour) order by hour desc`

export async function auditOverview(
  db: Db,
  { witnesses, now }: { readonly witnesses: readonly WitnessEndpoint[]; readonly now: Date },
): Promise<AuditOverview> {
  const [latest, recent, lag, standings, missed] = await Promise.all([
    latestCheckpoint(db),
    query<{ readonly size: string; readonly signed_at: Date; readonly cosignatures: string }>(
      db,
      `select c.size, c.signed_at,
         (select count(*) from audit_cosignature k where k.checkpoint_id = c.id) as cosignatures
       from audit_checkpoint c order by c.size desc limit ?`,
      [RECENT],
    ),
    auditLag(db, witnesses),
    standingsOf(db, witnesses),
    query<{ readonly hour: Date }>(db, MISSED, [now, now]),
  ])
  return {
    checkpoint: latest?.note ?? null,
    recent: recent.rows.map(({ size, signed_at, cosignatures }) => ({
      size: Number(size),
      signedAt: signed_at,
      cosignatures: Number(cosignatures),
    })),
    lag,
    witnesses: standings,
    missedHours: missed.rows.map(({ hour }) => hour),
  }
}

async function standingsOf(db: Db, witnesses: readonly WitnessEndpoint[]): Promise<readonly WitnessStanding[]> {
  const { rows } = await query<{
    readonly key: string
    readonly size: string | null
    readonly cosigned_at: Date | null
  }>(
    db,
    `select witness.key, last.size, last.cosigned_at from unnest(?::text[]) as witness (key)
     left join lateral (
       select c.size, k.cosigned_at from audit_cosignature k join audit_checkpoint c on c.id = k.checkpoint_id
       where k.witness = witness.key order by k.checkpoint_id desc limit 1
     ) last on true`,
    [witnesses.map(({ key }) => key.text)],
  )
  return witnesses.map(({ key }) => {
    const found = rows.find((row) => row.key === key.text)
    const isThere = found !== undefined && found.size !== null && found.cosigned_at !== null
    return {
      name: key.name,
      key: key.text,
      last: isThere ? { size: Number(found.size), cosignedAt: found.cosigned_at as Date } : null,
    }
  })
}
