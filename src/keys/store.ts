/** Rows of `tenant_key`, as they are. Nothing here opens a key or asks what time it is. */
import { type Instant, toInstant } from '../clock.ts'
import { type Db, query, type Tx } from '../db.ts'
import type { JWK } from '../jose.ts'
import { versionOf } from '../remembered.ts'
import type { KeyTimes, KeyUse } from './key.ts'
import type { Wrapped } from './wrap.ts'

/** `stored`: the private half is in the row, wrapped. `file`: the configuration names its file. */
export type KeySource = 'stored' | 'file'
export type KeyRow = {
  readonly kid: string
  readonly use: KeyUse
  readonly source: KeySource
  /** null: kept elsewhere, or destroyed. */
  readonly wrapped: Wrapped | null
  readonly publicJwk: JWK
  readonly times: KeyTimes
  readonly destroyedAt: Instant | null
}

type Stored = {
  readonly kid: string
  readonly use: KeyUse
  readonly source: KeySource
  readonly wrapped: Buffer | null
  readonly wrapped_with: string | null
  readonly public_jwk: JWK
  readonly created_at: Date
  readonly activates_at: Date
  readonly retired_at: Date | null
  readonly verify_until: Date | null
  readonly destroyed_at: Date | null
}

const instantOf = (at: Date | null): Instant | null => (at === null ? null : toInstant(at))
const dateOf = (at: Instant | null): Date | null => (at === null ? null : new Date(at))

const rowOf = (stored: Stored): KeyRow => ({
  kid: stored.kid,
  use: stored.use,
  source: stored.source,
  wrapped:
    stored.wrapped === null || stored.wrapped_with === null
      ? null
      : { bytes: stored.wrapped, wrappedWith: stored.wrapped_with },
  publicJwk: stored.public_jwk,
  times: {
    createdAt: toInstant(stored.created_at),
    activatesAt: toInstant(stored.activates_at),
    retiredAt: instantOf(stored.retired_at),
    verifyUntil: instantOf(stored.verify_until),
  },
  destroyedAt: instantOf(stored.destroyed_at),
})

const COLUMNS = `kid, use, source, wrapped, wrapped_with, public_jwk, created_at, activates_at, retired_at, verify_until,
                 destroyed_at`

/** Oldest first. */
export async function readKeys(db: Db | Tx): Promise<readonly KeyRow[]> {
  const { rows } = await query<Stored>(db, `select ${COLUMNS} from tenant_key order by use, activates_at, kid`)
  return rows.map(rowOf)
}

/** Another text whenever any row is another. */
export async function versionOfKeys(db: Db): Promise<string> {
  const { rows } = await query<{ readonly version: string }>(
    db,
    `select coalesce(string_agg(kid || ' ' || ${versionOf('k')}, ',' order by kid), '') as version from tenant_key k`,
  )
  return rows[0]?.version ?? ''
}

/** Whoever changes keys does it alone; readers are not kept waiting. */
export async function lockKeys(tx: Tx): Promise<void> {
  await query(tx, 'lock table tenant_key in share row exclusive mode')
}

export async function insertKey(tx: Tx, row: Omit<KeyRow, 'destroyedAt'>): Promise<void> {
  const { createdAt, activatesAt, retiredAt, verifyUntil } = row.times
  await query(tx, `insert into tenant_key (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null)`, [
    row.kid,
    row.use,
    row.source,
    row.wrapped?.bytes ?? null,
    row.wrapped?.wrappedWith ?? null,
    JSON.stringify(row.publicJwk),
    new Date(createdAt),
    new Date(activatesAt),
    dateOf(retiredAt),
    dateOf(verifyUntil),
  ])
}

export async function setTimes(tx: Tx, kid: string, times: KeyTimes): Promise<void> {
  await query(tx, 'update tenant_key set activates_at = ?, retired_at = ?, verify_until = ? where kid = ?', [
    new Date(times.activatesAt),
    dateOf(times.retiredAt),
    dateOf(times.verifyUntil),
    kid,
  ])
}

export async function setWrapped(tx: Tx, kid: string, wrapped: Wrapped): Promise<void> {
  await query(tx, 'update tenant_key set wrapped = ?, wrapped_with = ? where kid = ?', [
    wrapped.bytes,
    wrapped.wrappedWith,
    kid,
  ])
}

export async function deleteKey(tx: Tx, kid: string): Promise<void> {
  await query(tx, 'delete from tenant_key where kid = ?', [kid])
}

/** The private half goes, the public half stays. */
export async function setDestroyed(tx: Tx, kid: string, at: Instant): Promise<void> {
  await query(tx, 'update tenant_key set wrapped = null, wrapped_with = null, destroyed_at = ? where kid = ?', [
    new Date(at),
    kid,
  ])
}
