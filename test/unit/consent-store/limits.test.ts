import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ControlParameters, parseControlParameters } from '../../../src/consent-store/control-parameters.ts'
import { isExhausted } from '../../../src/consent-store/exhausted.ts'
import {
  type Asked,
  consumptionOf,
  LIMIT_FAULTS,
  type LimitFault,
  limitFault,
  type Paid,
  spendingOf,
} from '../../../src/consent-store/limits.ts'
import { addDays, type LocalDate, startOfDay } from '../../../src/local-date.ts'
import { type Decimal, type Money, sumMoney, toMoney } from '../../../src/money.ts'

const START = '2026-03-04' as LocalDate
const money = (amount: string, currency = 'AED'): Money => {
  const made = toMoney({ Amount: amount, Currency: currency })
  if (made === null) throw new Error(`no money: ${amount}`)
  return made
}
const wire = (Amount: string, Currency = 'AED') => ({ Amount, Currency })
const paid = (amount: string, on: string = START, currency = 'AED'): Paid => ({
  on: on as LocalDate,
  number: 1,
  money: money(amount, currency),
  ofSingleAmount: amount === '100.00' && currency === 'AED',
})
/** As they are kept: those of a day together, where they count alike. */
const byDays = (payments: readonly Paid[]): readonly Paid[] =>
  [...Map.groupBy(payments, (each) => `${each.on} ${each.money.currency} ${each.ofSingleAmount}`).values()]
    .flatMap(([first, ...more]) =>
      first === undefined
        ? []
        : { ...first, number: 1 + more.length, money: sumMoney(first.money, ...more.map(({ money: one }) => one)) },
    )
    .toSorted((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : 0))
const asks = (amount: string, on: string = START, currency = 'AED'): Asked => ({
  kind: 'payment',
  on: on as LocalDate,
  money: money(amount, currency),
})
const control = (parameters: object): ControlParameters => {
  const parsed = parseControlParameters(parameters)
  if (!parsed.ok) throw new Error(parsed.fault)
  return parsed.control
}
const multi = (PeriodicSchedule: object, more: object = {}) =>
  control({ ConsentSchedule: { MultiPayment: { ...more, PeriodicSchedule } } })

const SINGLE = control({ ConsentSchedule: { SinglePayment: { Type: 'SingleInstantPayment', Amount: wire('100.00') } } })
const onDemand = (Controls: object, more: object = {}, PeriodType = 'Month') =>
  multi({ Type: 'VariableOnDemand', PeriodType, PeriodStartDate: START, Controls }, more)
const FIXED_ON_DEMAND = multi({
  Type: 'FixedOnDemand',
  PeriodType: 'Week',
  PeriodStartDate: START,
  Amount: wire('30.00'),
  Controls: { MaximumCumulativeNumberOfPaymentsPerPeriod: 2 },
})
const FIXED_PERIODIC = multi(
  { Type: 'FixedPeriodicSchedule', PeriodType: 'Month', PeriodStartDate: START, Amount: wire('30.00') },
  { MaximumCumulativeNumberOfPayments: 2 },
)
const VARIABLE_PERIODIC = multi(
  {
    Type: 'VariablePeriodicSchedule',
    PeriodType: 'Day',
    PeriodStartDate: START,
    MaximumIndividualAmount: wire('30.00'),
  },
  { MaximumCumulativeNumberOfPayments: 12 },
)
const FIXED_DATES = multi({
  Type: 'FixedDefinedSchedule',
  Schedule: [
    { PaymentExecutionDate: '2026-03-04', Amount: wire('10.00') },
    { PaymentExecutionDate: '2026-04-04', Amount: wire('20.00') },
  ],
})
const VARIABLE_DATES = multi({
  Type: 'VariableDefinedSchedule',
  Schedule: [{ PaymentExecutionDate: '2026-03-04', MaximumIndividualAmount: wire('10.00') }],
})
const DELEGATED = control({ IsDelegatedAuthentication: true, ConsentSchedule: {} })
const FILE_WIRE = { FileType: 'csv', FileHash: 'hash', NumberOfTransactions: 2, ControlSum: '25.50' }
const FILE = control({ ConsentSchedule: { FilePayment: FILE_WIRE } })
const DATED_FILE = control({
  ConsentSchedule: { FilePayment: { ...FILE_WIRE, RequestedExecutionDate: '2026-03-10' } },
})
const COMBINED = control({
  ConsentSchedule: {
    SinglePayment: { Type: 'SingleInstantPayment', Amount: wire('100.00') },
    MultiPayment: {
      PeriodicSchedule: {
        Type: 'VariableOnDemand',
        PeriodType: 'Month',
        PeriodStartDate: START,
        Controls: { MaximumIndividualAmount: wire('100.00'), MaximumCumulativeNumberOfPaymentsPerPeriod: 1 },
      },
    },
  },
})
const file = (parameters: ControlParameters, change: object = {}, on: string = START): Asked => {
  if (parameters.kind !== 'file') throw new Error('no file')
  return { kind: 'file', on: on as LocalDate, file: { ...parameters.file, ...change } }
}

