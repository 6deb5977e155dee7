/** Token buckets, one per caller: a second's worth may come at once, and then as fast as it refills. */
import { LRUCache } from 'lru-cache'
import type { Instant } from './clock.ts'
import type { PeerCertificate } from './tls.ts'

export type RateLimit = {
  /** Null: go on. Otherwise the whole seconds after which the next request will be let through. */
  take(caller: string, now: Instant): number | null
}

/** Before anything is computed for a caller, it is known by its certificate only, or else by its address. */
export const callerOf = (peer: PeerCertificate | null, address: string): string =>
  peer?.trusted === true ? `${peer.organisationId} ${peer.commonName}` : address

/** Beyond so many callers the longest silent one is forgotten, and it had a full bucket anyway. */
const CALLERS_MAX = 10_000

export function createRateLimit(requestsPerSecond: number): RateLimit {
  const capacity = Math.max(1, requestsPerSecond)
  const buckets = new LRUCache<string, { level: number; at: number }>({ max: CALLERS_MAX })
  return {
    take(caller, now) {
      const bucket = buckets.get(caller) ?? { level: capacity, at: now }
      // A clock that steps back must not drain the bucket.
      const refill = (Math.max(0, now - bucket.at) / 1000) * requestsPerSecond
      bucket.level = Math.min(capacity, bucket.level + refill)
      bucket.at = now
      buckets.set(caller, bucket)
      if (bucket.level < 1) return Math.max(1, Math.ceil((1 - bucket.level) / requestsPerSecond))
      bucket.level -= 1
      return null
    },
  }
}
