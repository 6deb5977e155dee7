/**
 * What an operator does to keys. Each act is one transaction, alone, with its audit entry in it; running processes
 * find out by themselves.
 */
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import type { Audit } from '../audit/index.ts'
import { type Clock, type Instant, iso, plus, secondsToMilliseconds, toSeconds } from '../clock.ts'
import type { Config, KeyStoreConfig, TenantConfig } from '../config.ts'
import { type Db, inTransaction, type Tx } from '../db.ts'
import { OperatorError } from '../errors.ts'
import { loadKey, publicJwk, type SigningKey, toSigningKey } from '../jose.ts'
import { judgeRetirement, judgeRotation, storeOf } from './judge.ts'
import { type KeyState, type KeyTimes, type KeyUse, neededUntil, SKEW_SECONDS, stateOf } from './key.ts'
import { configuredKeys, openKey } from './open.ts'
import {
  deleteKey,
  insertKey,
  type KeyRow,
  type KeySource,
  lockKeys,
  readKeys,
  setDestroyed,
  setTimes,
  setWrapped,
} from './store.ts'
import { encryptionKeyId, type Wrapped, wrap } from './wrap.ts'

export type ListedKey = {
  readonly kid: string
  readonly use: KeyUse
  readonly state: KeyState
  readonly source: KeySource
  /** null for keys of the configuration, whose life is not written down anywhere. */
  readonly times: KeyTimes | null
}
export type Rotation = { readonly kid: string; readonly activatesAt: Instant; readonly replaces: string | null }
export type RotateAsk = {
  readonly use: KeyUse
  /** A key of the configuration, by reference; null makes one. */
  readonly kid: string | null
  readonly when: 'ahead' | 'now'
  readonly accepted: Accepted
}
/** What the operator said of the harm that an act may do. */
export type Accepted = 'harm' | 'no harm'

export type KeyOperations = {
  list(): Promise<readonly ListedKey[]>
  /** @throws OperatorError where a calm rotation would be refused as things stand */
  beforeRotation(use: KeyUse): Promise<void>
  /** @throws OperatorError where the end of this key would be */
  beforeRetirement(kid: string): Promise<void>
  /** The next key is published at once, signs when clients had time to see it, and then takes the place of the active. */
  rotate(ask: RotateAsk): Promise<Rotation>
  /** Ends a key before its time: one that has not signed yet is forgotten, a retired one verifies nothing any more. */
  retire(kid: string, accepted: Accepted): Promise<'forgotten' | 'ended'>
  /** Wraps every stored key with the present key-encryption key; returns how many were not. */
  rewrap(): Promise<number>
  /** Takes the keys of the configuration into the store: the first goes on signing, the others go on verifying. */
  adopt(use: KeyUse, as: KeySource): Promise<readonly string[]>
  /** Destroys the private halves of keys whose time is over; returns how many. */
  destroyEnded(): Promise<number>
}

export type KeyOperationsDeps = {
  readonly db: Db
  readonly tenant: TenantConfig
  readonly environment: Config['environment']
  readonly audit: Audit
  readonly clock: Clock
  readonly actor: string
}

const RSA_BITS = 2048
const generate = promisify(generateKeyPair)

export function createKeyOperations(deps: KeyOperationsDeps): KeyOperations {
  const { db, tenant, clock } = deps
  const act = <T>(work: (unit: Unit) => Promise<T>): Promise<T> => {
    const store = storeOf(tenant)
    return inTransaction(db, async (tx) => {
      await lockKeys(tx)
      return work({ tx, store, rows: await readKeys(tx), now: clock.now() })
    })
  }
  const standing = async () => {
    storeOf(tenant)
    return { tenant, rows: await readKeys(db), now: clock.now() }
  }
  return {
    list: () => list(deps),
    beforeRotation: async (use) => void judgeRotation(await standing(), { use, kid: null, isCalm: true }),
    beforeRetirement: async (kid) => void judgeRetirement(await standing(), kid),
    rotate: async (ask) => {
      // Outside the transaction, because it takes a second.
      const made = ask.kid === null ? await makeKey(ask.use, clock.now()) : configuredKey(tenant, ask.use, ask.kid)
      return act((unit) => rotate(unit, deps, ask, made))
    },
    retire: (kid, accepted) => act((unit) => retire(unit, deps, kid, accepted)),
    rewrap: () => act((unit) => rewrap(unit, deps)),
    adopt: (use, as) => act((unit) => adopt(unit, deps, use, as)),
    destroyEnded: () => destroyEnded(deps),
  }
}

