/** What the keys of a tenant are good for at one instant: pure, and true until the next turn of any of them. */
import type { Instant } from '../clock.ts'
import { type JWK, publicJwk, type SigningKey } from '../jose.ts'
import { isPublished, type KeyState, type KeyTimes, type KeyUse, stateOf, turnsOf } from './key.ts'

export type OpenKey = { readonly use: KeyUse; readonly times: KeyTimes; readonly key: SigningKey }

export type KeySnapshot = {
  /** The first signs; the others verify. Never empty. */
  readonly signing: readonly [SigningKey, ...SigningKey[]]
  /** The first is the one to encrypt to; all decrypt. */
  readonly encryption: readonly SigningKey[]
  /** Public halves by `kid`, of everything that may have signed. */
  readonly verifying: ReadonlyMap<string, JWK>
  /** The JWKS. */
  readonly published: { readonly keys: readonly JWK[] }
}

const ORDER: Readonly<Record<KeyState, number>> = { active: 0, next: 1, retired: 2, ended: 3 }

/** null when there is nothing to sign with. */
export function snapshotOf(keys: readonly OpenKey[], now: Instant): KeySnapshot | null {
  const alive = keys
    .map((key) => ({ ...key, state: stateOf(key.times, now) }))
    .filter(({ state }) => state !== 'ended')
    .sort((a, b) => ORDER[a.state] - ORDER[b.state] || b.times.activatesAt - a.times.activatesAt)
  const of = (use: KeyUse) => alive.filter((each) => each.use === use)
  const [first, ...others] = of('sig')
  if (first?.state !== 'active') return null
  return {
    signing: [first.key, ...others.map(({ key }) => key)],
    encryption: of('enc').map(({ key }) => key),
    // A node whose clock is ahead may sign with the next key already.
    verifying: new Map(of('sig').map(({ key }) => [key.kid, publicJwk(key, 'sig')])),
    published: {
      keys: alive.filter(({ use, times }) => isPublished(use, times, now)).map(({ use, key }) => publicJwk(key, use)),
    },
  }
}

/** Until when a snapshot of `now` is the right one; Infinity when time changes nothing. */
export const nextTurn = (keys: readonly OpenKey[], now: Instant): number =>
  Math.min(...keys.flatMap(({ use, times }) => turnsOf(use, times, now)), Number.POSITIVE_INFINITY)
