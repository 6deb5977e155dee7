import { describe, expect, test } from 'vitest'
import { toInstant } from '../../../src/clock.ts'
import { type Consent, STATUSES } from '../../../src/consent-store/consent.ts'
import { lfiRecord, tppView } from '../../../src/consent-store/views.ts'
import { loadSchemas } from '../../../src/schema-registry.ts'
import { consentIn, newConsentId, newInteractionId, RAR_TYPE, WEBHOOK } from './support.ts'

const registry = loadSchemas()
const ORIGIN = 'https://rs1.aurora.example'
const SECRETS = ['u-42', 'acc-1', 'north', 'extra', 'i-', 'grant-1', 'request_uri', 'user-agent']

/** Everything that a consent can hold. */
function full(status: (typeof STATUSES)[number]): Consent {
  const consent = consentIn(status)
  const subscription = { Webhook: { Url: WEBHOOK, IsActive: true } }
  return {
    ...consent,
    baseConsentId: newConsentId(),
    request: {
      ...consent.request,
      consent: {
        ...consent.request.consent,
        BaseConsentId: newConsentId(),
        FromDate: '2025-01-01',
        ToDate: '2026-01-01',
        AccountType: ['Retail'],
        AccountSubType: ['CurrentAccount'],
        OnBehalfOf: { TradingName: 'Wadi' },
        PersonalIdentifiableInformation: 'extra',
      },
      subscription,
    },
    psu: { userId: 'u-42', branch: 'north' },
    subscription,
    isLargeCorporate: false,
    supplementaryInformation: { note: 'extra' },
    parId: 'urn:ietf:params:oauth:request_uri:x',
    interactionId: newInteractionId(),
    requestHeaders: { 'user-agent': 'test' },
    lastDataSharedAt: toInstant('2026-03-01T07:00:00Z'),
  } as Consent
}

describe('for the TPP', () => {
  const check = registry.response('account-information', 'GetAccountAccessConsentsConsentId', 200)

  test.for(STATUSES.filter((status) => status !== 'Consumed'))('%s is as documented', (status) => {
    for (const consent of [consentIn(status), full(status)]) {
      const view = tppView(consent, ORIGIN, [])
      expect(check?.(view)).toEqual([])
      expect(view.Links.Self).toBe(
        `${ORIGIN}/open-finance/account-information/v2.1/account-access-consents/${consent.id}`,
      )
      expect(view.Data).toMatchObject({ Status: status, StatusUpdateDateTime: '2026-03-01T08:00:00.000Z' })
      expect('RevokedBy' in view.Data).toBe(status === 'Revoked')
    }
  })

  test('nothing of the user, the accounts, the LFI or the request comes back', () => {
    const text = JSON.stringify(tppView(full('Authorized'), ORIGIN, []))
    for (const secret of SECRETS) expect(text).not.toContain(secret)
  })

  test('the LFI adds to the billing and takes nothing from it', () => {
    expect(tppView(full('Authorized'), ORIGIN, []).Data['OpenFinanceBilling']).toEqual({
      UserType: 'Retail',
      Purpose: 'AccountAggregation',
      IsLargeCorporate: false,
    })
  })

  test('without a subscription there is none in the view', () => {
    expect('Subscription' in tppView(consentIn('Authorized'), ORIGIN, [])).toBe(false)
  })
})

describe('for the LFI', () => {
  const check = registry.response('consent-manager', 'getConsentsByConsentId', 200)

  test.for(STATUSES.filter((status) => status !== 'Consumed'))('%s is as documented', (status) => {
    for (const consent of [consentIn(status), full(status)]) {
      // The members that PAR refuses are not in a real request.
      const { PersonalIdentifiableInformation: _, ...pushed } = consent.request.consent
      const record = lfiRecord({ ...consent, request: { ...consent.request, consent: pushed } } as Consent, null)
      expect(check?.({ data: record, meta: {} })).toEqual([])
      expect(record).toMatchObject({
        id: consent.id,
        status,
        consentType: 'cbuae-account-access-consents',
        rarType: RAR_TYPE,
        standardVersion: 'v2.1',
        consentGroupId: consent.baseConsentId ?? consent.id,
        consentBody: { Data: { Status: status } },
        updatedAt: consent.updatedAt,
      })
    }
  })

  test('the body holds what PAR knows and nothing personal; the request is as it was received', () => {
    const consent = full('Authorized')
    const record = lfiRecord(consent, null)
    expect(JSON.stringify(record['consentBody'])).not.toContain('extra')
    expect(record['request']).toEqual(consent.request)
  })

  test('what has not happened yet is absent', () => {
    const consent = { ...consentIn('AwaitingAuthorization'), psu: null, accountIds: [], channel: null } as Consent
    expect(Object.keys(lfiRecord(consent, null)).sort()).toEqual([
      'consentBody',
      'consentGroupId',
      'consentType',
      'id',
      'rarType',
      'request',
      'requestHeaders',
      'requestUrl',
      'standardVersion',
      'status',
      'tpp',
      'updatedAt',
    ])
  })
})
