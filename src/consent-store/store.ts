/** Reads and conditional writes of consents. Every function that writes takes a Tx. */
import type { Instant } from '../clock.ts'
import { type Db, query, type Tx } from '../db.ts'
import type { ConsentId } from '../ids.ts'
import { createRemembered, type Remembered, versionOf, versions } from '../remembered.ts'
import type { Consent, ConsentType } from './consent.ts'
import { COLUMNS, type ConsentRow, changingColumns, newRow, toConsent } from './row.ts'

export type ConsentFilter = {
  /** Strictly later. */
  readonly updatedAfter?: Instant
  readonly consentType?: ConsentType
  /** Matched as text: a status nobody has matches nothing. */
  readonly status?: string
  readonly psuUserId?: string
  readonly accountId?: string
  readonly groupId?: string
  readonly page: number
  readonly pageSize: number
}

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

/** The group of a base consent: the root and what continues it (tpp-api 4.5); of one client, or of all. */
export async function readGroup(db: Db | Tx, groupId: string, clientId: string | null): Promise<readonly Consent[]> {
  const query = table(db)
    .where((either) => either.where('id', groupId).orWhere('base_consent_id', groupId))
    .orderBy(['created_at', 'id'])
  if (clientId !== null) query.andWhere('client_id', clientId)
  const rows = (await query.select(COLUMNS)) as ConsentRow[]
  return rows.map(toConsent)
}

export async function lock(tx: Tx, id: ConsentId): Promise<Consent | null> {
  const row = (await table(tx).where({ id }).forUpdate().first(COLUMNS)) as ConsentRow | undefined
  return row === undefined ? null : toConsent(row)
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

/** Null as well when another transaction holds it: whoever that is will leave a consent that is not due. */
export async function lockIfDue(tx: Tx, id: string, now: Instant): Promise<Consent | null> {
  const query = table(tx).where('id', id).andWhere('due_at', '<=', new Date(now))
  const row = (await query.forUpdate().skipLocked().first(COLUMNS)) as ConsentRow | undefined
  return row === undefined ? null : toConsent(row)
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

/** False when somebody else has changed the consent since `revision` was read. */
export async function save(tx: Tx, next: Consent, revision: number): Promise<boolean> {
  const count = await tx('consent').where({ id: next.id, revision }).update(changingColumns(next))
  return count === 1
}

export async function list(
  db: Db,
  filter: ConsentFilter,
  now: Instant,
): Promise<{ rows: readonly Consent[]; totalRecords: number }> {
  const matching = () => {
    const query = table(db)
    if (filter.updatedAfter !== undefined) query.where('updated_at', '>', new Date(filter.updatedAfter))
    if (filter.consentType !== undefined) query.where('type', filter.consentType)
    if (filter.psuUserId !== undefined) query.where('psu_user_id', filter.psuUserId)
    if (filter.accountId !== undefined) query.whereRaw('account_ids @> array[?]::text[]', [filter.accountId])
    if (filter.groupId !== undefined) {
      const { groupId } = filter
      query.where((either) => either.where('id', groupId).orWhere('base_consent_id', groupId))
    }
    if (filter.status !== undefined) query.whereRaw(`${STATUS_BY_CLOCK} = ?`, [new Date(now), filter.status])
    return query
  }
  // A change stream goes forward; a list to look at starts with the newest.
  const order =
    filter.updatedAfter === undefined
      ? [{ column: 'created_at', order: 'desc' as const }, { column: 'id' }]
      : [{ column: 'updated_at' }, { column: 'id' }]
  const page = matching()
    .orderBy(order)
    .limit(filter.pageSize)
    .offset((filter.page - 1) * filter.pageSize)
  const [rows, counted] = await Promise.all([
    page.select(COLUMNS) as unknown as Promise<ConsentRow[]>,
    matching().count<{ count: string }[]>('* as count').first(),
  ])
  return { rows: rows.map(toConsent), totalRecords: Number(counted?.count ?? 0) }
}

/** `atClock` of consent.ts, for a filter. */
const STATUS_BY_CLOCK = `case
  when due_at is null or due_at > ? then status
  when status = 'AwaitingAuthorization' and authorize_by < expires_at then 'Rejected'
  else 'Expired' end`
