/**
 * Payment and insurance consents that are right, of every kind, and one-step corruptions of them with what the hub must
 * say. The clauses are those of our digest of the contract: tpp-api 2.5, 2.7, 2.7.1, 2.7.2, 2.8 and 2.9.
 */
import type { Json } from './jws.ts'
import { detailOf, type Push } from './tpp.ts'

export const SERVICE_INITIATION = 'urn:openfinanceuae:service-initiation-consent:v2.1'
export const INSURANCE = 'urn:openfinanceuae:insurance-consent:v2.1'
const DAY_MS = 86_400_000

/** Somebody's name is in there for all the hub knows. */
export const JWE = ['eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2R0NNIn0', 'a2V5', 'aXY', 'bGF5bGE', 'dGFn'].join('.')

/** A day of the Emirates, counted from today. */
export const day = (ahead: number): string =>
  new Date(Date.now() + 4 * 3_600_000 + ahead * DAY_MS).toISOString().slice(0, 10)
export const moment = (aheadMs: number): string => new Date(Date.now() + aheadMs).toISOString()
const money = (amount: string, currency = 'AED'): Json => ({ Amount: amount, Currency: currency })

export const SINGLE: Json = { SinglePayment: { Type: 'SingleInstantPayment', Amount: money('100.00') } }
const period = (): Json => ({ PeriodType: 'Month', PeriodStartDate: day(0) })
const multi = (PeriodicSchedule: Json, lifetime: Json = {}): Json => ({
  MultiPayment: { ...lifetime, PeriodicSchedule },
})
const NUMBER = { MaximumCumulativeNumberOfPayments: 12 }
const FILE = (): Json => ({
  FilePayment: {
    FileType: 'urn:example:salaries',
    FileHash: 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=',
    NumberOfTransactions: 3,
    ControlSum: '1000.00',
    RequestedExecutionDate: day(3),
  },
})

export type Kind =
  | 'SingleInstantPayment'
  | 'VariableOnDemand'
  | 'FixedOnDemand'
  | 'VariablePeriodicSchedule'
  | 'FixedPeriodicSchedule'
  | 'VariableDefinedSchedule'
  | 'FixedDefinedSchedule'
  | 'Combined'
  | 'Delegated'
  | 'File'

const onDates = (): Json => ({ ExpirationDateTime: `${day(20)}T23:59:59+04:00` })
/** ControlParameters, and what goes with them. */
export const KINDS: Readonly<Record<Kind, () => { readonly control: Json; readonly members?: Json }>> = {
  SingleInstantPayment: () => ({ control: { ConsentSchedule: SINGLE } }),
  VariableOnDemand: () => ({
    control: {
      ConsentSchedule: multi({
        Type: 'VariableOnDemand',
        ...period(),
        Controls: { MaximumIndividualAmount: money('50.00'), MaximumCumulativeNumberOfPaymentsPerPeriod: 2 },
      }),
    },
  }),
  FixedOnDemand: () => ({
    control: {
      IsDelegatedAuthentication: false,
      ConsentSchedule: multi(
        {
          Type: 'FixedOnDemand',
          ...period(),
          Amount: money('20.00'),
          Controls: { MaximumCumulativeValueOfPaymentsPerPeriod: money('40.00') },
        },
        { MaximumCumulativeValueOfPayments: money('400.00') },
      ),
    },
  }),
  VariablePeriodicSchedule: () => ({
    control: {
      ConsentSchedule: multi(
        { Type: 'VariablePeriodicSchedule', ...period(), MaximumIndividualAmount: money('30.00') },
        NUMBER,
      ),
    },
  }),
  FixedPeriodicSchedule: () => ({
    control: {
      ConsentSchedule: multi({ Type: 'FixedPeriodicSchedule', ...period(), Amount: money('30.00') }, NUMBER),
    },
  }),
  VariableDefinedSchedule: () => ({
    control: {
      ConsentSchedule: multi({
        Type: 'VariableDefinedSchedule',
        Schedule: [
          { PaymentExecutionDate: day(20), MaximumIndividualAmount: money('10.00') },
          { PaymentExecutionDate: day(0), MaximumIndividualAmount: money('20.00') },
        ],
      }),
    },
    members: onDates(),
  }),
  FixedDefinedSchedule: () => ({
    control: {
      ConsentSchedule: multi({
        Type: 'FixedDefinedSchedule',
        Schedule: [
          { PaymentExecutionDate: day(0), Amount: money('10.00') },
          { PaymentExecutionDate: day(20), Amount: money('10.00') },
        ],
      }),
    },
    members: onDates(),
  }),
  Combined: () => ({
    control: {
      ConsentSchedule: {
        ...SINGLE,
        ...multi({ Type: 'FixedPeriodicSchedule', ...period(), Amount: money('30.00') }, NUMBER),
      },
    },
  }),
  Delegated: () => ({ control: { IsDelegatedAuthentication: true, ConsentSchedule: {} } }),
  File: () => ({ control: { ConsentSchedule: FILE() } }),
}

