/**
 * Notices when the clock on the wall was set: it is compared with one that only runs forward and cannot be set. Slow
 * corrections, as a time service makes them, are no steps.
 */
import type { Clock } from '../clock.ts'
import type { ClockStatus } from './entry.ts'

export type ClockWatch = {
  status(): ClockStatus
  /** The largest step, forward or back, since this was last asked. */
  takeLargestStep(): number
}

const STEP_MS = 100
const REMEMBERED_MS = 3_600_000

export function createClockWatch(deps: { readonly clock: Clock; readonly monotonic: () => number }): ClockWatch {
  let skew = deps.clock.now() - deps.monotonic()
  let steppedAt = Number.NEGATIVE_INFINITY
  let largest = 0
  const look = (): number => {
    const now = deps.monotonic()
    const step = deps.clock.now() - now - skew
    skew += step
    if (Math.abs(step) >= STEP_MS) {
      steppedAt = now
      if (Math.abs(step) > Math.abs(largest)) largest = step
    }
    return now
  }
  return {
    status: () => (look() - steppedAt < REMEMBERED_MS ? 'stepped' : 'steady'),
    takeLargestStep: () => {
      look()
      const taken = largest
      largest = 0
      return taken
    },
  }
}
