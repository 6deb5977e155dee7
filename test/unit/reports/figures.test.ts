/**
 * What is counted of consents, payments and times: by hand over a small log, and over any log as the verifier counts it,
 * which shares no line with the hub.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Accepted } from '../../../src/audit/index.ts'
import { createRecount } from '../../../src/audit/verifier/falaj-verify.ts'
import { callOf } from '../../../src/reports/call.ts'
import {
  type DatasetRow,
  datasetRows,
  REPORTED_SETS,
  sourceOf,
  type TalliedSet,
} from '../../../src/reports/dataset-rows.ts'
import { type Tallied, tally } from '../../../src/reports/datasets.ts'
import { type Rolled, rollUp } from '../../../src/reports/roll-up.ts'
import { type OperationDay, timeRows } from '../../../src/reports/time-rows.ts'
import {
  bucketOf,
  merged,
  parsed,
  percentile,
  RESOLUTION,
  timed,
  timesOf,
  written,
} from '../../../src/reports/times.ts'

type Entry = Readonly<Record<string, unknown>>
const [FIRST, LAST] = ['2026-03-01', '2026-03-03']
const lfi = { LfiId: 'lfi', LfiName: 'Aurora' }

const accepted = (entries: readonly Entry[]): readonly Accepted[] =>
  entries.map((entry, index) => ({ index, entry }) as unknown as Accepted)

function rowsOf(name: TalliedSet, tallied: readonly Tallied[]): readonly DatasetRow[] {
  const counted = tallied.filter(({ dataset }) => dataset === sourceOf(name))
  return datasetRows(name, counted, { first: FIRST, last: LAST, lfi })
}
function timesIn(entries: readonly Entry[]): readonly DatasetRow[] {
  const calls = accepted(entries).flatMap((one) => callOf(one) ?? [])
  const isMeant = ({ bucket }: Rolled) => bucket.grain === 'day' && bucket.door === 'rs' && bucket.route !== ''
  const days = Map.groupBy(rollUp(calls).filter(isMeant), ({ bucket: { startsAt, method, route } }) =>
    JSON.stringify({ startsAt, method, route }),
  )
  const operationDays = [...days].map(([key, rows]) => ({
    ...(JSON.parse(key) as Pick<OperationDay, 'startsAt' | 'method' | 'route'>),
    calls: rows.reduce((sum, { figures }) => sum + figures.calls, 0),
    overLimit: rows.reduce((sum, { figures }) => sum + figures.overLimit, 0),
  }))
  return timeRows(
    operationDays,
    timed(calls).filter(({ grain }) => grain === 'day'),
    lfi,
  )
}
/** Without what is nothing, so that a row can be read. */
const brief = (rows: readonly DatasetRow[]) =>
  rows.map(({ Dataset: _d, LfiId: _i, LfiName: _n, ...row }) =>
    Object.fromEntries(Object.entries(row).filter(([, value]) => value !== 0 && value !== '')),
  )

const consent = (at: string, change: string, more: Entry = {}): Entry => ({
  ...{ kind: 'consent-changed', at, change, organisationId: 'tpp-1', clientId: 'app-1' },
  ...{ consentType: 'account-access', standardVersion: 'v2.1', userType: 'Retail', purpose: 'TaxFiling' },
  ...{ isLargeCorporate: null, isRenewal: false, revokedBy: null, ...more },
})
const payment = (at: string, change: string, from: string | null, to: string, more: Entry = {}): Entry => ({
  ...{
    kind: 'resource-changed',
    resource: 'payment',
    at,
    change,
    from,
    to,
    organisationId: 'tpp-1',
    clientId: 'app-1',
  },
  ...{ paymentType: 'PushP2P', merchantId: null, paymentConsentType: 'FixedOnDemand', successfulTransactions: 0 },
  ...more,
})
const call = (at: string, more: Entry = {}): Entry => ({
  ...{ kind: 'tpp-call', at, surface: 'rs', apiSet: 'BankDataSharing', method: 'GET', route: '/accounts', status: 200 },
  ...{ organisationId: 'tpp-1', clientId: 'app-1', attended: false, records: 3, hubMs: 4, lfiMs: 20, lfiStatus: 200 },
  ...more,
})