/** Turns a push for accounts into one for payments. */
export function forPayment(push: Push, kind: Kind = 'SingleInstantPayment', members: Json = {}): void {
  const { control, members: own = {} } = structuredClone(KINDS[kind]())
  push.request.claims['scope'] = 'openid payments'
  push.request.claims['authorization_details'] = [
    {
      type: SERVICE_INITIATION,
      consent: {
        ConsentId: push.consentId,
        ExpirationDateTime: moment(30 * DAY_MS),
        PaymentPurposeCode: 'ACM',
        PersonalIdentifiableInformation: JWE,
        ControlParameters: control,
        ...own,
        ...members,
      },
    },
  ]
}

export function forInsurance(push: Push, members: Json = {}): void {
  push.request.claims['scope'] = 'openid insurance'
  push.request.claims['authorization_details'] = [
    {
      type: INSURANCE,
      consent: {
        ConsentId: push.consentId,
        Permissions: [
          { InsuranceType: 'Motor', Permissions: ['ReadInsurancePolicies', 'ReadCustomerBasic'] },
          { InsuranceType: 'Travel', Permissions: ['ReadInsurancePolicies'] },
        ],
        ExpirationDateTime: moment(30 * DAY_MS),
        OpenFinanceBilling: { Purpose: 'QuoteComparison' },
        ...members,
      },
    },
  ]
}

type Change = (push: Push) => void
export type PaymentCase = readonly [name: string, kind: Kind, change: Change, reason: RegExp]

const set =
  (name: string, value: unknown): Change =>
  (push) => {
    if (value === undefined) delete detailOf(push).consent[name]
    else detailOf(push).consent[name] = value
  }
const control = (push: Push): Json => detailOf(push).consent['ControlParameters'] as Json
const at = (push: Push, ...path: readonly (string | number)[]): Json =>
  path.reduce<unknown>((from, name) => (from as Json)[name], control(push)) as Json
const schedule = (push: Push): Json => at(push, 'ConsentSchedule', 'MultiPayment', 'PeriodicSchedule')
const inSchedule =
  (change: Json): Change =>
  (push) =>
    void Object.assign(schedule(push), change)
const inMulti =
  (change: Json): Change =>
  (push) =>
    void Object.assign(at(push, 'ConsentSchedule', 'MultiPayment'), change)
const without =
  (...path: readonly (string | number)[]): Change =>
  (push) => {
    delete at(push, ...path.slice(0, -1))[String(path.at(-1))]
  }
const entry =
  (index: number, change: Json): Change =>
  (push) =>
    void Object.assign(at(push, 'ConsentSchedule', 'MultiPayment', 'PeriodicSchedule', 'Schedule', index), change)
const PERIODIC = ['VariableOnDemand', 'FixedOnDemand', 'VariablePeriodicSchedule', 'FixedPeriodicSchedule'] as const
const DEFINED = ['VariableDefinedSchedule', 'FixedDefinedSchedule'] as const
const amountOf = (kind: Kind): string => (kind.startsWith('Variable') ? 'MaximumIndividualAmount' : 'Amount')