type Unit = {
  readonly tx: Tx
  readonly store: KeyStoreConfig
  readonly rows: readonly KeyRow[]
  readonly now: Instant
}

async function list({ db, tenant, clock }: KeyOperationsDeps): Promise<readonly ListedKey[]> {
  if (tenant.keys.store === null) {
    return (['sig', 'enc'] as const).flatMap((use) =>
      configuredKeys(tenant, use).map(({ kid }, index) => ({
        kid,
        use,
        state: index === 0 ? 'active' : 'retired',
        source: 'file',
        times: null,
      })),
    )
  }
  const now = clock.now()
  return (await readKeys(db)).map(({ kid, use, source, times }) => ({
    kid,
    use,
    source,
    times,
    state: stateOf(times, now),
  }))
}

async function rotate(unit: Unit, deps: KeyOperationsDeps, ask: RotateAsk, made: SigningKey): Promise<Rotation> {
  const { tx, now } = unit
  const { next, active } = judgeRotation({ ...unit, tenant: deps.tenant }, { ...ask, isCalm: ask.when === 'ahead' })
  if (ask.when === 'now' && active !== undefined) {
    refuseHarm(deps, ask.accepted, 'clients that keep the published keys do not know this one yet')
  }
  if (next !== undefined) return bringForward(unit, deps, { next, active })
  if (unit.rows.some(({ kid }) => kid === made.kid)) throw new OperatorError(`key ${made.kid} was used before`)
  const activatesAt =
    active === undefined || ask.when === 'now' ? now : plus(now, secondsToMilliseconds(unit.store.publishAheadSeconds))
  if (active !== undefined) await setTimes(tx, active.kid, endedAt(active, activatesAt))
  await insertKey(tx, {
    kid: made.kid,
    use: ask.use,
    ...kept(unit, deps, made, ask.use, ask.kid === null ? 'stored' : 'file'),
    publicJwk: publicJwk(made, ask.use),
    times: { createdAt: now, activatesAt, retiredAt: null, verifyUntil: null },
  })
  await note(unit, deps, `key made, active from ${iso(activatesAt)}`, made.kid)
  return { kid: made.kid, activatesAt, replaces: active?.kid ?? null }
}

/** There is a next key already: in a hurry, it is the better one, for some clients know it. */
async function bringForward(
  unit: Unit,
  deps: KeyOperationsDeps,
  { next, active }: { readonly next: KeyRow; readonly active: KeyRow | undefined },
): Promise<Rotation> {
  const { tx, now } = unit
  if (active !== undefined) await setTimes(tx, active.kid, endedAt(active, now))
  await setTimes(tx, next.kid, { ...next.times, activatesAt: now })
  await note(unit, deps, `key brought forward, active from ${iso(now)}`, next.kid)
  return { kid: next.kid, activatesAt: now, replaces: active?.kid ?? null }
}

const endedAt = (row: KeyRow, at: Instant): KeyTimes => ({
  ...row.times,
  retiredAt: at,
  verifyUntil: neededUntil(row.use, at),
})

async function retire(unit: Unit, deps: KeyOperationsDeps, kid: string, accepted: Accepted) {
  const { tx, rows, now } = unit
  const { row, state } = judgeRetirement({ ...unit, tenant: deps.tenant }, kid)
  if (state === 'next') {
    if (row.times.activatesAt - now < secondsToMilliseconds(toSeconds(SKEW_SECONDS))) {
      refuseHarm(deps, accepted, 'it is about to sign, and by some clock it may have signed')
    }
    const before = rows.find((each) => each.use === row.use && each.times.retiredAt === row.times.activatesAt)
    await deleteKey(tx, kid)
    if (before !== undefined) await setTimes(tx, before.kid, { ...before.times, retiredAt: null, verifyUntil: null })
    await note(unit, deps, 'next key forgotten', kid)
    return 'forgotten' as const
  }
  refuseHarm(deps, accepted, 'what it signed, or what was encrypted to it, is refused from now on')
  await setTimes(tx, kid, { ...row.times, verifyUntil: now })
  await note(unit, deps, 'retired key ended before its time', kid)
  return 'ended' as const
}

