import { expect, it } from 'vitest'
import { toInstant } from '../../src/clock.ts'
import { addDays, type LocalDate, localDateAt, startOfDay, toLocalDate } from '../../src/local-date.ts'

it.each([
  ['2026-02-28', true],
  ['2028-02-29', true],
  ['2026-02-29', false],
  ['2026-13-01', false],
  ['2026-1-1', false],
  ['2026-01-01T00:00:00Z', false],
  [20260101, false],
])('%s is a day: %s', (raw, is) => {
  expect(toLocalDate(raw) === raw).toBe(is)
})

it('a day of the Emirates begins and ends at eight in the evening, UTC', () => {
  expect(localDateAt(toInstant('2026-11-25T19:59:59.999Z'))).toBe('2026-11-25')
  expect(localDateAt(toInstant('2026-11-25T20:00:00Z'))).toBe('2026-11-26')
  expect(startOfDay('2026-11-26' as LocalDate)).toBe(toInstant('2026-11-25T20:00:00Z'))
})

it('counts days over the ends of months and years', () => {
  expect(addDays('2026-12-31' as LocalDate, 1)).toBe('2027-01-01')
  expect(addDays('2028-03-01' as LocalDate, -1)).toBe('2028-02-29')
})