/** tpp-api 2.7.1: which parts go together. */
export const COMBINATIONS: readonly PaymentCase[] = [
  ['no schedule', 'SingleInstantPayment', without('ConsentSchedule'), /ConsentSchedule is required/],
  [
    'an empty schedule',
    'SingleInstantPayment',
    without('ConsentSchedule', 'SinglePayment'),
    /ConsentSchedule must hold a payment, unless authentication is delegated/,
  ],
  [
    'delegated authentication with a payment',
    'SingleInstantPayment',
    (push) => Object.assign(control(push), { IsDelegatedAuthentication: true }),
    /ConsentSchedule must be empty where IsDelegatedAuthentication is true/,
  ],
  [
    'an empty schedule without delegation',
    'Delegated',
    (push) => Object.assign(control(push), { IsDelegatedAuthentication: false }),
    /ConsentSchedule must hold a payment/,
  ],
  [
    'a file and a single payment',
    'File',
    (push) => Object.assign(at(push, 'ConsentSchedule'), structuredClone(SINGLE)),
    /ConsentSchedule holds FilePayment beside another payment/,
  ],
  [
    'a file and a schedule',
    'FixedPeriodicSchedule',
    (push) => Object.assign(at(push, 'ConsentSchedule'), FILE()),
    /ConsentSchedule holds FilePayment beside another payment/,
  ],
  [
    'a kind of payment that is none',
    'SingleInstantPayment',
    (push) => Object.assign(at(push, 'ConsentSchedule'), { Loan: {} }),
    /Loan is not known|Loan: is not known/,
  ],
  [
    'a type of schedule that is none',
    'FixedOnDemand',
    inSchedule({ Type: 'Whenever' }),
    /Type: must name one of the kinds/,
  ],
]