describe('by hand', () => {
  // The day of the Gulf begins at 20:00Z.
  const log = [
    consent('2026-02-28T20:00:00.000Z', 'lodged'),
    consent('2026-03-01T19:59:59.999Z', 'lodged', { isRenewal: true }),
    consent('2026-03-01T20:00:00.000Z', 'authorize'),
    consent('2026-03-01T21:00:00.000Z', 'patched', { isLargeCorporate: true }),
    consent('2026-03-01T22:00:00.000Z', 'suspend', { isLargeCorporate: true }),
    consent('2026-03-01T22:00:01.000Z', 'resume', { isLargeCorporate: true }),
    consent('2026-03-01T23:00:00.000Z', 'revoke', { isLargeCorporate: true, revokedBy: 'LFI.InitiatedByUser' }),
    consent('2026-03-01T23:00:00.000Z', 'lodged', {
      organisationId: 'tpp-2',
      clientId: 'app-2',
      standardVersion: 'v2.10',
    }),
    consent('2026-03-01T23:00:00.000Z', 'lapse', {
      organisationId: 'tpp-2',
      clientId: 'app-2',
      standardVersion: 'v2.10',
    }),
    payment('2026-03-01T08:00:00.000Z', 'asked', null, 'open', { merchantId: 'm-1' }),
    payment('2026-03-01T08:00:01.000Z', 'unanswered', 'open', 'open', { merchantId: 'm-1' }),
    payment('2026-03-01T08:00:02.000Z', 'resumed', 'open', 'open', { merchantId: 'm-1' }),
    payment('2026-03-01T08:00:03.000Z', 'answered', 'open', 'Pending', { merchantId: 'm-1' }),
    payment('2026-03-02T08:00:00.000Z', 'patched', 'Pending', 'AcceptedWithoutPosting', {
      ...{ merchantId: 'm-1', successfulTransactions: 1 },
    }),
    payment('2026-03-02T08:00:01.000Z', 'patched', 'AcceptedWithoutPosting', 'AcceptedCreditSettlementCompleted', {
      merchantId: 'm-1',
    }),
    payment('2026-03-02T09:00:00.000Z', 'asked', null, 'open', {
      paymentType: null,
      paymentConsentType: 'FilePayment',
    }),
    payment('2026-03-02T09:00:01.000Z', 'answered', 'open', 'AcceptedSettlementCompleted', {
      ...{ paymentType: null, paymentConsentType: 'FilePayment', successfulTransactions: 17 },
    }),
    payment('2026-03-02T09:00:02.000Z', 'patched', 'AcceptedSettlementCompleted', 'AcceptedSettlementCompleted', {
      ...{ paymentType: null, paymentConsentType: 'FilePayment', successfulTransactions: -2 },
    }),
    payment('2026-03-02T10:00:00.000Z', 'answered', 'open', 'refused'),
    payment('2026-03-02T10:00:00.000Z', 'patched', 'open', 'Rejected'),
    { ...payment('2026-03-02T10:00:00.000Z', 'asked', null, 'Pending'), resource: 'fx-quote' },
    call('2026-03-01T08:00:00.000Z'),
    call('2026-03-01T09:00:00.000Z', { records: null, status: 404 }),
    call('2026-03-01T10:00:00.000Z', { attended: true }),
    call('2026-03-01T10:00:00.000Z', { attended: true, records: 40 }),
    call('2026-03-01T11:00:00.000Z', {
      route: '/payments',
      method: 'POST',
      paymentType: 'PushP2P',
      merchantId: 'm-1',
      records: 1,
    }),
    call('2026-03-01T11:00:00.000Z', { apiSet: null }),
    call('2026-03-01T11:00:00.000Z', { surface: 'as' }),
    // As the release before wrote them.
    { kind: 'consent-changed', at: '2026-03-03T08:00:00.000Z', change: 'revoke' },
    {
      kind: 'resource-changed',
      resource: 'payment',
      clientId: 'app-1',
      at: '2026-03-03T08:00:00.000Z',
      change: 'asked',
      from: null,
      to: 'open',
    },
  ]
  const of = (name: TalliedSet) => brief(rowsOf(name, tally(accepted(log))))
  const app = { TppId: 'tpp-1', TppClientId: 'app-1' }
  const two = { TppId: 'tpp-2', TppClientId: 'app-2' }

  test('consents', () => {
    const kind = { ConsentType: 'account-access', StandardVersion: 'v2.1', UserType: 'Retail', Purpose: 'TaxFiling' }
    const second = { ReportingPeriodDate: '2026-03-02', ...app, ...kind }
    const large = { IsLargeCorporate: 'true', Suspended: 1, Resumed: 1, Revoked: 1, RevokedByLfiForUser: 1 }
    expect(of('consents')).toEqual([
      { ReportingPeriodDate: '2026-03-01', ...app, ...kind, Lodged: 2, Renewals: 1 },
      { ...second, Authorized: 1 },
      { ...second, ...large },
      { ...second, ...two, StandardVersion: 'v2.10', Lodged: 1, Lapsed: 1 },
      { ReportingPeriodDate: '2026-03-03', Revoked: 1 },
    ])
  })

  test('payments', () => {
    const first = {
      ReportingPeriodDate: '2026-03-01',
      ...app,
      PaymentConsentType: 'FixedOnDemand',
      PaymentType: 'PushP2P',
    }
    const second = { ...first, ReportingPeriodDate: '2026-03-02' }
    expect(of('payments')).toEqual([
      { ...first, MerchantId: 'm-1', Asked: 1, Unanswered: 1, Pending: 1 },
      { ...second, MerchantId: 'm-1', Successful: 1, NumberOfSuccessfulTransactions: 1 },
      {
        ...{ ReportingPeriodDate: '2026-03-02', ...app, PaymentConsentType: 'FilePayment' },
        ...{ Asked: 1, Successful: 1, NumberOfSuccessfulTransactions: 15 },
      },
      { ...second, Refused: 1, Rejected: 1 },
      { ReportingPeriodDate: '2026-03-03', TppClientId: 'app-1', Asked: 1 },
    ])
  })

  test('billing', () => {
    const row = {
      ReportingPeriodDate: '2026-03-01',
      ...app,
      ApiSet: 'BankDataSharing',
      HttpMethod: 'GET',
      Url: '/accounts',
    }
    expect(of('billing')).toEqual([
      { ...row, HttpResponseCodeGroup: '2xx', IsAttended: 'false', TotalCalls: 1, Records: 3 },
      { ...row, HttpResponseCodeGroup: '4xx', IsAttended: 'false', TotalCalls: 1 },
      { ...row, HttpResponseCodeGroup: '2xx', IsAttended: 'true', TotalCalls: 2, Records: 43 },
      {
        ...{ ...row, HttpMethod: 'POST', Url: '/payments', HttpResponseCodeGroup: '2xx', IsAttended: 'false' },
        ...{ PaymentType: 'PushP2P', MerchantId: 'm-1', TotalCalls: 1, Records: 1 },
      },
    ])
  })

  test('versions, of which v2.10 is newer than v2.1', () => {
    const period = {
      PeriodStartDate: FIRST,
      PeriodEndDate: LAST,
      ConsentType: 'account-access',
      NewestVersion: 'v2.10',
    }
    expect(of('versions')).toEqual([
      { ...period, ...app, StandardVersion: 'v2.1', ConsentsCreated: 2 },
      { ...period, ...two, StandardVersion: 'v2.10', ConsentsCreated: 1 },
    ])
  })
})

