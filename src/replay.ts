/** Values that may be used once, remembered until they would be refused anyway. Bounded: when full, nothing is new. */
import type { Clock } from './clock.ts'
import { epochSeconds } from './clock.ts'

export type FirstUse = (value: string, untilEpochSeconds: number) => boolean

export function createReplayMemory(clock: Clock, sizeMax: number): FirstUse {
  const seen = new Map<string, number>()
  return (value, until) => {
    const now = epochSeconds(clock.now())
    if (seen.size >= sizeMax) {
      for (const [old, expires] of seen) if (expires <= now) seen.delete(old)
    }
    const known = seen.get(value)
    if ((known !== undefined && known > now) || seen.size >= sizeMax) return false
    seen.set(value, until)
    return true
  }
}