/** tpp-api 2.7.2, row by row. */
export const SCHEDULES: readonly PaymentCase[] = [
  ...PERIODIC.flatMap((kind): readonly PaymentCase[] => [
    ['a period that began yesterday', kind, inSchedule({ PeriodStartDate: day(-1) }), /PeriodStartDate is past/],
    ['a period after the end', kind, inSchedule({ PeriodStartDate: day(32) }), /PeriodStartDate is after consent\.Exp/],
    [
      'no period',
      kind,
      without('ConsentSchedule', 'MultiPayment', 'PeriodicSchedule', 'PeriodType'),
      /PeriodType: is req/,
    ],
    [
      'no start',
      kind,
      without('ConsentSchedule', 'MultiPayment', 'PeriodicSchedule', 'PeriodStartDate'),
      /PeriodStartDate: is/,
    ],
    ['a period that is none', kind, inSchedule({ PeriodType: 'Quarter' }), /PeriodType: must be one of Day, Week/],
    ['another currency', kind, foreign(kind), /Currency must be AED/],
  ]),
  ...(['VariableOnDemand', 'FixedOnDemand'] as const).flatMap((kind): readonly PaymentCase[] => [
    [
      'no controls',
      kind,
      without('ConsentSchedule', 'MultiPayment', 'PeriodicSchedule', 'Controls'),
      /Controls: is required/,
    ],
    ['controls that control nothing', kind, inSchedule({ Controls: {} }), /Controls: /],
    [
      'no payment in a period',
      kind,
      inSchedule({ Controls: { MaximumCumulativeNumberOfPaymentsPerPeriod: 0 } }),
      /MaximumCumulativeNumberOfPaymentsPerPeriod must be at least 1/,
    ],
    [
      'a limit of nothing',
      kind,
      inSchedule({ Controls: { MaximumCumulativeValueOfPaymentsPerPeriod: money('0.00') } }),
      /MaximumCumulativeValueOfPaymentsPerPeriod\.Amount must be more than nothing/,
    ],
  ]),
  [
    'a largest amount where it is fixed',
    'FixedOnDemand',
    inSchedule({ Controls: { MaximumIndividualAmount: money('1.00') } }),
    /MaximumIndividualAmount: is not known/,
  ],
  ...(['VariablePeriodicSchedule', 'FixedPeriodicSchedule'] as const).flatMap((kind): readonly PaymentCase[] => [
    [
      'no number of payments',
      kind,
      without('ConsentSchedule', 'MultiPayment', 'MaximumCumulativeNumberOfPayments'),
      new RegExp(`MaximumCumulativeNumberOfPayments is required with ${kind}`),
    ],
    [
      'controls',
      kind,
      inSchedule({ Controls: { MaximumCumulativeNumberOfPaymentsPerPeriod: 1 } }),
      /Controls: is not known/,
    ],
    [
      'a negative number of payments',
      kind,
      inMulti({ MaximumCumulativeNumberOfPayments: -1 }),
      /Payments must be at least 1/,
    ],
  ]),
  ...DEFINED.flatMap((kind): readonly PaymentCase[] => [
    [
      'a date twice',
      kind,
      entry(0, { PaymentExecutionDate: day(kind === 'FixedDefinedSchedule' ? 20 : 0) }),
      /Schedule repeats a date/,
    ],
    [
      'a date that is past',
      kind,
      entry(kind === 'FixedDefinedSchedule' ? 0 : 1, { PaymentExecutionDate: day(-1) }),
      /Schedule\[\d\]\.PaymentExecutionDate is past/,
    ],
    [
      'an end after the last date',
      kind,
      set('ExpirationDateTime', `${day(21)}T12:00:00+04:00`),
      /ExpirationDateTime must be on the last/,
    ],
    [
      'an end before the last date',
      kind,
      set('ExpirationDateTime', `${day(19)}T12:00:00+04:00`),
      /ExpirationDateTime must be on the last/,
    ],
    ['no date', kind, inSchedule({ Schedule: [] }), /Schedule: /],
    [
      '54 dates',
      kind,
      (push) =>
        inSchedule({
          Schedule: Array.from({ length: 54 }, (_, n) => ({
            PaymentExecutionDate: day(n),
            [amountOf(kind)]: money('1.00'),
          })),
        })(push),
      /Schedule: /,
    ],
    [
      'another currency',
      kind,
      entry(1, { [amountOf(kind)]: money('10.00', 'USD') }),
      /Schedule\[1\]\.\w+\.Currency must be AED/,
    ],
    [
      'an amount of nothing',
      kind,
      entry(0, { [amountOf(kind)]: money('0.00') }),
      /Schedule\[0\]\.\w+\.Amount must be more than nothing/,
    ],
    [
      'an entry without its amount',
      kind,
      without('ConsentSchedule', 'MultiPayment', 'PeriodicSchedule', 'Schedule', 0, amountOf(kind)),
      /Amount: is required/,
    ],
  ]),
  ['no amount', 'SingleInstantPayment', without('ConsentSchedule', 'SinglePayment', 'Amount'), /Amount: is required/],
  [
    'a single payment in dollars',
    'SingleInstantPayment',
    inSingle(money('1.00', 'USD')),
    /SinglePayment\.Amount\.Currency must be AED/,
  ],
  [
    'a single payment of nothing',
    'SingleInstantPayment',
    inSingle(money('0.00')),
    /SinglePayment\.Amount\.Amount must be more/,
  ],
  ['an amount with three places', 'SingleInstantPayment', inSingle(money('1.000')), /Amount: must match/],
  ['an amount as a number', 'SingleInstantPayment', inSingle({ Amount: 1, Currency: 'AED' }), /Amount: /],
  [
    'a lifetime limit in dollars',
    'FixedOnDemand',
    inMulti({ MaximumCumulativeValueOfPayments: money('9.00', 'USD') }),
    /MaximumCumulativeValueOfPayments\.Currency must be AED/,
  ],
  [
    'a combined payment in two currencies',
    'Combined',
    inSingle(money('1.00', 'USD')),
    /SinglePayment\.Amount\.Currency must be AED/,
  ],
  [
    'a combined payment that began yesterday',
    'Combined',
    inSchedule({ PeriodStartDate: day(-1) }),
    /PeriodStartDate is past/,
  ],
  [
    'a file for today',
    'File',
    inFile({ RequestedExecutionDate: day(0) }),
    /RequestedExecutionDate must be later than today/,
  ],
  [
    'a file for the year after next',
    'File',
    inFile({ RequestedExecutionDate: day(367) }),
    /RequestedExecutionDate is more than one year/,
  ],
  ['a file of nothing', 'File', inFile({ NumberOfTransactions: 0 }), /NumberOfTransactions must be at least 1/],
  ['a file without its hash', 'File', without('ConsentSchedule', 'FilePayment', 'FileHash'), /FileHash: is required/],
  ['a hash that is too long', 'File', inFile({ FileHash: 'x'.repeat(45) }), /FileHash: /],
]