describe('over any log', () => {
  const when = fc.integer({ min: Date.parse('2026-02-28T20:00Z'), max: Date.parse('2026-03-03T19:59Z') })
  const maybe = <T>(...values: readonly T[]) => fc.constantFrom(undefined, null, ...values)
  const states = ['open', 'refused', 'Pending', 'Rejected', 'AcceptedWithoutPosting', 'AcceptedSettlementCompleted']
  const moves = 'lodged authorize reject lapse suspend resume revoke expire consume patched linked'.split(' ')
  const who = { organisationId: maybe('tpp-1', 'tpp-2'), clientId: maybe('app-1', 'app-2') }
  const billed = { paymentType: maybe('PushP2P', 'Collection'), merchantId: maybe('m-1') }
  const entry: fc.Arbitrary<Entry> = fc.oneof(
    fc.record({
      ...{ kind: fc.constant('consent-changed'), change: fc.constantFrom(...moves), ...who },
      ...{ consentType: maybe('account-access', 'insurance'), standardVersion: maybe('v2.1', 'v2.9', 'v2.10', 'v3.0') },
      ...{ userType: maybe('Retail'), purpose: maybe('TaxFiling'), isLargeCorporate: maybe(true, false) },
      ...{ isRenewal: maybe(true, false), revokedBy: maybe('TPP', 'LFI', 'LFI.InitiatedByUser', 'nobody') },
    }),
    fc.record({
      ...{ kind: fc.constant('resource-changed'), resource: fc.constantFrom('payment', 'payment', 'fx-quote'), ...who },
      ...{ change: fc.constantFrom('asked', 'answered', 'unanswered', 'resumed', 'patched'), ...billed },
      ...{ from: maybe(...states), to: fc.constantFrom(...states), successfulTransactions: maybe(-1, 0, 1, 12) },
      ...{ paymentConsentType: maybe('FilePayment', 'SingleInstantPayment+FixedOnDemand') },
    }),
    fc.record({
      ...{ kind: fc.constantFrom('tpp-call', 'lfi-request'), surface: fc.constantFrom('rs', 'rs', 'as'), ...who },
      ...{
        apiSet: maybe('BankDataSharing'),
        route: maybe('/accounts'),
        method: fc.constantFrom('GET', 'POST'),
        ...billed,
      },
      ...{
        status: fc.constantFrom(200, 404, 502),
        attended: fc.boolean(),
        records: maybe(0, 7),
        hubMs: fc.constant(4),
      },
    }),
  )
  const log = fc.array(
    fc.tuple(entry, when).map(([one, at]) => ({ ...one, at: new Date(at).toISOString() }) as Entry),
    { maxLength: 60 },
  )
  const sorted = (rows: readonly object[]): readonly string[] =>
    rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort()

  test('the hub’s figures are the verifier’s', () => {
    fc.assert(
      fc.property(log, (entries) => {
        const tallied = tally(accepted(entries))
        expect(sorted(tally(accepted(entries.toReversed())))).toEqual(sorted(tallied))
        const recount = createRecount()
        for (const one of entries) recount.add(one, Date.parse(String(one['at'])))
        for (const name of REPORTED_SETS) {
          const rows = name === 'times' ? timesIn(entries) : rowsOf(name, tallied)
          const ours = rows.map(({ LfiId: _i, LfiName: _n, ...row }) => row)
          expect(sorted(ours), name).toEqual(sorted(recount.dataset(name, [FIRST, LAST])))
        }
      }),
      { numRuns: 400 },
    )
  })
})

