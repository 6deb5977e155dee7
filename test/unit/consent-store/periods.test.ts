import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Period, PeriodType } from '../../../src/consent-store/control-parameters.ts'
import { periodOf, recursOn } from '../../../src/consent-store/periods.ts'
import { addDays, type LocalDate } from '../../../src/local-date.ts'

const day = (text: string) => text as LocalDate
const period = (type: PeriodType, startDate: string): Period => ({ type, startDate: day(startDate) })

const SERIES: fc.Arbitrary<Period> = fc.record({
  type: fc.constantFrom<PeriodType>('Day', 'Week', 'Month', 'Year'),
  startDate: fc.integer({ min: 0, max: 20_000 }).map((days) => addDays(day('2000-01-01'), days)),
})
function spanAt(series: Period, date: LocalDate) {
  const span = periodOf(series, date)
  if (span === null) throw new Error('no period after the start')
  return span
}

describe('the period of a day', () => {
  test.each([
    ['Day', '2026-03-01', '2026-03-05', '2026-03-05', '2026-03-06'],
    ['Week', '2026-03-04', '2026-03-04', '2026-03-04', '2026-03-11'],
    ['Week', '2026-03-04', '2026-03-10', '2026-03-04', '2026-03-11'],
    ['Week', '2026-03-04', '2026-03-11', '2026-03-11', '2026-03-18'],
    ['Week', '2026-12-28', '2027-01-04', '2027-01-04', '2027-01-11'],
    ['Month', '2026-03-15', '2026-03-20', '2026-03-01', '2026-04-01'],
    ['Month', '2026-01-31', '2026-02-28', '2026-02-01', '2026-03-01'],
    ['Month', '2026-03-15', '2026-12-31', '2026-12-01', '2027-01-01'],
    ['Year', '2026-03-15', '2027-03-14', '2026-03-15', '2027-03-15'],
    ['Year', '2026-03-15', '2027-03-15', '2027-03-15', '2028-03-15'],
    ['Year', '2024-02-29', '2025-02-27', '2024-02-29', '2025-02-28'],
    ['Year', '2024-02-29', '2025-02-28', '2025-02-28', '2026-02-28'],
    ['Year', '2024-02-29', '2028-03-01', '2028-02-29', '2029-02-28'],
  ] as const)('%s from %s: %s lies in %s up to before %s', (type, start, date, from, until) => {
    expect(periodOf(period(type, start), day(date))).toEqual({ from, until })
  })

  test.each(['Day', 'Week', 'Month', 'Year'] as const)('there is none before the first %s', (type) => {
    expect(periodOf(period(type, '2026-03-15'), day('2026-03-14'))).toBeNull()
  })

  test('is one of a row of periods without gap or overlap', () => {
    fc.assert(
      fc.property(SERIES, fc.integer({ min: 0, max: 2_000 }), (series, later) => {
        const date = addDays(series.startDate, later)
        const span = spanAt(series, date)
        expect(span.from <= date && date < span.until).toBe(true)
        expect(periodOf(series, span.until)?.from).toBe(span.until)
        const first = span.from < series.startDate ? series.startDate : span.from
        expect(periodOf(series, first)).toEqual(span)
      }),
    )
  })
})

describe('a payment that comes back with its period', () => {
  test.each([
    ['Day', '2026-03-04', ['2026-03-04', '2026-03-05'], ['2026-03-03']],
    ['Week', '2026-03-04', ['2026-03-04', '2026-03-11', '2027-03-03'], ['2026-02-25', '2026-03-05', '2026-04-04']],
    ['Month', '2026-03-04', ['2026-03-04', '2026-04-04', '2027-03-04'], ['2026-02-04', '2026-03-31', '2026-04-01']],
    ['Month', '2026-01-31', ['2026-02-28', '2026-03-31', '2026-04-30', '2028-02-29'], ['2026-03-30', '2028-02-28']],
    ['Month', '2026-01-30', ['2026-02-28', '2026-03-30'], ['2026-03-31']],
    ['Year', '2026-03-04', ['2026-03-04', '2027-03-04'], ['2026-04-04', '2027-03-03']],
    ['Year', '2024-02-29', ['2024-02-29', '2025-02-28', '2028-02-29'], ['2025-03-01', '2028-02-28']],
  ] as const)('every %s from %s on', (type, start, on, off) => {
    const recurring = (dates: readonly string[]) => dates.filter((date) => recursOn(period(type, start), day(date)))
    expect([recurring(on), recurring(off)]).toEqual([on, []])
  })

  test('falls on one day of each period', () => {
    fc.assert(
      fc.property(SERIES, fc.integer({ min: 0, max: 2_000 }), (series, later) => {
        const span = spanAt(series, addDays(series.startDate, later))
        let found = 0
        for (let date = span.from; date < span.until; date = addDays(date, 1)) {
          if (recursOn(series, date)) found += 1
        }
        expect(found).toBe(1)
      }),
    )
  })
})