function foreign(kind: Kind): Change {
  const name = kind === 'VariableOnDemand' ? 'Controls' : amountOf(kind)
  const value = money('5.00', 'USD')
  return inSchedule({ [name]: kind === 'VariableOnDemand' ? { MaximumIndividualAmount: value } : value })
}
function inSingle(amount: Json): Change {
  return (push) => void Object.assign(at(push, 'ConsentSchedule', 'SinglePayment'), { Amount: amount })
}
function inFile(change: Json): Change {
  return (push) => void Object.assign(at(push, 'ConsentSchedule', 'FilePayment'), change)
}

/** tpp-api 2.7, 4.3. */
export const MEMBERS: readonly PaymentCase[] = (
  [
    ['no PaymentPurposeCode', set('PaymentPurposeCode', undefined), /PaymentPurposeCode: is required/],
    ['a purpose that is not on the list', set('PaymentPurposeCode', 'QQQ'), /PaymentPurposeCode is not a purpose/],
    ['a purpose in small letters', set('PaymentPurposeCode', 'acm'), /PaymentPurposeCode: must match/],
    [
      'no personal information',
      set('PersonalIdentifiableInformation', undefined),
      /PersonalIdentifiableInformation: is req/,
    ],
    [
      'personal information in clear',
      set('PersonalIdentifiableInformation', { Initiation: {} }),
      /PersonalIdentifiableInformation: /,
    ],
    [
      'a JWS where a JWE belongs',
      set('PersonalIdentifiableInformation', 'a.b.c'),
      /must be a compact JWE of five parts/,
    ],
    [
      'a JWE of six parts',
      set('PersonalIdentifiableInformation', 'a.b.c.d.e.f'),
      /must be a compact JWE of five parts/,
    ],
    [
      'a JWE with an empty part',
      set('PersonalIdentifiableInformation', 'a.b.c..e'),
      /must be a compact JWE of five parts/,
    ],
    [
      'a JWE in another alphabet',
      set('PersonalIdentifiableInformation', 'a+.b.c.d.e'),
      /must be a compact JWE of five parts/,
    ],
    [
      'a JWE that is too long',
      set('PersonalIdentifiableInformation', `a.b.c.d.${'e'.repeat(32_768)}`),
      /longer than 32768/,
    ],
    ['an end that is past', set('ExpirationDateTime', moment(-DAY_MS)), /ExpirationDateTime is past/],
    ['an end beyond a year', set('ExpirationDateTime', moment(367 * DAY_MS)), /more than one year ahead/],
    [
      'authorization by yesterday',
      set('AuthorizationExpirationDateTime', moment(-DAY_MS)),
      /AuthorizationExpirationDateTime is past/,
    ],
    [
      'authorization after the end',
      set('AuthorizationExpirationDateTime', moment(31 * DAY_MS)),
      /AuthorizationExpirationDateTime is after/,
    ],
    [
      'authorization in 31 days',
      (push: Push) => {
        set('ExpirationDateTime', moment(60 * DAY_MS))(push)
        set('AuthorizationExpirationDateTime', moment(31 * DAY_MS))(push)
      },
      /AuthorizationExpirationDateTime is more than 30 days ahead/,
    ],
    [
      'a refund permission twice',
      set('Permissions', ['ReadRefundAccount', 'ReadRefundAccount']),
      /repeats a permission/,
    ],
    ['a permission of another type', set('Permissions', ['ReadTransactionsBasic']), /Permissions\[0\]: must be one of/],
    ['IsSingleAuthorization as text', set('IsSingleAuthorization', 'true'), /IsSingleAuthorization: /],
    ['billing, which is no member', set('OpenFinanceBilling', { Type: 'PushP2P' }), /OpenFinanceBilling: is not known/],
    ['a reference that is too long', set('DebtorReference', 'x'.repeat(36)), /DebtorReference: /],
    ['a sponsored TPP without its name', set('SponsoredTPPInformation', { Identification: 'x' }), /Name: is required/],
    [
      'BaseConsentId its own ConsentId',
      (push: Push) => set('BaseConsentId', push.consentId)(push),
      /is the ConsentId itself/,
    ],
    [
      'events to a stranger',
      (push: Push) => {
        detailOf(push)['subscription'] = { Webhook: { Url: 'https://stranger.example/events', IsActive: true } }
      },
      /subscription\.Webhook\.Url is not registered/,
    ],
  ] as const
).map(([name, change, reason]): PaymentCase => [name, 'SingleInstantPayment', change, reason])

