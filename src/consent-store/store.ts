/** Reads and conditional writes of consents. Every function that writes takes a Tx. */
import type { Instant } from '../clock.ts'
import { type Db, prepared, query, type Tx } from '../db.ts'
import type { ClientId, ConsentId } from '../ids.ts'
import { createRemembered, type Remembered, versionOf, versions } from '../remembered.ts'
import type { Consent } from './consent.ts'
import { COLUMNS, type ConsentRow, changingColumns, newRow, toConsent } from './row.ts'

const table = (db: Db | Tx) => db<ConsentRow>('consent')

export async function read(db: Db | Tx, where: Readonly<Record<string, string>>): Promise<Consent | null> {
  const row = (await table(db).where(where).first(COLUMNS)) as ConsentRow | undefined
  return row === undefined ? null : toConsent(row)
}

const SELECT_VERSIONS = `select id as key, ${versionOf('consent')} as version from consent where id = any(?)`
const SELECT_CONSENT = `select ${versionOf('consent')} as version, ${COLUMNS.join(', ')} from consent where id = ?`
/** Consents taken apart and kept at a time: those whose data is being read. */
const REMEMBERED_MAX = 10_000

/** For the read that every call makes. */
export function rememberedConsents(db: Db): Remembered<Consent> {
  return createRemembered<Consent>({
    max: REMEMBERED_MAX,
    versions: (ids) => versions(db, 'consent-versions', SELECT_VERSIONS, ids),
    load: async (id) => {
      const [row] = (await query<ConsentRow & { version: string }>(db, SELECT_CONSENT, [id])).rows
      return row === undefined ? null : { version: row.version, value: toConsent(row) }
    },
  })
}

const OWNED = `select ${COLUMNS.join(', ')} from consent where id = ? and client_id = ?`

export async function readOwned(db: Db, id: ConsentId, clientId: ClientId): Promise<Consent | null> {
  const [row] = (await prepared<ConsentRow>(db, 'consent-owned', OWNED, [id, clientId])).rows
  return row === undefined ? null : toConsent(row)
}

/** The group of a base consent: the root and what continues it (tpp-api 4.5); of one client, or of all. */
export async function readGroup(db: Db | Tx, groupId: string, clientId: string | null): Promise<readonly Consent[]> {
  const query = table(db)
    .where((either) => either.where('id', groupId).orWhere('base_consent_id', groupId))
    .orderBy(['created_at', 'id'])
  if (clientId !== null) query.andWhere('client_id', clientId)
  const rows = (await query.select(COLUMNS)) as ConsentRow[]
  return rows.map(toConsent)
}

const LOCK = `select ${COLUMNS.join(', ')} from consent where id = ? for update`
declare const locked: unique symbol
/** As it is stored, whatever the clock says of it, and locked by the transaction that holds it. */
export type LockedConsent = Consent & { readonly [locked]: true }

export async function lock(tx: Tx, id: ConsentId): Promise<LockedConsent | null> {
  const [row] = (await prepared<ConsentRow>(tx, 'consent-lock', LOCK, [id])).rows
  return row === undefined ? null : (toConsent(row) as LockedConsent)
}

/**
 * Who authorized first in the chain that an awaiting consent continues: its root, or an earlier renewal. The root stays
 * locked, so that of two renewals the second sees whom the first one belongs to.
 */
export async function chainUserOf(tx: Tx, consent: Consent): Promise<string | null> {
  const { baseConsentId: root } = consent
  if (root === null || consent.status !== 'AwaitingAuthorization') return null
  await query(tx, 'select 1 from consent where id = ? for update', [root])
  const earliest = await query<{ readonly psu_user_id: string }>(
    tx,
    `select psu_user_id from consent
     where (id = ? or base_consent_id = ?) and client_id = ? and authorized_at is not null
     order by authorized_at, id limit 1`,
    [root, root, consent.clientId],
  )
  return earliest.rows[0]?.psu_user_id ?? null
}

/** Without those that another transaction holds: whoever that is will leave a consent that is not due. */
export async function lockDue(tx: Tx, ids: readonly string[], now: Instant): Promise<readonly Consent[]> {
  const query = table(tx)
    .whereIn('id', [...ids])
    .andWhere('due_at', '<=', new Date(now))
    .orderBy('id')
  const rows = (await query.forUpdate().skipLocked().select(COLUMNS)) as ConsentRow[]
  return rows.map(toConsent)
}

export async function dueIds(db: Db, now: Instant, limit: number): Promise<readonly string[]> {
  const query = table(db).where('due_at', '<=', new Date(now)).orderBy('due_at').limit(limit)
  return (await query.pluck('id')) as string[]
}

/** False when the id is taken. */
export async function insert(tx: Tx, consent: Consent): Promise<boolean> {
  const rows = await tx('consent').insert(newRow(consent)).onConflict().ignore().returning('id')
  return rows.length === 1
}

/** What the end of a consent by the clock changes, of many at once; how many were as they had been read. */
export async function saveEnds(tx: Tx, ended: readonly Consent[]): Promise<number> {
  const rows = ended.map((consent) => {
    const { status, rejected_for, status_changed_at, updated_at, revision } = changingColumns(consent)
    return { id: consent.id, status, rejected_for, status_changed_at, updated_at, revision }
  })
  const saved = await query(
    tx,
    `update consent set status = ended.status, rejected_for = ended.rejected_for, grant_id = null,
       status_changed_at = ended.status_changed_at, updated_at = ended.updated_at, revision = ended.revision
     from json_to_recordset(?::json) as ended (id text, status text, rejected_for text,
       status_changed_at timestamptz, updated_at timestamptz, revision integer)
     where consent.id = ended.id and consent.revision = ended.revision - 1`,
    [JSON.stringify(rows)],
  )
  return saved.rowCount
}