type Case = readonly [string, ControlParameters, readonly Paid[], Asked, LimitFault | null]
const CASES: readonly Case[] = [
  ['single, exact', SINGLE, [], asks('100.00'), null],
  ['single, less', SINGLE, [], asks('99.99'), 'amount'],
  ['single, more', SINGLE, [], asks('100.01'), 'amount'],
  ['single, another currency', SINGLE, [], asks('100.00', START, 'USD'), 'currency'],
  ['single, again', SINGLE, [paid('100.00')], asks('100.00'), 'already-paid'],
  [
    'on demand, at the individual maximum',
    onDemand({ MaximumIndividualAmount: wire('50.00') }),
    [],
    asks('50.00'),
    null,
  ],
  ['on demand, above it', onDemand({ MaximumIndividualAmount: wire('50.00') }), [], asks('50.01'), 'amount-too-high'],
  [
    'on demand, another currency',
    onDemand({ MaximumIndividualAmount: wire('50.00') }),
    [],
    asks('1.00', START, 'USD'),
    'currency',
  ],
  [
    'on demand, before the start',
    onDemand({ MaximumIndividualAmount: wire('50.00') }),
    [],
    asks('1.00', '2026-03-03'),
    'too-early',
  ],
  [
    'on demand, up to the value of the period',
    onDemand({ MaximumCumulativeValueOfPaymentsPerPeriod: wire('100.00') }),
    [paid('60.00')],
    asks('40.00'),
    null,
  ],
  [
    'on demand, beyond it',
    onDemand({ MaximumCumulativeValueOfPaymentsPerPeriod: wire('100.00') }),
    [paid('60.00')],
    asks('40.01'),
    'period-value',
  ],
  [
    'on demand, in the next period',
    onDemand({ MaximumCumulativeValueOfPaymentsPerPeriod: wire('100.00') }),
    [paid('100.00', '2026-03-31')],
    asks('100.00', '2026-04-01'),
    null,
  ],
  [
    'on demand, number of the period',
    onDemand({ MaximumCumulativeNumberOfPaymentsPerPeriod: 2 }),
    [paid('1.00'), paid('1.00', '2026-03-05')],
    asks('1.00', '2026-03-31'),
    'period-number',
  ],
  [
    'on demand, value over the life',
    onDemand({ MaximumIndividualAmount: wire('50.00') }, { MaximumCumulativeValueOfPayments: wire('70.00') }),
    [paid('50.00')],
    asks('20.01', '2026-05-01'),
    'value',
  ],
  [
    'on demand, value over the life in another currency',
    onDemand({ MaximumCumulativeNumberOfPaymentsPerPeriod: 9 }, { MaximumCumulativeValueOfPayments: wire('70.00') }),
    [],
    asks('1.00', START, 'USD'),
    'currency',
  ],
  [
    'on demand, number over the life',
    onDemand({ MaximumIndividualAmount: wire('50.00') }, { MaximumCumulativeNumberOfPayments: 1 }),
    [paid('1.00')],
    asks('1.00', '2026-05-01'),
    'number',
  ],
  ['fixed on demand, exact', FIXED_ON_DEMAND, [paid('30.00')], asks('30.00'), null],
  ['fixed on demand, another amount', FIXED_ON_DEMAND, [], asks('29.99'), 'amount'],
  [
    'fixed on demand, third of the week',
    FIXED_ON_DEMAND,
    [paid('30.00'), paid('30.00')],
    asks('30.00', '2026-03-10'),
    'period-number',
  ],
  ['fixed on demand, next week', FIXED_ON_DEMAND, [paid('30.00'), paid('30.00')], asks('30.00', '2026-03-11'), null],
  ['periodic, again on its day', FIXED_PERIODIC, [paid('30.00')], asks('30.00'), 'period-taken'],
  ['periodic, on another day', FIXED_PERIODIC, [], asks('30.00', '2026-03-05'), 'not-on-this-date'],
  ['periodic, before the start', FIXED_PERIODIC, [], asks('30.00', '2026-02-04'), 'too-early'],
  ['periodic, next month', FIXED_PERIODIC, [paid('30.00')], asks('30.00', '2026-04-04'), null],
  [
    'periodic, next month, on another day',
    FIXED_PERIODIC,
    [paid('30.00')],
    asks('30.00', '2026-04-01'),
    'not-on-this-date',
  ],
  [
    'periodic, beyond the number',
    FIXED_PERIODIC,
    [paid('30.00'), paid('30.00', '2026-04-04')],
    asks('30.00', '2026-05-04'),
    'number',
  ],
  ['periodic, less than the maximum', VARIABLE_PERIODIC, [], asks('29.00'), null],
  ['periodic, more than the maximum', VARIABLE_PERIODIC, [], asks('30.01'), 'amount-too-high'],
  ['periodic, second of the day', VARIABLE_PERIODIC, [paid('1.00')], asks('1.00'), 'period-taken'],
  ['dates, on one', FIXED_DATES, [], asks('10.00'), null],
  ['dates, with the amount of another', FIXED_DATES, [], asks('20.00'), 'amount'],
  ['dates, between two', FIXED_DATES, [], asks('10.00', '2026-03-05'), 'not-on-this-date'],
  ['dates, twice', FIXED_DATES, [paid('10.00')], asks('10.00'), 'date-taken'],
  ['dates, up to the maximum', VARIABLE_DATES, [], asks('9.00'), null],
  ['dates, above the maximum', VARIABLE_DATES, [], asks('10.01'), 'amount-too-high'],
  ['delegated', DELEGATED, [paid('1.00')], asks('999999.00', START, 'USD'), null],
  ['file', FILE, [], file(FILE), null],
  ['file, again', FILE, [paid('25.50')], file(FILE), 'already-paid'],
  ['file, another hash', FILE, [], file(FILE, { fileHash: 'other' }), 'another-file'],
  ['file, another sum', FILE, [], file(FILE, { controlSum: '25.51' as Decimal }), 'another-file'],
  ['file, another number', FILE, [], file(FILE, { numberOfTransactions: 3 }), 'another-file'],
  ['file, with a reference', FILE, [], file(FILE, { fileReference: 'x' }), 'another-file'],
  ['file, on its day', DATED_FILE, [], file(DATED_FILE, {}, '2026-03-10'), null],
  ['file, after its day', DATED_FILE, [], file(DATED_FILE, {}, '2026-03-11'), 'date-passed'],
  ['money for a file', FILE, [], asks('25.50'), 'only-a-file'],
  ['a file for money', SINGLE, [], file(FILE), 'not-a-file'],
  ['a file for nothing agreed', DELEGATED, [], file(FILE), 'not-a-file'],
  ['combined, the single one', COMBINED, [], asks('100.00'), null],
  ['combined, the single amount again is one of the schedule', COMBINED, [paid('100.00')], asks('100.00'), null],
  ['combined, and no more', COMBINED, [paid('100.00'), paid('100.00')], asks('100.00'), 'period-number'],
  ['combined, one of the schedule first', COMBINED, [paid('5.00')], asks('100.00'), null],
]

