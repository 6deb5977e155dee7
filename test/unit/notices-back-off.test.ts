import { describe, expect, test } from 'vitest'
import { type Milliseconds, type Seconds, toInstant } from '../../src/clock.ts'
import type { WebhooksConfig } from '../../src/config.ts'
import { nextAttempt } from '../../src/notices/back-off.ts'

const config: WebhooksConfig = {
  ca: null,
  timeoutMs: 10_000 as Milliseconds,
  perReceiver: 4,
  attemptsMax: 6,
  giveUpSeconds: 86_400 as Seconds,
  firstDelayMs: 5_000 as Milliseconds,
  delayMaxMs: 60_000 as Milliseconds,
  keepDays: 30,
}
const NOW = toInstant('2026-06-01T08:00:00Z')
const delayOf = (attempts: number, random: number, retryAfterSeconds: number | null = null, since = NOW) => {
  const next = nextAttempt({ attempts, since, retryAfterSeconds }, config, NOW, () => random)
  return next === null ? null : (next - NOW) / 1000
}

describe('the time to the next attempt', () => {
  test('doubles, up to the longest', () => {
    expect([1, 2, 3, 4, 5].map((attempts) => delayOf(attempts, 1))).toEqual([5, 10, 20, 40, 60])
  })
  test('is shortened at random by up to a half', () => {
    expect([0, 0.5, 0.999].map((random) => delayOf(1, random))).toEqual([2.5, 3.75, 4.998])
  })
  test('is at least what the receiver asks for, up to the longest', () => {
    expect([0, 1, 30, 600].map((seconds) => delayOf(1, 1, seconds))).toEqual([5, 5, 30, 60])
  })
  test('ends with the last attempt', () => {
    expect([delayOf(5, 1), delayOf(6, 1), delayOf(7, 1)]).toEqual([60, null, null])
  })
  test('ends when the next attempt would come too late', () => {
    const since = (seconds: number) => toInstant(NOW - seconds * 1000)
    expect(delayOf(1, 1, null, since(86_395))).toBe(5)
    expect(delayOf(1, 1, null, since(86_396))).toBe(null)
  })
})
