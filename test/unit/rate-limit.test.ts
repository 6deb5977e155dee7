import { expect, test } from 'vitest'
import { toInstant } from '../../src/clock.ts'
import { createRateLimit } from '../../src/rate-limit.ts'

const START = 1_700_000_000_000
const at = (ms: number) => toInstant(START + ms)

test('a second of requests may come at once, and then as fast as the bucket refills', () => {
  const limit = createRateLimit(5)
  expect(Array.from({ length: 7 }, () => limit.take('a', at(0)))).toEqual([null, null, null, null, null, 1, 1])
  expect([limit.take('a', at(200)), limit.take('a', at(200))]).toEqual([null, 1])
  expect(Array.from({ length: 6 }, () => limit.take('a', at(60_000))).filter((wait) => wait === null)).toHaveLength(5)
})

test('one caller does not spend for another', () => {
  const limit = createRateLimit(1)
  expect([limit.take('a', at(0)), limit.take('a', at(0)), limit.take('b', at(0))]).toEqual([null, 1, null])
})

test('a clock that steps back neither drains nor fills', () => {
  const limit = createRateLimit(2)
  expect([limit.take('a', at(10_000)), limit.take('a', at(0)), limit.take('a', at(0))]).toEqual([null, null, 1])
})

test('the wait is in whole seconds, never nothing', () => {
  const limit = createRateLimit(0.1)
  expect([limit.take('a', at(0)), limit.take('a', at(0)), limit.take('a', at(10_000))]).toEqual([null, 10, null])
})
