/** What the TPP's pages say of a consent: every kind, every schedule, what is used up, and who has yet to agree. */
import { expect, test } from 'vitest'
import { agreed, usedUp, wordsOf } from '../../sandbox/tpp/pages/words.ts'
import { PERMISSIONS } from '../../sandbox/tpp/permissions.ts'

const aed = (Amount: string) => ({ Amount, Currency: 'AED' })
const multi = (PeriodicSchedule: object, limits: object = {}) => ({ MultiPayment: { ...limits, PeriodicSchedule } })
const payments = (ConsentSchedule: object, rest: object = {}) =>
  wordsOf('payments', { ControlParameters: { ...rest, ConsentSchedule } })
const monthly = { PeriodType: 'Month', PeriodStartDate: '2026-12-01' }

test.each([
  [{ SinglePayment: { Type: 'SingleInstantPayment', Amount: aed('25.00') } }, ['One payment of AED 25.00, at once']],
  [
    multi(
      {
        Type: 'FixedOnDemand',
        ...monthly,
        Amount: aed('10.00'),
        Controls: { MaximumCumulativeNumberOfPaymentsPerPeriod: 2 },
      },
      { MaximumCumulativeValueOfPayments: aed('900.00') },
    ),
    [
      'AED 10.00 whenever you ask, from 2026-12-01 on',
      'No more than 2 payments a month',
      'No more than AED 900.00 in all',
    ],
  ],
  [
    multi({
      Type: 'VariableOnDemand',
      ...monthly,
      Controls: { MaximumIndividualAmount: aed('60.00'), MaximumCumulativeValueOfPaymentsPerPeriod: aed('120.00') },
    }),
    ['up to AED 60.00 whenever you ask, from 2026-12-01 on', 'No more than AED 120.00 a month'],
  ],
  [
    multi({ Type: 'VariableOnDemand', ...monthly, Controls: { MaximumCumulativeNumberOfPaymentsPerPeriod: 1 } }),
    ['any amount whenever you ask, from 2026-12-01 on', 'No more than 1 payment a month'],
  ],
  [
    multi(
      { Type: 'FixedPeriodicSchedule', ...monthly, Amount: aed('30.00') },
      { MaximumCumulativeNumberOfPayments: 12 },
    ),
    ['AED 30.00 every month from 2026-12-01 on', 'No more than 12 payments in all'],
  ],
  [
    multi({ Type: 'VariablePeriodicSchedule', ...monthly, MaximumIndividualAmount: aed('40.00') }),
    ['up to AED 40.00 every month from 2026-12-01 on'],
  ],
  [
    multi({
      Type: 'FixedDefinedSchedule',
      Schedule: [
        { PaymentExecutionDate: '2026-12-24', Amount: aed('15.00') },
        { PaymentExecutionDate: '2027-01-24', Amount: aed('16.00') },
      ],
    }),
    ['AED 15.00 on 2026-12-24', 'AED 16.00 on 2027-01-24'],
  ],
  [
    multi({
      Type: 'VariableDefinedSchedule',
      Schedule: [{ PaymentExecutionDate: '2026-12-24', MaximumIndividualAmount: aed('15.00') }],
    }),
    ['up to AED 15.00 on 2026-12-24'],
  ],
  [{ FilePayment: { NumberOfTransactions: 2, ControlSum: '25.50' } }, ['A file of 2 payments, AED 25.50 in all']],
])('a schedule: %j', (schedule, words) => {
  expect(payments(schedule)).toEqual(words)
})

test('payments that the app has confirmed', () => {
  expect(payments({}, { IsDelegatedAuthentication: true })).toEqual(['Payments that you confirm here, one by one'])
})

test('every permission has words, and one without them is shown by its code', () => {
  expect(wordsOf('accounts', { Permissions: PERMISSIONS })).toHaveLength(9)
  expect(wordsOf('accounts', { Permissions: ['ReadBalances', 'ReadMinds'] })).toEqual([
    'How much is on them',
    'ReadMinds',
  ])
  const Permissions = [
    { InsuranceType: 'Motor', Permissions: ['ReadInsurancePolicies', 'ReadCustomerClaims'] },
    { InsuranceType: 'Home', Permissions: ['ReadMinds'] },
  ]
  expect(wordsOf('insurance', { Permissions })).toEqual([
    'Motor insurance: policies, claims',
    'Home insurance: ReadMinds',
  ])
})

test('what is used up, in all and in the current period', () => {
  const used = { CumulativeNumberOfPayments: 3, CumulativeValueOfPayments: aed('130.00') }
  expect(usedUp({})).toBeNull()
  expect(usedUp({ PaymentConsumption: used })).toBe('3 payments, AED 130.00')
  const now = {
    CumulativeNumberOfPaymentsInCurrentPeriod: 1,
    CumulativeValueOfPaymentsInCurrentPeriod: aed('50.00'),
  }
  expect(usedUp({ PaymentConsumption: { ...used, ...now } })).toBe(
    '3 payments, AED 130.00; of these in the current period 1 payment, AED 50.00',
  )
})

test('who has yet to agree, where several must', () => {
  const of = (...statuses: readonly string[]) => ({
    Meta: { MultipleAuthorizers: { Authorizations: statuses.map((AuthorizationStatus) => ({ AuthorizationStatus })) } },
  })
  expect(agreed({})).toBeNull()
  expect(agreed(of('Approved'))).toBeNull()
  expect(agreed(of('Approved', 'Pending'))).toBe('1 of 2 have agreed')
})
