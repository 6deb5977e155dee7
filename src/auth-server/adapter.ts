/**
 * Persistence of the engine. Its own uses are «find, check, then write»; the two writes that must not race are made
 * conditional here: `consume` (a code or pushed request is used once) and the insert of an assertion's `jti`.
 */
import { createHash } from 'node:crypto'
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { Clock } from '../clock.ts'
import { type Db, inTransaction, query, type Tx } from '../db.ts'

type ModelRule = {
  /** Filed under a digest and stored without its own id, which is the secret that the caller holds. */
  readonly secret: boolean
}

const MODELS: ReadonlyMap<string, ModelRule> = new Map([
  ['PushedAuthorizationRequest', { secret: true }],
  ['AuthorizationCode', { secret: true }],
  ['RefreshToken', { secret: true }],
  ['Interaction', { secret: false }],
  ['Grant', { secret: false }],
  ['ReplayDetection', { secret: false }],
])

type Row = readonly [model: string, id: string, payload: string, grantId: string | null, expiresAt: Date]
export type FindClient = (clientId: string) => Promise<AdapterPayload | undefined>
export type AdapterFactory = (model: string) => Adapter

export function createAdapterFactory(deps: {
  readonly db: Db
  readonly clock: Clock
  readonly findClient: FindClient
  readonly requestUriSeconds: number
}): AdapterFactory {
  return (model) => {
    if (model === 'Client') return { ...refusing(model), find: deps.findClient }
    // There is no browser at the hub, so there is no session to keep (authorization-server 6.5).
    if (model === 'Session')
      return { ...refusing(model), find: async () => undefined, upsert: async () => {}, destroy: async () => {} }
    const rule = MODELS.get(model)
    return rule === undefined ? refusing(model) : stored(model, rule, deps)
  }
}

function stored(
  model: string,
  rule: ModelRule,
  { db, clock, requestUriSeconds }: { db: Db; clock: Clock; requestUriSeconds: number },
): Adapter {
  const idOf = (id: string) => (rule.secret ? createHash('sha256').update(id).digest('base64url') : id)
  const now = () => new Date(clock.now())
  return {
    ...refusing(model),
    upsert: async (id, given, expiresIn) => {
      const seconds = model === 'PushedAuthorizationRequest' ? requestUriSeconds : (expiresIn ?? 0)
      const expiresAt = new Date(clock.now() + seconds * 1000)
      const payload = {
        ...given,
        // JSON leaves undefined out: the secret itself is not in the row.
        ...(rule.secret ? { jti: undefined } : {}),
        ...(model === 'PushedAuthorizationRequest' ? { exp: Math.floor(expiresAt.getTime() / 1000) } : {}),
      }
      const grantId = model === 'Grant' ? id : (given.grantId ?? null)
      const row: Row = [model, idOf(id), JSON.stringify(payload), grantId, expiresAt]
      if (model === 'ReplayDetection') return insertOnce(db, row, now())
      await query(
        db,
        `insert into oidc_model (model, id, payload, grant_id, expires_at) values (?, ?, ?, ?, ?)
         on conflict (model, id) do update set payload = excluded.payload, grant_id = excluded.grant_id, expires_at = excluded.expires_at`,
        [...row],
      )
    },
    find: async (id) => {
      const found = await query<{ payload: AdapterPayload; consumed_at: Date | null }>(
        db,
        'select payload, consumed_at from oidc_model where model = ? and id = ?',
        [model, idOf(id)],
      )
      const row = found.rows[0]
      if (row === undefined) return undefined
      return {
        ...row.payload,
        ...(rule.secret ? { jti: id } : {}),
        ...(row.consumed_at === null ? {} : { consumed: Math.floor(row.consumed_at.getTime() / 1000) }),
      }
    },
    consume: async (id) => {
      // RFC 6749 4.1.2: a code works once, also when two redeem it at the same instant.
      const used = await query(
        db,
        'update oidc_model set consumed_at = ? where model = ? and id = ? and consumed_at is null',
        [now(), model, idOf(id)],
      )
      if (used.rowCount !== 1) throw new errors.InvalidGrant(`${model} was already used`)
    },
    destroy: async (id) => {
      if (model === 'Grant') await inTransaction(db, (tx) => withdrawGrant(tx, id))
      else
        await db('oidc_model')
          .where({ model, id: idOf(id) })
          .delete()
    },
    revokeByGrantId: async (grantId) => {
      await db('oidc_model').where({ model, grant_id: grantId }).delete()
    },
  }
}

/** RFC 7523 3: a `jti` is good once, on whichever node it arrives first. */
async function insertOnce(db: Db, row: Row, now: Date): Promise<void> {
  const inserted = await query(
    db,
    `insert into oidc_model (model, id, payload, grant_id, expires_at) values (?, ?, ?, ?, ?)
     on conflict (model, id) do update set payload = excluded.payload, expires_at = excluded.expires_at
     where oidc_model.expires_at < ? returning id`,
    [...row, now],
  )
  if (inserted.rowCount !== 1) throw new errors.InvalidClientAuth('client assertion jti was already used')
}

/**
 * The engine ends a grant by itself when a code is used twice. Access tokens are not stored: the gateway compares theirs
 * with the grant that the consent points at, so that pointer must go with it (RFC 6749 4.1.2).
 */
async function withdrawGrant(tx: Tx, grantId: string): Promise<void> {
  await tx('consent').where({ grant_id: grantId }).update({ grant_id: null })
  await destroyGrant(tx, grantId)
}

/** Everything that lives by this grant: codes, refresh tokens and the grant itself. */
export async function destroyGrant(db: Db | Tx, grantId: string): Promise<void> {
  await db('oidc_model').where({ grant_id: grantId }).delete()
}

/**
 * Removes what is past use. A pushed request stays for as long as an interaction made from it may live: without the
 * row a second interaction of the same request_uri would get a second code (authorization-server 5).
 */
export async function purgeExpired(db: Db, now: Date, interactionSeconds: number): Promise<number> {
  const removed = await query(
    db,
    `delete from oidc_model where (model, id) in (
       select model, id from oidc_model where expires_at < ? limit 5000)`,
    [new Date(now.getTime() - interactionSeconds * 1000)],
  )
  return removed.rowCount
}

/** JWT access tokens are not stored; an opaque one must not slip in. */
function refusing(model: string): Adapter {
  const refuse = () => Promise.reject(new Error(`${model} is not stored`))
  return {
    upsert: refuse,
    find: async () => undefined,
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: async () => {},
  }
}
