import { type Clock, type Instant, toInstant } from '../../src/clock.ts'

/** A clock that stands still until the test moves it. */
export type HandClock = Clock & { advance(ms: number): void; readonly at: Instant }

export function handClock(from: string | number = '2026-06-01T08:00:00Z'): HandClock {
  let at = toInstant(from)
  return {
    now: () => at,
    advance: (ms) => {
      at = toInstant(at + ms)
    },
    get at() {
      return at
    },
  }
}
