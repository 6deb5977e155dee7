/** What a pushed consent may ask for, to the millisecond and to the day of the Emirates (tpp-api 2.6, 2.7.2, 4.3). */
import { expect, test } from 'vitest'
import { type ConsentDetail, firstFault, RULES } from '../../../src/auth-server/rules/index.ts'
import { ACCOUNT_ACCESS, INSURANCE, SERVICE_INITIATION, type ServedRarType } from '../../../src/auth-server/served.ts'
import { type Instant, iso, toInstant } from '../../../src/clock.ts'
import type { Client } from '../../../src/participants/index.ts'

/** The last millisecond of a day of the Emirates, a year before a leap year. */
const NOW = toInstant('2027-02-28T19:59:59.999Z')
const TODAY = '2027-02-28'
const DAY_MS = 86_400_000
const from = (ms: number, at: Instant = NOW): string => iso((at + ms) as Instant)
const FORGIVEN_MS = 5 * 60_000
const YEAR = toInstant('2028-02-28T19:59:59.999Z')

const aed = (Amount: string, Currency = 'AED') => ({ Amount, Currency })
const multi = (PeriodicSchedule: object, more: object = {}) => ({
  ConsentSchedule: { MultiPayment: { ...more, PeriodicSchedule } },
})
const periodic = (PeriodStartDate: string) =>
  multi(
    { Type: 'FixedPeriodicSchedule', PeriodType: 'Day', PeriodStartDate, Amount: aed('1.00') },
    { MaximumCumulativeNumberOfPayments: 1 },
  )
const dates = (...days: readonly string[]) =>
  multi({
    Type: 'FixedDefinedSchedule',
    Schedule: days.map((PaymentExecutionDate) => ({ PaymentExecutionDate, Amount: aed('1.00') })),
  })
const file = (RequestedExecutionDate?: string) => ({
  ConsentSchedule: {
    FilePayment: {
      ...{ FileType: 'csv', FileHash: 'hash', NumberOfTransactions: 1, ControlSum: '1.00' },
      ...(RequestedExecutionDate === undefined ? {} : { RequestedExecutionDate }),
    },
  },
})
const single = (money = aed('1.00')) => ({ SinglePayment: { Type: 'SingleInstantPayment', Amount: money } })
const PAYMENT = {
  ...{ PaymentPurposeCode: 'ACM', PersonalIdentifiableInformation: 'a.b.c.d.e' },
  ControlParameters: { ConsentSchedule: single() },
}

function fault(type: ServedRarType, members: object, now = NOW): string {
  const ConsentId = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff'
  const more = type === SERVICE_INITIATION ? PAYMENT : {}
  const consent = { ConsentId, ExpirationDateTime: from(DAY_MS, now), ...more, ...members }
  const detail = { type, consent } as ConsentDetail
  const client = { webhookUris: [] } as unknown as Client
  return (
    firstFault(RULES[type], { detail, client, now, tenant: { paymentPurposeCodes: ['ACM'] }, base: null }) ?? 'none'
  )
}

type Case = readonly [name: string, members: object, fault: string, now?: Instant]

const ENDS: readonly (readonly [string, object, string])[] = [
  ['now', { ExpirationDateTime: from(0) }, 'consent.ExpirationDateTime is past'],
  ['a moment from now', { ExpirationDateTime: from(1) }, 'none'],
  ['in a year', { ExpirationDateTime: iso(YEAR) }, 'none'],
  ['in a year and what is forgiven', { ExpirationDateTime: from(FORGIVEN_MS, YEAR) }, 'none'],
  [
    'in a year and a moment more',
    { ExpirationDateTime: from(FORGIVEN_MS + 1, YEAR) },
    'consent.ExpirationDateTime is more than one year ahead',
  ],
]
const TYPES: readonly ServedRarType[] = [ACCOUNT_ACCESS, SERVICE_INITIATION, INSURANCE]
test.each(
  TYPES.flatMap((type) => ENDS.map((row) => [type, ...row] as const)),
)('%s, an end %s', (type, _name, members, expected) => {
  expect(fault(type, members)).toBe(expected)
})

