/** The engine's records as rows of one table, and the statements over them. What each statement guards is beside it. */
import { createHash } from 'node:crypto'
import { type AdapterPayload, errors } from 'oidc-provider'
import type { Clock } from '../clock.ts'
import { type Db, inTransaction, query, type Tx } from '../db.ts'

export type EngineRow = {
  readonly model: string
  readonly id: string
  readonly payload: AdapterPayload
  readonly grantId: string | null
  readonly expiresAt: Date
  readonly consumedAt: Date | null
}

/** What the engine does with its records. Each at once (`recordsIn`), or all of a request together (unit-of-work.ts). */
export type Records = {
  find(model: string, id: string): Promise<EngineRow | null>
  put(row: EngineRow): Promise<void>
  /** @throws InvalidClientAuth when somebody else has used it */
  useOnce(row: EngineRow): Promise<void>
  /** @throws InvalidGrant when somebody else has used it */
  consume(model: string, id: string): Promise<void>
  remove(model: string, id: string): Promise<void>
  removeUnder(model: string, grantId: string): Promise<void>
  /** The grant, everything issued under it, and its consent's pointer to it. */
  endGrant(grantId: string): Promise<void>
}

export type DetachGrant = (tx: Tx, grantId: string) => Promise<void>
export type RecordsDeps = { readonly db: Db; readonly clock: Clock; readonly detachGrant: DetachGrant }

/** Filed under a digest and stored without its own id, which is the secret that the caller holds. */
const SECRET: ReadonlySet<string> = new Set(['PushedAuthorizationRequest', 'AuthorizationCode', 'RefreshToken'])
export const isSecret = (model: string): boolean => SECRET.has(model)
export const fileId = (model: string, id: string): string =>
  isSecret(model) ? createHash('sha256').update(id).digest('base64url') : id

export function recordsIn(deps: RecordsDeps): Records {
  const { db, clock } = deps
  const now = () => new Date(clock.now())
  return {
    find: (model, id) => findRow(db, model, id),
    put: (row) => putRows(db, [row]),
    useOnce: (row) => useOnce(db, row, now()),
    consume: (model, id) => consumeRow(db, model, id, now()),
    remove: (model, id) => removeRow(db, model, id),
    removeUnder: (model, grantId) => removeUnder(db, model, grantId),
    endGrant: (grantId) => inTransaction(db, (tx) => endGrant(tx, grantId, deps.detachGrant)),
  }
}

type Found = {
  readonly payload: AdapterPayload
  readonly grant_id: string | null
  readonly expires_at: Date
  readonly consumed_at: Date | null
}

export async function findRow(db: Db, model: string, id: string): Promise<EngineRow | null> {
  const [row] = (
    await query<Found>(
      db,
      'select payload, grant_id, expires_at, consumed_at from oidc_model where model = ? and id = ?',
      [model, id],
    )
  ).rows
  if (row === undefined) return null
  const { payload, grant_id: grantId, expires_at: expiresAt, consumed_at: consumedAt } = row
  return { model, id, payload, grantId, expiresAt, consumedAt }
}

/** Any number in one statement. */
export async function putRows(db: Db | Tx, rows: readonly EngineRow[]): Promise<void> {
  if (rows.length === 0) return
  await query(
    db,
    `insert into oidc_model (model, id, payload, grant_id, expires_at)
     select model, id, payload::jsonb, nullif(grant_id, ''), expires_at::timestamptz
     from unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[]) as given (model, id, payload, grant_id, expires_at)
     on conflict (model, id) do update set payload = excluded.payload, grant_id = excluded.grant_id, expires_at = excluded.expires_at`,
    [
      rows.map(({ model }) => model),
      rows.map(({ id }) => id),
      rows.map(({ payload }) => JSON.stringify(payload)),
      rows.map(({ grantId }) => grantId ?? ''),
      rows.map(({ expiresAt }) => expiresAt.toISOString()),
    ],
  )
}

/** RFC 7523 3: a `jti` is good once, on whichever node it arrives first. */
export async function useOnce(db: Db | Tx, { model, id, payload, expiresAt }: EngineRow, now: Date): Promise<void> {
  const inserted = await query(
    db,
    `insert into oidc_model (model, id, payload, expires_at) values (?, ?, ?, ?)
     on conflict (model, id) do update set payload = excluded.payload, expires_at = excluded.expires_at
     where oidc_model.expires_at < ? returning id`,
    [model, id, JSON.stringify(payload), expiresAt, now],
  )
  if (inserted.rowCount !== 1) throw new errors.InvalidClientAuth('client assertion jti was already used')
}

/** RFC 6749 4.1.2: a code works once, also when two redeem it at the same instant. */
export async function consumeRow(db: Db | Tx, model: string, id: string, now: Date): Promise<void> {
  const used = await query(
    db,
    'update oidc_model set consumed_at = ? where model = ? and id = ? and consumed_at is null',
    [now, model, id],
  )
  if (used.rowCount !== 1) throw alreadyUsed(model)
}

export const alreadyUsed = (model: string): errors.InvalidGrant => new errors.InvalidGrant(`${model} was already used`)

export async function removeRow(db: Db | Tx, model: string, id: string): Promise<void> {
  await query(db, 'delete from oidc_model where model = ? and id = ?', [model, id])
}

export async function removeUnder(db: Db | Tx, model: string, grantId: string): Promise<void> {
  await query(db, 'delete from oidc_model where model = ? and grant_id = ?', [model, grantId])
}

/** Everything that lives by this grant: codes, refresh tokens, answers not yet handed over, and the grant itself. */
export async function destroyGrant(db: Db | Tx, grantId: string): Promise<void> {
  await query(db, 'delete from oidc_model where grant_id = ?', [grantId])
}

/**
 * The engine ends a grant by itself when a code is used twice. Access tokens are not stored: the gateway compares
 * theirs with the grant that the consent points at, so that pointer must go with it (RFC 6749 4.1.2). The consent comes
 * first, as wherever both are touched: two that end the same grant wait for each other, and do not lock crosswise.
 */
export async function endGrant(tx: Tx, grantId: string, detach: DetachGrant): Promise<void> {
  await detach(tx, grantId)
  await destroyGrant(tx, grantId)
}

/** Answers that were not handed over (kept-answers.ts): the one kind that goes the moment it has run out. */
export const KEPT_ANSWER = 'KeptAnswer'

/**
 * Removes what is past use. A pushed request stays for as long as an interaction made from it may live: without the
 * row a second interaction of the same request_uri would get a second code (authorization-server 5).
 */
export async function purgeExpired(db: Db, now: Date, interactionSeconds: number): Promise<number> {
  const removed = await query(
    db,
    `delete from oidc_model where (model, id) in (
       select model, id from oidc_model where expires_at < ? and (expires_at < ? or model = ?) limit 5000)`,
    [now, new Date(now.getTime() - interactionSeconds * 1000), KEPT_ANSWER],
  )
  return removed.rowCount
}
