/**
 * The keys of a tenant as a running process holds them. Who changes over is the clock; who makes and ends keys is the
 * operator, on the command line, which a running process notices by asking the database every other second.
 */
import type { Clock, Instant, Milliseconds } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import type { Db } from '../db.ts'
import { OperatorError } from '../errors.ts'
import { type JWK, loadKey, publicJwk, type SigningKey } from '../jose.ts'
import type { Log } from '../log.ts'
import { every } from '../timer.ts'
import { stateOf } from './key.ts'
import { type OpenDeps, openKey } from './open.ts'
import { type KeySnapshot, nextTurn, type OpenKey, snapshotOf } from './snapshot.ts'
import { type KeyRow, readKeys, versionOfKeys } from './store.ts'

export type KeyRing = {
  /**
   * The keys as they are at this instant; the same object for as long as nothing changes.
   * @throws Error when this process cannot know them any more
   */
  now(): KeySnapshot
  /** The public half of a key that may have signed; asks the database once more before it says no. */
  verifying(kid: string): Promise<JWK | null>
  close(): Promise<void>
}

/** The keys of the configuration and no others: all are published, the first signs. */
export function fixedKeyRing(keys: {
  readonly signing: readonly SigningKey[]
  readonly encryption: readonly SigningKey[]
}): KeyRing {
  const [first, ...others] = keys.signing
  if (first === undefined) throw new OperatorError('there is no signing key')
  const snapshot: KeySnapshot = {
    signing: [first, ...others],
    encryption: keys.encryption,
    verifying: new Map(keys.signing.map((key) => [key.kid, publicJwk(key, 'sig')])),
    published: {
      keys: [
        ...keys.signing.map((key) => publicJwk(key, 'sig')),
        ...keys.encryption.map((key) => publicJwk(key, 'enc')),
      ],
    },
  }
  return {
    now: () => snapshot,
    verifying: async (kid) => snapshot.verifying.get(kid) ?? null,
    close: async () => {},
  }
}

export type KeyRingDeps = {
  readonly db: Db
  readonly tenant: TenantConfig
  readonly clock: Clock
  readonly log: Log
  readonly rereadMs?: number
}

const REREAD_MS = 2_000
/** Names that nobody knows do not become questions to the database more often than this. */
const ASK_AGAIN_MS = 500
const BLIND_MS_MIN = 30_000

/** @throws OperatorError at start when the tenant has no key to sign with, or one of its keys does not open. */
export async function createKeyRing(deps: KeyRingDeps): Promise<KeyRing> {
  const { tenant, clock, log } = deps
  const { store } = tenant.keys
  if (store === null) {
    return fixedKeyRing({ signing: tenant.keys.signing.map(loadKey), encryption: tenant.keys.encryption.map(loadKey) })
  }
  const opening: OpenDeps = { tenant, encryptionKeys: store.encryptionKeys }
  // Whoever made a key since the last look published it this long before it signs; beyond that, who signs is a guess.
  const blindMs = Math.max(store.publishAheadSeconds * 1000, BLIND_MS_MIN) as Milliseconds
  let held = await read(deps, opening, null).catch((cause: unknown) => {
    throw new OperatorError(`the keys of tenant ${tenant.id} cannot be used: ${(cause as Error).message}`, { cause })
  })
  let known: { readonly snapshot: KeySnapshot; readonly until: number } | null = null
  let reading: Promise<void> | null = null
  let lastAsked = 0

  const look = (): Promise<void> => {
    reading ??= (async () => {
      const found = await read(deps, opening, held)
      if (found.version !== held.version) {
        known = null
        log.info({ kids: found.keys.map(({ key }) => key.kid) }, 'keys read anew')
      }
      held = found
    })().finally(() => {
      reading = null
    })
    return reading
  }
  const now = (): KeySnapshot => {
    const at = clock.now()
    if (at - held.checkedAt > blindMs) throw new Error('the keys could not be read for too long to go on signing')
    if (known !== null && at < known.until) return known.snapshot
    const snapshot = snapshotOf(held.keys, at)
    if (snapshot === null) throw new OperatorError(noKey(tenant))
    known = { snapshot, until: nextTurn(held.keys, at) }
    return snapshot
  }
  now()
  const timer = every(deps.rereadMs ?? REREAD_MS, 'reading the keys', log, look)
  return {
    now,
    verifying: async (kid) => {
      const jwk = now().verifying.get(kid)
      if (jwk !== undefined || performance.now() - lastAsked < ASK_AGAIN_MS) return jwk ?? null
      lastAsked = performance.now()
      await look()
      return now().verifying.get(kid) ?? null
    },
    close: () => timer.stop(),
  }
}

const noKey = (tenant: TenantConfig): string =>
  `tenant ${tenant.id} has no key to sign with: \`falaj keys import\` takes those of the configuration, ` +
  '`falaj keys rotate --use sig` makes the first'

type Held = {
  readonly version: string
  readonly checkedAt: Instant
  readonly keys: readonly (OpenKey & { readonly row: KeyRow })[]
}

/** The version is asked for first: a change that comes in between is read now and noticed again the next time. */
async function read(deps: KeyRingDeps, opening: OpenDeps, held: Held | null): Promise<Held> {
  const checkedAt = deps.clock.now()
  const version = await versionOfKeys(deps.db)
  if (held?.version === version) return { ...held, checkedAt }
  const rows = await readKeys(deps.db)
  const alive = rows.filter((row) => row.destroyedAt === null && stateOf(row.times, checkedAt) !== 'ended')
  return {
    version,
    checkedAt,
    keys: alive.map((row) => ({
      row,
      use: row.use,
      times: row.times,
      key: openedBefore(held, row) ?? openKey(row, opening),
    })),
  }
}

/** Opening takes a moment, and a key that is open does not change. */
function openedBefore(held: Held | null, row: KeyRow): SigningKey | null {
  const before = held?.keys.find((each) => each.row.kid === row.kid)
  if (before === undefined || before.use !== row.use) return null
  const same = before.row.publicJwk.n === row.publicJwk.n && sameBytes(before.row, row)
  return same ? before.key : null
}

const sameBytes = (a: KeyRow, b: KeyRow): boolean =>
  a.source === b.source &&
  (a.wrapped === b.wrapped || (a.wrapped !== null && b.wrapped !== null && a.wrapped.bytes.equals(b.wrapped.bytes)))