describe('a further payment', () => {
  test.each(CASES)('%s', (_name, parameters, before, asked, fault) => {
    expect(limitFault(parameters, before, asked)).toBe(fault)
  })

  test('every fault is shown by a case', () => {
    const shown = new Set(CASES.map(([, , , , fault]) => fault).filter((fault) => fault !== null))
    expect([...shown].sort()).toEqual(Object.keys(LIMIT_FAULTS).sort())
  })
})

describe('whatever is asked for, in whatever order', () => {
  const cents = fc.integer({ min: 1, max: 6_000 }).map((amount) => (amount / 100).toFixed(2))
  const asked = fc.record({ amount: cents, after: fc.integer({ min: 0, max: 70 }) })
  const sum = (payments: readonly Paid[]): number =>
    payments.reduce((all, { money: { amount } }) => all + Math.round(Number(amount) * 100), 0)

  /** Days pass in order; what fits is paid. */
  const run = (
    parameters: ControlParameters,
    wanted: readonly { amount: string; after: number }[],
  ): readonly Paid[] => {
    const made: Paid[] = []
    for (const { amount, after } of wanted.toSorted((a, b) => a.after - b.after)) {
      const on = addDays(START, after)
      if (limitFault(parameters, made, asks(amount, on)) === null) made.push(paid(amount, on))
    }
    return made
  }

  test('what was paid exceeds nothing that was agreed on', () => {
    fc.assert(
      fc.property(
        fc.array(asked, { maxLength: 40 }),
        fc.constantFrom('Day', 'Week', 'Month', 'Year'),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 9 }),
        (wanted, PeriodType, perPeriod, number) => {
          const parameters = onDemand(
            {
              MaximumIndividualAmount: wire('45.00'),
              MaximumCumulativeValueOfPaymentsPerPeriod: wire('80.00'),
              MaximumCumulativeNumberOfPaymentsPerPeriod: perPeriod,
            },
            { MaximumCumulativeValueOfPayments: wire('150.00'), MaximumCumulativeNumberOfPayments: number },
            PeriodType,
          )
          const made = run(parameters, wanted)
          expect(made.length).toBeLessThanOrEqual(number)
          expect(sum(made)).toBeLessThanOrEqual(15_000)
          for (const { on, money: each } of made) {
            expect(Number(each.amount)).toBeLessThanOrEqual(45)
            const { period } = consumptionOf(
              parameters,
              made.filter((one) => one.on <= on),
              on,
            )
            expect(period?.number).toBeLessThanOrEqual(perPeriod)
            expect(Number(period?.value.amount)).toBeLessThanOrEqual(80)
          }
        },
      ),
    )
  })

  test('payments of a day count together as they do one by one', () => {
    const amount = fc.constantFrom('100.00', '30.00', '2.50')
    fc.assert(
      fc.property(
        fc.array(fc.record({ amount, after: fc.integer({ min: 0, max: 40 }) }), { maxLength: 30 }),
        fc.constantFrom(COMBINED, FIXED_ON_DEMAND, VARIABLE_PERIODIC, FIXED_DATES, SINGLE, DELEGATED),
        fc.record({ amount, after: fc.integer({ min: 0, max: 40 }) }),
        (before, parameters, next) => {
          const each = before
            .toSorted((a, b) => a.after - b.after)
            .map((one) => paid(one.amount, addDays(START, one.after)))
          const asked = asks(next.amount, addDays(START, next.after))
          expect(limitFault(parameters, byDays(each), asked)).toBe(limitFault(parameters, each, asked))
          expect(consumptionOf(parameters, byDays(each), START)).toEqual(consumptionOf(parameters, each, START))
          expect(spendingOf(parameters, byDays(each))).toEqual(spendingOf(parameters, each))
        },
      ),
    )
  })

  test('what is exhausted takes nothing more', () => {
    fc.assert(
      fc.property(
        fc.array(asked, { maxLength: 40 }),
        fc.constantFrom(FIXED_PERIODIC, FIXED_DATES, SINGLE),
        (wanted, parameters) => {
          const amounts = wanted.map((each) => ({ ...each, amount: parameters === SINGLE ? '100.00' : '30.00' }))
          const made = run(parameters, amounts)
          if (!isExhausted(parameters, spendingOf(parameters, made))) return
          for (const amount of ['10.00', '20.00', '30.00', '100.00']) {
            expect(limitFault(parameters, made, asks(amount, addDays(START, 90)))).not.toBeNull()
          }
        },
      ),
    )
  })
})

describe('what a consent says of its payments', () => {
  test('counts those of the running period apart', () => {
    const made = [paid('10.00', '2026-03-05'), paid('2.50', '2026-04-02')]
    const limits = onDemand({ MaximumIndividualAmount: wire('50.00') })
    expect(consumptionOf(limits, made, '2026-04-02' as LocalDate)).toEqual({
      number: 2,
      value: money('12.50'),
      period: { number: 1, value: money('2.50'), endsAt: startOfDay('2026-05-01' as LocalDate) },
    })
  })

  test('is nothing before the first, and has no period where none was agreed on', () => {
    expect(consumptionOf(SINGLE, [], START)).toEqual({ number: 0, value: money('0.00'), period: null })
    expect(consumptionOf(FIXED_DATES, [paid('10.00')], START)).toEqual({
      number: 1,
      value: money('10.00'),
      period: null,
    })
  })
})
