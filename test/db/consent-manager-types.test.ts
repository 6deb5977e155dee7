/** What the LFI may patch into payment and insurance consents, and what it is told when it may not (lfi-api 2.4). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/consent-store/index.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { openManager, recordOf, said, type TestManager } from '../unit/consent-store/manager.ts'
import { NOW } from '../unit/consent-store/support.ts'

let database: TestDatabase
let cm: TestManager
beforeAll(async () => {
  database = await createTestDatabase()
  cm = await openManager(database.db)
})
afterAll(async () => {
  await cm?.close()
  await database?.close()
})
beforeEach(() => cm.hub.clock.set(NOW))

const APP = { authorizationChannel: 'App' }
const CHARGE = { ChargeBearer: 'Shared', Type: 'Fees', Amount: { Amount: '1.00', Currency: 'AED' } }
const RATE = { UnitCurrency: 'AED', ExchangeRate: 3.67, RateType: 'Actual' }
const AUTHORIZERS = { TotalRequired: 2, Authorizations: [{ AuthorizerId: 'a', AuthorizationStatus: 'Approved' }] }
const AUTHORIZE = { ...APP, status: 'Authorized', psuIdentifiers: { userId: 'u-42' } }
const MALFORMED = '400 Body.InvalidFormat'
const BROKEN = '400 Consent.BusinessRuleViolation'

type Refused = readonly [what: string, body: JsonObject, code: string, reason: RegExp]

describe('a payment consent', () => {
  const lodge = (members: JsonObject = {}) => cm.hub.lodge({ type: 'service-initiation', members })

  test('takes what the LFI adds, each alone and all at once', async () => {
    const id = await lodge({ IsSingleAuthorization: false })
    for (const members of [
      { 'consentBody.Data.Charges': [{ ...CHARGE, Amount: { ...CHARGE.Amount, Note: 'for the LFI alone' } }] },
      { 'consentBody.Data.ExchangeRate': RATE },
      { 'consentBody.Meta.MultipleAuthorizers': AUTHORIZERS },
      { 'consentBody.Data.OpenFinanceBilling': { IsLargeCorporate: true } },
      { ConnectToken: 'abc.DEF-123==' },
      { accountIds: ['acc-7f1'], psuIdentifiers: { userId: 'u-42' } },
      { consentUsage: { lastServiceInitiationAttempt: '2026-02-01T00:00:00Z' } },
    ]) {
      expect([Object.keys(members), said(await cm.patch(id, { ...APP, ...members }))]).toEqual([
        Object.keys(members),
        '204',
      ])
    }
    const record = recordOf(await cm.call('GET', `/consents/${id}`))
    expect(record).toMatchObject({
      status: 'AwaitingAuthorization',
      ConnectToken: 'abc.DEF-123==',
      accountIds: ['acc-7f1'],
      consentUsage: { lastServiceInitiationAttempt: '2026-02-01T00:00:00.000Z' },
      consentBody: {
        Data: { Charges: [CHARGE], ExchangeRate: RATE, OpenFinanceBilling: { IsLargeCorporate: true } },
        Meta: AUTHORIZERS,
      },
    })
    expect(JSON.stringify(record)).not.toContain('for the LFI alone')
    const audit = (await cm.call('GET', `/consents/${id}/audit`)).text
    expect(audit).not.toContain('abc.DEF-123')
    const [row] = (await database.db('consent').where({ id }).select('connect_token')) as { connect_token: string }[]
    expect(row?.connect_token).toMatch(/^sealed:[\w-]+$/)
    expect(JSON.stringify(await database.db('consent_version').where({ consent_id: id }))).not.toContain('abc.DEF-123')
    const all = { 'consentBody.Data.Charges': [CHARGE], ConnectToken: 'x' }
    const agreed = { TotalRequired: 1, Authorizations: AUTHORIZERS.Authorizations }
    const body = { ...AUTHORIZE, ...all, 'consentBody.Meta.MultipleAuthorizers': agreed }
    expect(said(await cm.patch(id, body))).toBe('204')
    expect(recordOf(await cm.call('GET', `/consents/${id}`))).toMatchObject({ status: 'Authorized' })
  })

  const REFUSED: readonly Refused[] = [
    ['two accounts', { accountIds: ['a', 'b'] }, MALFORMED, /accountIds must name exactly one account/],
    ['policies', { insurancePolicyIds: ['p'] }, MALFORMED, /insurancePolicyIds is not known/],
    ['what was paid', { 'consentBody.Data.PaymentConsumption': {} }, MALFORMED, /PaymentConsumption.* is not known/],
    ['control parameters', { 'consentBody.Data.ControlParameters': {} }, MALFORMED, /is not known/],
    ['the context of a payment', { paymentContext: {} }, MALFORMED, /is not known/],
    [
      'charges without a bearer',
      { 'consentBody.Data.Charges': [{ ...CHARGE, ChargeBearer: 'Nobody' }] },
      MALFORMED,
      /must be one of/,
    ],
    [
      'a rate without a rate',
      { 'consentBody.Data.ExchangeRate': { ...RATE, ExchangeRate: undefined } },
      MALFORMED,
      /ExchangeRate/,
    ],
    [
      'an unknown decision',
      { 'consentBody.Meta.MultipleAuthorizers': { Authorizations: [{ AuthorizationStatus: 'Maybe' }] } },
      MALFORMED,
      /must be one of/,
    ],
    ['a token that is none', { ConnectToken: 'a b' }, MALFORMED, /ConnectToken must be a bearer token/],
    ['a token without end', { ConnectToken: 'a'.repeat(2049) }, MALFORMED, /ConnectToken must be a bearer token/],
    [
      'others, where one has to be enough',
      { 'consentBody.Meta.MultipleAuthorizers': AUTHORIZERS },
      BROKEN,
      /IsSingleAuthorization leaves no room/,
    ],
    ['an authorization without an account', AUTHORIZE, BROKEN, /needs at least one account/],
    ['an end as consumed before it began', { status: 'Consumed' }, BROKEN, /not in a state that allows this/],
  ]
  test.each(REFUSED)('refuses %s', async (_what, members, code, reason) => {
    const id = await lodge()
    const reply = await cm.patch(id, { ...APP, ...members })
    expect([said(reply), reply.body['errorMessage']]).toEqual([code, expect.stringMatching(reason)])
    expect((await cm.hub.traces(id)).trail).toHaveLength(1)
  })

  const OF_SEVERAL: readonly Refused[] = [
    ['nobody of nobody', { TotalRequired: 0 }, BROKEN, /names an authorizer twice, or no possible number/],
    ['half an authorizer', { TotalRequired: 1.5 }, BROKEN, /no possible number/],
    [
      'somebody twice',
      { Authorizations: [{ AuthorizerId: 'a' }, { AuthorizerId: 'a' }] },
      BROKEN,
      /names an authorizer twice/,
    ],
  ]
  test.each(OF_SEVERAL)('of several refuses %s', async (_what, authorizers, code, reason) => {
    const id = await lodge({ IsSingleAuthorization: false })
    const reply = await cm.patch(id, { ...APP, 'consentBody.Meta.MultipleAuthorizers': authorizers })
    expect([said(reply), reply.body['errorMessage']]).toEqual([code, expect.stringMatching(reason)])
  })

  test('of several is not authorized early, nor decided twice', async () => {
    const id = await lodge({ IsSingleAuthorization: false })
    const patch = (members: JsonObject) => cm.patch(id, { ...APP, ...members })
    const meta = (authorizers: JsonObject) => ({ 'consentBody.Meta.MultipleAuthorizers': authorizers })
    expect(said(await patch({ ...AUTHORIZE, accountIds: ['a'], ...meta(AUTHORIZERS) }))).toBe(BROKEN)
    expect(said(await patch({ ...AUTHORIZE, accountIds: ['a'] }))).toBe('204')
    const late = await patch(meta(AUTHORIZERS))
    expect([said(late), late.body['errorMessage']]).toEqual([
      BROKEN,
      'The authorizers of a decided consent do not change',
    ])
  })

  test('is consumed by the LFI, once it is authorized', async () => {
    const id = await lodge()
    expect(said(await cm.patch(id, { ...AUTHORIZE, accountIds: ['a'] }))).toBe('204')
    expect(said(await cm.patch(id, { ...APP, status: 'Consumed' }))).toBe('204')
    expect(said(await cm.patch(id, { ...APP, status: 'Authorized' }))).toBe(BROKEN)
    expect(recordOf(await cm.call('GET', `/consents/${id}`))).toMatchObject({ status: 'Consumed' })
  })
})

describe('an insurance consent', () => {
  const lodge = () => cm.hub.lodge({ type: 'insurance' })

  test('is authorized for policies, and found by them', async () => {
    const id = await lodge()
    expect(said(await cm.patch(id, { ...AUTHORIZE, insurancePolicyIds: ['policy-9'] }))).toBe('204')
    const found = await cm.call('GET', '/accounts/policy-9/consents?consentType=cbuae-insurance-consents')
    expect(found.body['data']).toMatchObject([{ id, insurancePolicyIds: ['policy-9'], accountIds: ['policy-9'] }])
    const others = await cm.call('GET', '/accounts/policy-9/consents?consentType=cbuae-service-initiation-consents')
    expect(others.body['data']).toEqual([])
  })

  const REFUSED: readonly Refused[] = [
    ['accounts', { accountIds: ['a'] }, MALFORMED, /accountIds is not known for a consent of this type/],
    ['no policy', { insurancePolicyIds: [] }, MALFORMED, /insurancePolicyIds/],
    ['a policy that is a path', { insurancePolicyIds: ['..'] }, MALFORMED, /insurancePolicyIds\[0\] must be 1 to 40/],
    ['charges', { 'consentBody.Data.Charges': [CHARGE] }, MALFORMED, /Charges is not known for a consent of this type/],
    ['a rate', { 'consentBody.Data.ExchangeRate': RATE }, MALFORMED, /ExchangeRate is not known for a consent of this/],
    [
      'authorizers',
      { 'consentBody.Meta.MultipleAuthorizers': AUTHORIZERS },
      MALFORMED,
      /is not known for a consent of this/,
    ],
    ['a token', { ConnectToken: 'x' }, MALFORMED, /ConnectToken is not known for a consent of this type/],
    ['policies beside charges', { insurancePolicyIds: ['p'], ConnectToken: 'x' }, MALFORMED, /./],
    ['an authorization without policies', AUTHORIZE, BROKEN, /needs at least one account/],
  ]
  test.each(REFUSED)('refuses %s', async (_what, members, code, reason) => {
    const id = await lodge()
    const reply = await cm.patch(id, { ...APP, ...members })
    expect([said(reply), reply.body['errorMessage']]).toEqual([code, expect.stringMatching(reason)])
    expect((await cm.hub.traces(id)).trail).toHaveLength(1)
  })

  test('is never consumed', async () => {
    const id = await lodge()
    await cm.patch(id, { ...AUTHORIZE, insurancePolicyIds: ['p'] })
    const reply = await cm.patch(id, { ...APP, status: 'Consumed' })
    expect([said(reply), reply.body['errorMessage']]).toEqual([BROKEN, 'A consent of this type is never consumed'])
  })
})

test('a renewal is found in its group, and ends with it', async () => {
  const root = await cm.hub.lodge({ type: 'service-initiation' })
  const renewal = await cm.hub.lodge({ type: 'service-initiation', members: { BaseConsentId: root } })
  const ids = async () => {
    const { body } = await cm.call('GET', `/consent-groups/${root}/consents`)
    return (body['data'] as readonly JsonObject[]).map(({ id, status }) => [id, status])
  }
  expect(new Set((await ids()).map(([id]) => id))).toEqual(new Set([root, renewal]))
  await cm.patch(root, { ...AUTHORIZE, accountIds: ['a'] })
  const other = await cm.patch(renewal, { ...AUTHORIZE, psuIdentifiers: { userId: 'u-43' }, accountIds: ['a'] })
  expect([said(other), other.body['errorMessage']]).toEqual([BROKEN, 'The consent continues one of another user'])
  // Because of that very user it may be turned down.
  const down = { ...APP, status: 'Rejected', psuIdentifiers: { userId: 'u-43' } }
  expect(said(await cm.patch(renewal, down))).toBe('204')
  const path = `/consent-groups/${root}/consents/action/revoke`
  expect(said(await cm.call('POST', path, { body: { revokedBy: 'LFI' } }))).toBe('204')
  expect(new Map((await ids()) as [string, string][])).toEqual(
    new Map([
      [root, 'Revoked'],
      [renewal, 'Rejected'],
    ]),
  )
})