describe('times', () => {
  const times = fc.array(fc.integer({ min: 0, max: 599_000_000 }), { minLength: 1, maxLength: 200 })

  test('a percentile of all calls is within its resolution, in whatever portions they were counted', () => {
    fc.assert(
      fc.property(times, fc.nat(200), fc.constantFrom(0.5, 0.95, 1), (all, cut, share) => {
        const [some, others] = [timesOf(all.slice(0, cut)), timesOf(all.slice(cut))]
        const kept = written(merged(some, others))
        expect(kept).toBe(written(merged(others, some)))
        expect(kept).toBe(written(timesOf(all)))
        const exact = all.toSorted((one, other) => one - other)[Math.ceil(all.length * share) - 1] ?? Number.NaN
        const told = percentile(parsed(kept), share) ?? Number.NaN
        expect(Math.abs(told - exact)).toBeLessThanOrEqual(RESOLUTION * exact)
      }),
    )
  })

  test('of no call there is none, and of what takes longer than the last bound it is that bound', () => {
    expect([percentile(timesOf([]), 0.95), written(parsed(''))]).toEqual([null, ''])
    const longest = bucketOf(Number.MAX_SAFE_INTEGER)
    expect([longest, bucketOf(700_000_000), bucketOf(0)]).toEqual([longest, longest, 0])
    expect(longest).toBeLessThan(256)
    expect(percentile(timesOf([3_600_000_000]), 0.95)).toBeGreaterThan(599_000_000)
  })
})
