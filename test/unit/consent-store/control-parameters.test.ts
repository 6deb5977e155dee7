import { describe, expect, it } from 'vitest'
import { amountsIn, parseControlParameters } from '../../../src/consent-store/control-parameters.ts'
import { isExhausted, type Spending } from '../../../src/consent-store/exhausted.ts'
import type { LocalDate } from '../../../src/local-date.ts'
import { type Money, toMoney } from '../../../src/money.ts'

const AED = (amount: string) => ({ Amount: amount, Currency: 'AED' })
const money = (amount: string): Money => {
  const found = toMoney(AED(amount))
  if (found === null) throw new Error(`${amount} is no amount`)
  return found
}
const day = (text: string) => text as LocalDate
const PERIOD = { PeriodType: 'Month', PeriodStartDate: '2026-12-01' }
const period = { type: 'Month', startDate: '2026-12-01' }
const SINGLE = { SinglePayment: { Type: 'SingleInstantPayment', Amount: AED('100.00') } }
const FILE = {
  FilePayment: { FileType: 'csv', FileHash: 'aGFzaA==', NumberOfTransactions: 3, ControlSum: '30.00' },
}
const multi = (PeriodicSchedule: object, lifetime: object = {}) => ({ MultiPayment: { ...lifetime, PeriodicSchedule } })
const parse = (ConsentSchedule: object | undefined, delegated?: boolean) =>
  parseControlParameters({
    ...(delegated === undefined ? {} : { IsDelegatedAuthentication: delegated }),
    ...(ConsentSchedule === undefined ? {} : { ConsentSchedule }),
  })

const SCHEDULES = {
  VariableOnDemand: multi(
    { Type: 'VariableOnDemand', ...PERIOD, Controls: { MaximumIndividualAmount: AED('50.00') } },
    { MaximumCumulativeValueOfPayments: AED('500.00') },
  ),
  FixedOnDemand: multi({
    Type: 'FixedOnDemand',
    ...PERIOD,
    Amount: AED('20.00'),
    Controls: { MaximumCumulativeNumberOfPaymentsPerPeriod: 2 },
  }),
  VariablePeriodicSchedule: multi(
    { Type: 'VariablePeriodicSchedule', ...PERIOD, MaximumIndividualAmount: AED('10.00') },
    { MaximumCumulativeNumberOfPayments: 12 },
  ),
  FixedPeriodicSchedule: multi(
    { Type: 'FixedPeriodicSchedule', ...PERIOD, Amount: AED('10.00') },
    { MaximumCumulativeNumberOfPayments: 12 },
  ),
  VariableDefinedSchedule: multi({
    Type: 'VariableDefinedSchedule',
    Schedule: [{ PaymentExecutionDate: '2026-12-01', MaximumIndividualAmount: AED('1.00') }],
  }),
  FixedDefinedSchedule: multi({
    Type: 'FixedDefinedSchedule',
    Schedule: [
      { PaymentExecutionDate: '2026-12-01', Amount: AED('1.00') },
      { PaymentExecutionDate: '2027-01-01', Amount: AED('2.00') },
    ],
  }),
}