const AUTHORIZE_BY = (ms: number, end: number) => ({
  AuthorizationExpirationDateTime: from(ms),
  ExpirationDateTime: from(end),
})
const START = 'consent.ControlParameters.ConsentSchedule.MultiPayment.PeriodicSchedule'
const PAYMENTS: readonly Case[] = [
  ['authorization by now', AUTHORIZE_BY(0, DAY_MS), 'consent.AuthorizationExpirationDateTime is past'],
  ['authorization until the end', AUTHORIZE_BY(DAY_MS, DAY_MS), 'none'],
  [
    'authorization until after the end',
    AUTHORIZE_BY(DAY_MS + 1, DAY_MS),
    'consent.AuthorizationExpirationDateTime is after consent.ExpirationDateTime',
  ],
  ['authorization for 30 days and what is forgiven', AUTHORIZE_BY(30 * DAY_MS + FORGIVEN_MS, 40 * DAY_MS), 'none'],
  [
    'authorization for more',
    AUTHORIZE_BY(30 * DAY_MS + FORGIVEN_MS + 1, 40 * DAY_MS),
    'consent.AuthorizationExpirationDateTime is more than 30 days ahead',
  ],
  ['a period from today', { ControlParameters: periodic(TODAY) }, 'none'],
  [
    'a period from what was today a moment ago',
    { ControlParameters: periodic(TODAY) },
    `${START}.PeriodStartDate is past`,
    (NOW + 1) as Instant,
  ],
  ['a period from the last day', { ControlParameters: periodic('2027-03-01') }, 'none'],
  [
    'a period from the day after the end',
    { ControlParameters: periodic('2027-03-02') },
    `${START}.PeriodStartDate is after consent.ExpirationDateTime`,
  ],
  ['a payment today and one on the last day', { ControlParameters: dates(TODAY, '2027-03-01') }, 'none'],
  [
    'a payment on what was today a moment ago',
    { ControlParameters: dates(TODAY, '2027-03-01') },
    `${START}.Schedule[0].PaymentExecutionDate is past`,
    (NOW + 1) as Instant,
  ],
  [
    'an end that is on the last date nowhere',
    { ControlParameters: dates(TODAY, '2027-03-03') },
    'consent.ExpirationDateTime must be on the last PaymentExecutionDate',
  ],
  ['a file, some day', { ControlParameters: file() }, 'none'],
  ['a file for tomorrow', { ControlParameters: file('2027-03-01') }, 'none'],
  [
    'a file for today',
    { ControlParameters: file(TODAY) },
    'consent.ControlParameters.ConsentSchedule.FilePayment.RequestedExecutionDate must be later than today',
  ],
  // 366 days from the first of March to the next, with a 29th of February between.
  ['a file for this day in a year', { ControlParameters: file('2028-03-01') }, 'none', (NOW + 1) as Instant],
  [
    'a file for the day after that',
    { ControlParameters: file('2028-03-02') },
    'consent.ControlParameters.ConsentSchedule.FilePayment.RequestedExecutionDate is more than one year ahead',
    (NOW + 1) as Instant,
  ],
  [
    'two currencies that go abroad together',
    {
      CurrencyRequest: {},
      ControlParameters: {
        ConsentSchedule: { ...single(aed('1.00', 'EUR')), ...periodic('2027-03-01').ConsentSchedule },
      },
    },
    `${START}.Amount.Currency must be the one of the other amounts`,
  ],
]
test.each(
  PAYMENTS.map(([name, members, expected, now = NOW]) => [name, members, expected, now] as const),
)('a payment consent with %s', (_name, members, expected, now) => {
  expect(fault(SERVICE_INITIATION, members, now)).toBe(expected)
})
