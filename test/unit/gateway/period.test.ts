import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toInstant } from '../../../src/clock.ts'
import { narrowPeriod, type PeriodKind, type Window } from '../../../src/gateway/period.ts'

const NOW = toInstant('2026-03-01T12:00:00Z')
const OPEN: Window = { fromDate: null, toDate: null }
const YEAR: Window = { fromDate: '2025-01-01', toDate: '2025-12-31' }
const narrow = (from: string | undefined, to: string | undefined, window = OPEN, kind: PeriodKind = 'booking') =>
  narrowPeriod(kind, { from, to }, window, NOW)

describe('without a window', () => {
  // biome-ignore format: a table reads by its columns
  test.each([
    [undefined, undefined, null, null],
    ['2025-05-01', '2025-06-01', '2025-05-01T00:00:00Z', '2025-06-01T00:00:00Z'],
    ['2025-05-01T10:00:00', undefined, '2025-05-01T10:00:00Z', null],
    ['2025-05-01T10:00:00.5Z', undefined, '2025-05-01T10:00:00.5Z', null],
    ['2025-05-01T10:00:00+04:00', undefined, '2025-05-01T06:00:00.000Z', null],
    ['2999-01-01', undefined, '2999-01-01T00:00:00Z', null],
    [undefined, '2026-03-01T15:59:59+04:00', null, '2026-03-01T11:59:59.000Z'],
  ])('%s to %s is sent as %s to %s', (from, to, sentFrom, sentTo) => {
    expect(narrow(from, to)).toEqual({ from: sentFrom, to: sentTo })
  })

  test.each([
    ['2025-13-01', undefined],
    ['2025-02-30', undefined],
    ['01/02/2025', undefined],
    ['2025-05-01 10:00:00', undefined],
    ['2025-05-01T10:00', undefined],
    ['2025-05-01T25:00:00Z', undefined],
    ['2025-05-01T10:00:00+25:00', undefined],
    ['', undefined],
    ['2025-06-01', '2025-05-01'],
    [undefined, '2026-03-01T12:00:01Z'],
    [undefined, '2026-03-02'],
  ])('%s to %s is refused', (from, to) => {
    expect(() => narrow(from, to)).toThrow(expect.objectContaining({ code: 'Resource.InvalidFormat' }))
  })
})

describe('within a window', () => {
  // biome-ignore format: a table reads by its columns
  test.each([
    [undefined, undefined, '2025-01-01T00:00:00Z', '2025-12-31T23:59:59Z'],
    ['2024-01-01', '2026-02-01', '2025-01-01T00:00:00Z', '2025-12-31T23:59:59Z'],
    ['2025-03-01', '2025-04-01', '2025-03-01T00:00:00Z', '2025-04-01T00:00:00Z'],
    ['2024-12-31T20:00:00-08:00', undefined, '2025-01-01T04:00:00.000Z', '2025-12-31T23:59:59Z'],
    ['2024-12-31T10:00:00-14:00', undefined, '2025-01-01T00:00:00.000Z', '2025-12-31T23:59:59Z'],
  ])('%s to %s is sent as %s to %s', (from, to, sentFrom, sentTo) => {
    expect(narrow(from, to, YEAR)).toEqual({ from: sentFrom, to: sentTo })
  })

  test.each([
    [undefined, '2024-12-31'],
    ['2026-01-01', undefined],
  ])('%s to %s lies outside', (from, to) => {
    expect(() => narrow(from, to, YEAR)).toThrow(expect.objectContaining({ code: 'Resource.InvalidFormat' }))
  })

  test('of one end the other stays open', () => {
    expect(narrow(undefined, undefined, { fromDate: '2025-01-01', toDate: null })).toEqual({
      from: '2025-01-01T00:00:00Z',
      to: null,
    })
  })

  test('statements go by dates', () => {
    expect(narrow('2024-01-01', undefined, YEAR, 'statement')).toEqual({ from: '2025-01-01', to: '2025-12-31' })
    expect(narrow('2025-12-31', '2025-12-31', YEAR, 'statement')).toEqual({ from: '2025-12-31', to: '2025-12-31' })
    expect(() => narrow('2025-01-01T00:00:00Z', undefined, YEAR, 'statement')).toThrow()
  })

  test('nothing that is sent names a moment outside, read with or without its zone', () => {
    const moment = fc
      .record({
        date: fc.date({ min: new Date('2024-01-01'), max: new Date('2026-02-01'), noInvalidDate: true }),
        zone: fc.constantFrom('', 'Z', '+04:00', '-14:00', '+14:00'),
      })
      .map(({ date, zone }) => `${date.toISOString().slice(0, 19)}${zone}`)
    const optional = fc.option(moment, { nil: undefined })
    fc.assert(
      fc.property(optional, optional, (from, to) => {
        let sent: ReturnType<typeof narrow>
        try {
          sent = narrow(from, to, YEAR)
        } catch {
          return
        }
        for (const end of [sent.from, sent.to]) {
          const digits = Date.parse(`${end?.slice(0, 19)}Z`)
          expect(end).toMatch(/Z$/)
          expect(digits).toBeGreaterThanOrEqual(Date.parse('2025-01-01T00:00:00Z'))
          expect(digits).toBeLessThanOrEqual(Date.parse('2025-12-31T23:59:59Z'))
        }
      }),
    )
  })
})