async function rewrap(unit: Unit, deps: KeyOperationsDeps): Promise<number> {
  const { encryptionKeys } = unit.store
  const present = encryptionKeyId(encryptionKeys[0])
  const old = unit.rows.filter(({ wrapped }) => wrapped !== null && wrapped.wrappedWith !== present)
  for (const row of old) {
    const key = openKey(row, { tenant: deps.tenant, encryptionKeys })
    const { wrapped } = kept(unit, deps, key, row.use, 'stored')
    if (wrapped !== null) await setWrapped(unit.tx, row.kid, wrapped)
  }
  if (old.length > 0) await note(unit, deps, `${old.length} keys wrapped anew`, null)
  return old.length
}

async function adopt(unit: Unit, deps: KeyOperationsDeps, use: KeyUse, as: KeySource): Promise<readonly string[]> {
  const { tx, now } = unit
  const keys = configuredKeys(deps.tenant, use).map(loadKey)
  if (keys.length === 0) throw new OperatorError(`the configuration of tenant ${deps.tenant.id} has no such keys`)
  if (unit.rows.some((row) => row.use === use)) throw new OperatorError('there are such keys in the store already')
  for (const [index, key] of keys.entries()) {
    const times = { createdAt: now, activatesAt: now, retiredAt: null, verifyUntil: null }
    await insertKey(tx, {
      kid: key.kid,
      use,
      ...kept(unit, deps, key, use, as),
      publicJwk: publicJwk(key, use),
      times: index === 0 ? times : { ...times, retiredAt: now, verifyUntil: neededUntil(use, now) },
    })
    await note(unit, deps, `key imported, ${index === 0 ? 'active' : 'retired'}`, key.kid)
  }
  return keys.map(({ kid }) => kid)
}

/** By whichever process comes first; needs no key-encryption key. */
function destroyEnded(deps: KeyOperationsDeps): Promise<number> {
  return inTransaction(deps.db, async (tx) => {
    const now = deps.clock.now()
    const isDue = (row: KeyRow): boolean => row.wrapped !== null && stateOf(row.times, now) === 'ended'
    // Looked at before anything is locked: nearly always there is nothing to do.
    if (!(await readKeys(tx)).some(isDue)) return 0
    await lockKeys(tx)
    const due = (await readKeys(tx)).filter(isDue)
    for (const { kid } of due) {
      await setDestroyed(tx, kid, now)
      await note({ tx, now }, deps, 'private half of an ended key destroyed', kid)
    }
    return due.length
  })
}

type Kept = { readonly source: KeySource; readonly wrapped: Wrapped | null }

function kept({ store }: Unit, { tenant }: KeyOperationsDeps, key: SigningKey, use: KeyUse, source: KeySource): Kept {
  if (source === 'file') return { source, wrapped: null }
  const name = { tenantId: tenant.id, use, kid: key.kid }
  return { source, wrapped: wrap(key.privateKey, name, store.encryptionKeys[0]) }
}

async function makeKey(use: KeyUse, now: Instant): Promise<SigningKey> {
  const { privateKey } = await generate('rsa', { modulusLength: RSA_BITS })
  return toSigningKey(`${use}-${iso(now).slice(0, 10)}-${crypto.randomUUID().slice(0, 8)}`, privateKey)
}

function configuredKey(tenant: TenantConfig, use: KeyUse, kid: string): SigningKey {
  const found = configuredKeys(tenant, use).find((each) => each.kid === kid)
  if (found === undefined) throw new OperatorError(`the configuration of tenant ${tenant.id} has no such key ${kid}`)
  return loadKey(found)
}

function refuseHarm({ environment }: KeyOperationsDeps, accepted: Accepted, harm: string): void {
  if (environment === 'sandbox' || accepted === 'harm') return
  throw new OperatorError(`${harm}: say --yes-clients-may-break if that is meant`)
}

const note = ({ tx, now }: Pick<Unit, 'tx' | 'now'>, deps: KeyOperationsDeps, act: string, target: string | null) =>
  deps.audit.append(tx, {
    kind: 'admin-act',
    at: now,
    interactionId: null,
    tenantId: deps.tenant.id,
    actor: deps.actor,
    act,
    target,
  })
