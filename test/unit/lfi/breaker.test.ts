import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Instant } from '../../../src/clock.ts'
import { type Breaker, createBreaker, type Health } from '../../../src/lfi/breaker.ts'

let now = 1_000_000
let breaker: Breaker
beforeEach(() => {
  now = 1_000_000
  breaker = createBreaker({ now: () => now as Instant })
})
/** What came of asking to go out; a call that may go out ends as said. */
const call = (health: Health): number | null => {
  const wait = breaker.admit()
  if (wait === null) breaker.note(health)
  return wait
}
const calls = (count: number, health: Health) => Array.from({ length: count }, () => call(health))

describe('an LFI that does not answer', () => {
  test('is asked until enough calls have failed, and then left alone', () => {
    expect(calls(20, 'ill')).toEqual(Array.from({ length: 20 }, () => null))
    expect(call('ill')).toBe(2)
    now += 1_500
    expect(call('ill')).toBe(1)
  })

  test('is tried by one call at a time, which opens it again or leaves it alone for twice as long', () => {
    calls(20, 'ill')
    now += 2_000
    expect(breaker.admit()).toBeNull()
    expect(breaker.admit()).toBe(2)
    breaker.note('ill')
    expect(call('well')).toBe(4)
    now += 4_000
    expect(call('well')).toBeNull()
    expect(calls(5, 'well')).toEqual([null, null, null, null, null])
  })

  test('says how it stands to whoever looks, and looking changes nothing', () => {
    expect(breaker.standing()).toEqual({ state: 'closed', waitSeconds: 0 })
    calls(20, 'ill')
    for (let look = 0; look < 3; look += 1) expect(breaker.standing()).toEqual({ state: 'open', waitSeconds: 2 })
    now += 5_000
    expect(breaker.standing()).toEqual({ state: 'open', waitSeconds: 0 })
    expect(breaker.admit()).toBeNull()
    expect(breaker.standing().state).toBe('probing')
  })

  test('is left alone for a minute at the most', () => {
    calls(20, 'ill')
    const waits: number[] = []
    for (let at = 0; at < 8; at += 1) {
      const wait = breaker.admit() ?? 0
      waits.push(wait)
      now += wait * 1_000
      expect(call('ill')).toBeNull()
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 60, 60, 60])
  })

  test('is tried by the next call when a caller went away with the trial', () => {
    calls(20, 'ill')
    now += 2_000
    expect(call('unknown')).toBeNull()
    expect(call('well')).toBeNull()
    expect(call('well')).toBeNull()
  })
})

describe('an LFI that mostly answers', () => {
  test('is asked on, and what failed long ago is forgotten', () => {
    for (let at = 0; at < 100; at += 1) expect(call(at % 5 < 2 ? 'ill' : 'well')).toBeNull()
    calls(10, 'ill')
    now += 11_000
    expect(calls(19, 'ill')).not.toContain(2)
  })

  test('is never left alone for fewer than twenty calls, or for callers that went away', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom<Health>('ill', 'well', 'unknown'), { maxLength: 19 }), (healths) => {
        const fresh = createBreaker({ now: () => now as Instant })
        for (const health of healths) {
          expect(fresh.admit()).toBeNull()
          fresh.note(health)
        }
      }),
    )
    expect(calls(100, 'unknown')).toEqual(Array.from({ length: 100 }, () => null))
  })
})
