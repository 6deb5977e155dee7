/** What is refused before a door has a request to record: anybody can bring it about, as often as they like. */
import type { ListenerRole } from '../config.ts'

/**
 * `host`: for none of our names. `proxy`: a trusted proxy handed on what cannot be. `capacity`: too much at work.
 * `revocation`: it cannot be told whether the certificate still counts. `unreadable`: no HTTP. `headers`: too much of
 * them. `time`: the request took too long to come.
 */
export type EarlyReason = 'host' | 'proxy' | 'capacity' | 'revocation' | 'unreadable' | 'headers' | 'time'

export type EarlyRefusal = {
  /** null: it came to an address where no door was named. */
  readonly door: ListenerRole | null
  readonly status: number
  readonly reason: EarlyReason
}
