import { expect, test } from 'vitest'
import { toInstant } from '../../../src/clock.ts'
import { retryAfterSeconds } from '../../../src/lfi/retry-after.ts'

const NOW = toInstant('1994-11-06T08:49:00Z')

test.each([
  ['17', 17],
  ['0', 1],
  ['3601', 3_600],
  ['999999999999999', 3_600],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 37],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 37],
  ['Sun Nov  6 08:49:37 1994', 37],
  ['Sun, 06 Nov 1994 08:00:00 GMT', 1],
  ['Wed, 21 Oct 2099 07:28:00 GMT', 3_600],
  ['Sun, 06 Xyz 1994 08:49:37 GMT', null],
  ['Sun, 06 Nov 1994 08:49:37', null],
  ['1994-11-06T08:49:37Z', null],
  ['-5', null],
  ['1.5', null],
  ['1e3', null],
  ['17 seconds', null],
  ['9999999999999999', null],
  ['', null],
  [null, null],
])('%j is %j seconds', (header, seconds) => {
  expect(retryAfterSeconds(header, NOW)).toBe(seconds)
})
