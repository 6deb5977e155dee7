/**
 * The life of a key, judged by the clock alone, so that every node changes over at the same instant without being told.
 *
 *      created            activates           retired            verify until
 *   ──────┼───────────────────┼───────────────────┼───────────────────┼──────►
 *         │       next        │      active       │      retired      │  ended
 *         │ published already │ signs             │ signs no more     │ unknown
 *
 * A key's end is written down when its successor is made: it retires at the instant at which the successor activates.
 */
import { type Instant, type Milliseconds, plus, type Seconds, secondsToMilliseconds, toSeconds } from '../clock.ts'

export type KeyUse = 'sig' | 'enc'
export const KEY_USES: readonly KeyUse[] = ['sig', 'enc']
export type KeyState = 'next' | 'active' | 'retired' | 'ended'

export type KeyTimes = {
  readonly createdAt: Instant
  readonly activatesAt: Instant
  /** Both or neither: null while there is no successor. */
  readonly retiredAt: Instant | null
  readonly verifyUntil: Instant | null
}

/** Clients keep published keys for up to twenty minutes (tpp-api 1). */
export const CLIENT_CACHE_SECONDS = 1200
/** Id tokens, access tokens and signed answers alike; refresh tokens and codes are not signed. */
const SIGNED_SECONDS_MAX = 600
/** A request object lives ten minutes at most (tpp-api 2.3). */
const REQUEST_OBJECT_SECONDS_MAX = 600
/** Clocks of nodes and clients that are apart. */
export const SKEW_SECONDS = 60

/**
 * How long a key is still needed after it retired. What was signed in the last instant has to run out; what is encrypted
 * may be encrypted for as long as clients keep the key, and arrive as late as the request object allows.
 */
export const NEEDED_FOR: Readonly<Record<KeyUse, Seconds>> = {
  sig: toSeconds(SIGNED_SECONDS_MAX + SKEW_SECONDS),
  enc: toSeconds(CLIENT_CACHE_SECONDS + REQUEST_OBJECT_SECONDS_MAX + SKEW_SECONDS),
}

export const neededUntil = (use: KeyUse, retiredAt: Instant): Instant =>
  plus(retiredAt, secondsToMilliseconds(NEEDED_FOR[use]))

export function stateOf(times: KeyTimes, now: Instant): KeyState {
  if (times.verifyUntil !== null && now >= times.verifyUntil) return 'ended'
  if (times.retiredAt !== null && now >= times.retiredAt) return 'retired'
  return now >= times.activatesAt ? 'active' : 'next'
}

/**
 * A client may encrypt to a key from the moment it sees it, at whichever node: so that is not before every node has
 * read the key. For signatures nothing has to wait.
 */
export const SETTLE_MS = 6_000 as Milliseconds

export function isPublished(use: KeyUse, times: KeyTimes, now: Instant): boolean {
  const state = stateOf(times, now)
  if (use === 'sig') return state !== 'ended'
  // Nobody is to encrypt to a key that is on its way out.
  return state === 'active' || (state === 'next' && now >= plus(times.createdAt, SETTLE_MS))
}

/** Instants after `now` at which any of the above may change. */
export function turnsOf(use: KeyUse, times: KeyTimes, now: Instant): readonly Instant[] {
  const published = use === 'enc' ? plus(times.createdAt, SETTLE_MS) : times.createdAt
  const all = [published, times.activatesAt, times.retiredAt, times.verifyUntil]
  return all.filter((at) => at !== null).filter((at) => at > now)
}