export type ScopeCase = readonly [
  name: string,
  permissions: readonly string[] | undefined,
  scope: string,
  right: string,
]

/** tpp-api 2.5. */
export const SCOPES: readonly ScopeCase[] = [
  ['no permission, accounts beside', undefined, 'openid accounts payments', 'openid payments'],
  ['no permission, accounts instead', undefined, 'openid accounts', 'openid payments'],
  ['no permission, payments alone', undefined, 'payments', 'openid payments'],
  ['refund account, accounts beside', ['ReadRefundAccount'], 'openid accounts payments', 'openid payments'],
  ['accounts, without their scope', ['ReadAccountsBasic'], 'openid payments', 'openid accounts payments'],
  ['account details, without their scope', ['ReadAccountsDetail'], 'openid payments', 'openid accounts payments'],
  [
    'balances, without their scope',
    ['ReadAccountsBasic', 'ReadBalances'],
    'openid payments',
    'openid accounts payments',
  ],
  ['accounts, without the scope of payments', ['ReadAccountsBasic'], 'openid accounts', 'openid accounts payments'],
]

export type InsuranceCase = readonly [name: string, change: Change, reason: RegExp]
const motor = (...codes: readonly string[]): Json => ({ InsuranceType: 'Motor', Permissions: codes })

/** tpp-api 2.8. */
export const INSURANCES: readonly InsuranceCase[] = [
  ['no Permissions', set('Permissions', undefined), /Permissions: is required/],
  ['Permissions empty', set('Permissions', []), /Permissions: /],
  ['permissions that are plain text', set('Permissions', ['ReadInsurancePolicies']), /Permissions\[0\]: /],
  [
    'an unknown type of insurance',
    set('Permissions', [{ InsuranceType: 'Pet', Permissions: ['ReadInsurancePolicies'] }]),
    /InsuranceType: must be one of/,
  ],
  [
    'an unknown permission',
    set('Permissions', [motor('ReadEverything')]),
    /Permissions\[0\]\.Permissions\[0\]: must be one of/,
  ],
  ['a type without permissions', set('Permissions', [motor()]), /Permissions\[0\]\.Permissions: /],
  [
    'a type twice',
    set('Permissions', [motor('ReadInsurancePolicies'), motor('ReadCustomerBasic')]),
    /repeats an InsuranceType/,
  ],
  [
    'a permission twice',
    set('Permissions', [motor('ReadInsurancePolicies', 'ReadInsurancePolicies')]),
    /Permissions\[0\]\.Permissions repeats a permission/,
  ],
  ['no OpenFinanceBilling', set('OpenFinanceBilling', undefined), /OpenFinanceBilling: is required/],
  ['a UserType', set('OpenFinanceBilling', { UserType: 'Retail', Purpose: 'Other' }), /UserType: is not known/],
  ['an unknown Purpose', set('OpenFinanceBilling', { Purpose: 'Curiosity' }), /Purpose: must be one of/],
  ['an end that is past', set('ExpirationDateTime', moment(-1000)), /ExpirationDateTime is past/],
  ['an end beyond a year', set('ExpirationDateTime', moment(367 * DAY_MS)), /more than one year ahead/],
  ['a member of account consents', set('FromDate', '2026-01-01'), /FromDate: is not known/],
  ['control parameters', set('ControlParameters', { ConsentSchedule: SINGLE }), /ControlParameters: is not known/],
  ['ConsentId not a UUID', set('ConsentId', 'consent-1'), /ConsentId: /],
]
