/** The tables: accepting entries, and reading them. There is no update and no delete. */
import type { Db, Tx } from '../db.ts'
import type { Brand, ConsentId, CorrelationId } from '../ids.ts'
import { decode, type Encoded, type StoredEntry } from './entry.ts'

export type EntryId = Brand<string, 'EntryId'>

export type Accepted = {
  readonly entryId: EntryId
  /** Its place in the chain; null until the sealer has linked it. */
  readonly seq: number | null
  readonly acceptedAt: Date
  readonly entry: StoredEntry | null
}

export type AuditReader = {
  /** Linked entries in chain order, beginning with `fromSeq`. */
  range(fromSeq: number, limit: number): Promise<readonly Accepted[]>
  /** Everything recorded under one `x-fapi-interaction-id`, in the order of acceptance. */
  findByInteraction(id: CorrelationId): Promise<readonly Accepted[]>
  findByConsent(id: ConsentId, limit: number): Promise<readonly Accepted[]>
}

export const RANGE_MAX = 1000

/** One statement, hence one round trip and all or nothing, for any number of entries. */
const ACCEPT = `
  with accepted as (
    insert into audit_entry (bytes, interaction_id, consent_id)
    select bytes, nullif(interaction_id, '')::uuid, nullif(consent_id, '')::uuid
    from unnest(?::bytea[], ?::text[], ?::text[]) as given (bytes, interaction_id, consent_id)
    returning id
  )
  insert into audit_pending (entry_id) select id from accepted order by id returning entry_id`

export async function accept(db: Db | Tx, entries: readonly Encoded[]): Promise<readonly EntryId[]> {
  const { rows } = (await db.raw(ACCEPT, [
    entries.map((entry) => entry.bytes),
    entries.map((entry) => entry.interactionId ?? ''),
    entries.map((entry) => entry.consentId ?? ''),
  ])) as { rows: { entry_id: EntryId }[] }
  return rows.map((row) => row.entry_id)
}

type Row = { id: EntryId; seq: string | null; accepted_at: Date; bytes: Buffer }

const SELECT = `
  select e.id, l.seq, e.accepted_at, e.bytes
  from audit_entry e left join audit_link l on l.entry_id = e.id`

export function createAuditReader(deps: { readonly db: Db }): AuditReader {
  const read = async (where: string, values: readonly (string | number)[]): Promise<readonly Accepted[]> => {
    const { rows } = (await deps.db.raw(`${SELECT} ${where}`, values)) as { rows: Row[] }
    return rows.map((row) => ({
      entryId: row.id,
      seq: row.seq === null ? null : Number(row.seq),
      acceptedAt: row.accepted_at,
      entry: decode(row.bytes),
    }))
  }
  const bounded = (limit: number) => Math.min(Math.max(1, limit), RANGE_MAX)
  return {
    range: (fromSeq, limit) => read('where l.seq >= ? order by l.seq limit ?', [fromSeq, bounded(limit)]),
    findByInteraction: (id) => read('where e.interaction_id = ? order by e.id limit ?', [id, RANGE_MAX]),
    findByConsent: (id, limit) => read('where e.consent_id = ? order by e.id desc limit ?', [id, bounded(limit)]),
  }
}

export type LinkRow = {
  readonly seq: number
  readonly hash: Buffer
  /** Null when a link's entry is gone. */
  readonly bytes: Buffer | null
  readonly interactionId: string | null
  readonly consentId: string | null
}

/** The next links after `afterSeq` and up to `toSeq`, for those who walk the whole chain. */
export async function readLinks(
  db: Db,
  run: { readonly afterSeq: number; readonly toSeq: number },
): Promise<readonly LinkRow[]> {
  const { rows } = (await db.raw(
    `select l.seq, l.hash, e.bytes, e.interaction_id, e.consent_id
     from audit_link l left join audit_entry e on e.id = l.entry_id
     where l.seq > ? and l.seq <= ? order by l.seq limit ?`,
    [run.afterSeq, run.toSeq, RANGE_MAX],
  )) as { rows: { seq: string; hash: Buffer; bytes: Buffer | null; interaction_id: string; consent_id: string }[] }
  return rows.map((row) => ({
    seq: Number(row.seq),
    hash: row.hash,
    bytes: row.bytes,
    interactionId: row.interaction_id,
    consentId: row.consent_id,
  }))
}

export type CheckpointRow = { readonly size: number; readonly note: Buffer }

export async function latestCheckpoint(db: Db | Tx): Promise<CheckpointRow | null> {
  const { rows } = (await db.raw('select size, note from audit_checkpoint order by id desc limit 1')) as {
    rows: { size: string; note: string }[]
  }
  const [row] = rows
  return row ? { size: Number(row.size), note: Buffer.from(row.note) } : null
}