describe('control parameters', () => {
  it('are read as what they permit', () => {
    expect(parse(SINGLE)).toEqual({
      ok: true,
      control: { kind: 'single', single: { type: 'SingleInstantPayment', amount: money('100.00') } },
    })
    expect(parse(SCHEDULES.VariableOnDemand)).toEqual({
      ok: true,
      control: {
        kind: 'multi',
        multi: {
          maximumValue: money('500.00'),
          maximumNumber: null,
          schedule: {
            type: 'VariableOnDemand',
            period,
            maximumAmount: money('50.00'),
            perPeriod: { value: null, number: null },
          },
        },
      },
    })
    expect(parse(SCHEDULES.FixedDefinedSchedule)).toMatchObject({
      control: {
        multi: {
          schedule: {
            dates: [
              { date: '2026-12-01', amount: money('1.00') },
              { date: '2027-01-01', amount: money('2.00') },
            ],
          },
        },
      },
    })
    expect(parse(FILE)).toEqual({
      ok: true,
      control: {
        kind: 'file',
        file: {
          fileType: 'csv',
          fileHash: 'aGFzaA==',
          fileReference: null,
          numberOfTransactions: 3,
          controlSum: '30.00',
          requestedExecutionDate: null,
        },
      },
    })
    expect(parse({}, true)).toEqual({ ok: true, control: { kind: 'delegated' } })
    expect(parse({ ...SINGLE, ...SCHEDULES.FixedOnDemand })).toMatchObject({ control: { kind: 'combined' } })
    for (const [type, schedule] of Object.entries(SCHEDULES)) {
      expect(parse(schedule, false)).toMatchObject({ control: { kind: 'multi', multi: { schedule: { type } } } })
    }
  })

  it.each([
    ['no schedule', parse(undefined), 'is required'],
    ['an empty one', parse({}), 'must hold a payment, unless authentication is delegated'],
    ['an empty one, not delegated', parse({}, false), 'must hold a payment, unless authentication is delegated'],
    ['a file beside a single payment', parse({ ...FILE, ...SINGLE }), 'holds FilePayment beside another payment'],
    [
      'a file beside several',
      parse({ ...FILE, ...SCHEDULES.FixedOnDemand }),
      'holds FilePayment beside another payment',
    ],
    [
      'a payment where authentication is delegated',
      parse(SINGLE, true),
      'must be empty where IsDelegatedAuthentication is true',
    ],
  ])('%s is none of the combinations', (_, found, fault) => {
    expect(found).toEqual({ ok: false, path: 'ConsentSchedule', fault })
  })

  it('name every amount in them', () => {
    const both = parse({ ...SINGLE, ...SCHEDULES.FixedDefinedSchedule })
    expect(both.ok && amountsIn(both.control).map(({ path, money: { amount } }) => [path, amount])).toEqual([
      ['SinglePayment.Amount', '100.00'],
      ['MultiPayment.PeriodicSchedule.Schedule[0].Amount', '1.00'],
      ['MultiPayment.PeriodicSchedule.Schedule[1].Amount', '2.00'],
    ])
  })
})

describe('a payment consent is used up', () => {
  const spent = (multi: Partial<Spending['multi']> = {}, single = false): Spending => ({
    single,
    multi: { number: 0, value: null, dates: new Set<LocalDate>(), ...multi },
  })
  const control = (schedule: object, delegated?: boolean) => {
    const result = parse(schedule, delegated)
    if (!result.ok) throw new Error(result.fault)
    return result.control
  }

  it.each([
    ['single, unpaid', SINGLE, spent(), false],
    ['single, paid', SINGLE, spent({}, true), true],
    ['file, unpaid', FILE, spent(), false],
    ['file, paid', FILE, spent({}, true), true],
    ['number below its limit', SCHEDULES.FixedPeriodicSchedule, spent({ number: 11 }), false],
    ['number at its limit', SCHEDULES.FixedPeriodicSchedule, spent({ number: 12 }), true],
    ['value below its limit', SCHEDULES.VariableOnDemand, spent({ number: 9, value: money('499.99') }), false],
    ['value at its limit', SCHEDULES.VariableOnDemand, spent({ number: 9, value: money('500.00') }), true],
    ['no limit over its life', SCHEDULES.FixedOnDemand, spent({ number: 99, value: money('9999.00') }), false],
    [
      'one date of two',
      SCHEDULES.FixedDefinedSchedule,
      spent({ number: 1, dates: new Set([day('2026-12-01')]) }),
      false,
    ],
    [
      'all dates',
      SCHEDULES.FixedDefinedSchedule,
      spent({ number: 2, dates: new Set([day('2026-12-01'), day('2027-01-01')]) }),
      true,
    ],
    ['combined, single alone', { ...SINGLE, ...SCHEDULES.FixedPeriodicSchedule }, spent({}, true), false],
    ['combined, the rest alone', { ...SINGLE, ...SCHEDULES.FixedPeriodicSchedule }, spent({ number: 12 }), false],
    ['combined, both', { ...SINGLE, ...SCHEDULES.FixedPeriodicSchedule }, spent({ number: 12 }, true), true],
  ])('%s: %#', (_, schedule, spending, used) => {
    expect(isExhausted(control(schedule), spending)).toBe(used)
  })

  it('never where authentication is delegated', () => {
    expect(isExhausted(control({}, true), spent({ number: 1000, value: money('99999.00') }, true))).toBe(false)
  })
})
