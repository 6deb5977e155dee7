import { describe, expect, test } from 'vitest'
import { type Instant, iso, plus, toInstant, toMilliseconds } from '../../../src/clock.ts'
import { atClock, type Consent, STATUSES } from '../../../src/consent-store/consent.ts'
import {
  type AuthorizationStatus,
  isCoherent,
  type MultipleAuthorizers,
  type PaymentConsumption,
  type PaymentTerms,
  termsOf,
  verdictOf,
} from '../../../src/consent-store/payment.ts'
import { lfiStep, type PaymentPatch, paymentStep, type Step } from '../../../src/consent-store/steps.ts'
import { difference } from '../../../src/consent-store/trail.ts'
import { lfiRecord, tppView } from '../../../src/consent-store/views.ts'
import type { TenantId } from '../../../src/ids.ts'
import { toMoney } from '../../../src/money.ts'
import { loadSchemas } from '../../../src/schema-registry.ts'
import { createSealedTokens, type SealedToken } from '../../../src/sealed-token.ts'
import { newAuditKey } from '../../support/audit-key.ts'
import {
  AUTHORIZE_BY,
  consentIn,
  EXPIRES_AT,
  insuranceRar,
  JWE,
  lfiPatch,
  NOW,
  newConsentId,
  PAYMENT_TYPE,
  paymentRar,
  WEBHOOK,
} from './support.ts'

const DAY_MS = 86_400_000
const ORIGIN = 'https://rs1.aurora.example'
const registry = loadSchemas()
const statuses = (...all: readonly AuthorizationStatus[]): MultipleAuthorizers => ({
  TotalRequired: 2,
  Authorizations: all.map((AuthorizationStatus, at) => ({ AuthorizerId: `a${at}`, AuthorizationStatus })),
})
const outcome = (step: Step): string =>
  step === null ? 'nothing' : step.ok ? `${step.change} ${step.next.status}` : step.refusal
const next = (step: Step): Consent => {
  if (step === null || !step.ok) throw new Error(outcome(step))
  return step.next
}
const termsIn = (consent: Consent): PaymentTerms => {
  if (consent.type !== 'service-initiation') throw new Error('not a payment consent')
  return consent.payment
}
const TOKENS = createSealedTokens({
  id: 'aurora' as TenantId,
  keys: { signing: [], encryption: [], store: null, audit: newAuditKey() },
})
const SEALED = 'sealed:x' as SealedToken
const NOTHING: PaymentPatch = { authorizers: null, charges: null, exchangeRate: null, connectToken: null }
const money = (amount: string) => {
  const found = toMoney({ Amount: amount, Currency: 'AED' })
  if (found === null) throw new Error('no amount')
  return found
}

describe('several authorizers', () => {
  test.each<[MultipleAuthorizers, string]>([
    [{}, 'pending'],
    [{ TotalRequired: 1 }, 'pending'],
    [statuses('Approved'), 'pending'],
    [statuses('Approved', 'Pending'), 'pending'],
    [statuses('Approved', 'Approved'), 'approved'],
    [statuses('Approved', 'Approved', 'Pending'), 'approved'],
    [statuses('Approved', 'Approved', 'Rejected'), 'rejected'],
    [{ Authorizations: [{ AuthorizationStatus: 'Approved' }] }, 'approved'],
    [{ Authorizations: [{ AuthorizationStatus: 'Approved' }, {}] }, 'pending'],
  ])('%j is %s', (authorizers, verdict) => {
    expect(verdictOf(authorizers)).toBe(verdict)
  })

  test.each<[MultipleAuthorizers, boolean]>([
    [statuses('Approved', 'Pending'), true],
    [{}, true],
    [{ TotalRequired: 0 }, false],
    [{ TotalRequired: 1.5 }, false],
    [{ TotalRequired: 101 }, false],
    [{ Authorizations: [{ AuthorizerId: 'a' }, { AuthorizerId: 'a' }] }, false],
    [{ Authorizations: Array.from({ length: 101 }, () => ({})) }, false],
  ])('%j adds up: %s', (authorizers, does) => {
    expect(isCoherent(authorizers)).toBe(does)
  })

  const several = (members: object = {}) =>
    consentIn('AwaitingAuthorization', {
      type: 'service-initiation',
      members: { IsSingleAuthorization: false, ...members },
    })
  const patched = (consent: Consent, authorizers: MultipleAuthorizers, now: Instant = NOW) =>
    lfiStep(consent, lfiPatch({ payment: { ...NOTHING, authorizers } }), now)

  test('the last who approves authorizes, the first who rejects ends it', () => {
    const first = next(patched(several(), statuses('Approved', 'Pending')))
    expect(first.status).toBe('AwaitingAuthorization')
    expect(outcome(patched(first, statuses('Approved', 'Approved')))).toBe('authorize Authorized')
    expect(outcome(patched(first, statuses('Approved', 'Rejected')))).toBe('reject Rejected')
    expect(outcome(lfiStep(first, lfiPatch({ status: 'Authorized' }), NOW))).toBe('authorizers-pending')
    expect(outcome(lfiStep(first, lfiPatch({ status: 'Rejected' }), NOW))).toBe('reject Rejected')
  })

  test('without any, one is enough, though several might have been needed', () => {
    expect(outcome(lfiStep(several(), lfiPatch({ status: 'Authorized' }), NOW))).toBe('authorize Authorized')
  })

  test('the window is that of the first, then that of all of them', () => {
    expect(several().authorizeBy).toBe(AUTHORIZE_BY)
    const windowAfter = (members: object) =>
      next(patched(several(members), statuses('Approved', 'Pending'))).authorizeBy
    expect(windowAfter({})).toBe(plus(NOW, toMilliseconds(30 * DAY_MS)))
    const asked = plus(NOW, toMilliseconds(9 * DAY_MS))
    expect(windowAfter({ AuthorizationExpirationDateTime: iso(asked) })).toBe(asked)
    const first = next(patched(several(), statuses('Approved', 'Pending')))
    expect(next(patched(first, statuses('Pending', 'Approved'))).authorizeBy).toBe(first.authorizeBy)
    expect(atClock(first, AUTHORIZE_BY).status).toBe('AwaitingAuthorization')
    expect(atClock(first, first.authorizeBy)).toMatchObject({ status: 'Rejected', rejectedFor: 'lapsed' })
    expect(outcome(patched(several(), statuses('Approved', 'Pending'), AUTHORIZE_BY))).toBe('lapsed')
    const short = { ...several(), expiresAt: plus(NOW, toMilliseconds(DAY_MS)) } as Consent
    expect(next(patched(short, statuses('Approved', 'Pending'))).authorizeBy).toBe(short.expiresAt)
  })

  test('are counted in the history, not named', () => {
    const before = several()
    const { changed, patch } = difference(before, next(patched(before, statuses('Approved', 'Pending'))))
    expect(changed).toEqual(['consentBody.Meta.MultipleAuthorizers'])
    expect(patch).toEqual({ 'consentBody.Meta.MultipleAuthorizers': 'pending' })
  })
})

describe('what was paid', () => {
  const consumption: PaymentConsumption = {
    number: 2,
    value: money('30.00'),
    period: { number: 1, value: money('10.00'), endsAt: plus(NOW, toMilliseconds(DAY_MS)) },
  }
  const note = { consumption, isExhausted: false, attemptedAt: NOW }
  const paid = (status: (typeof STATUSES)[number], isExhausted: boolean) =>
    paymentStep(consentIn(status, { type: 'service-initiation' }), { ...note, isExhausted }, NOW)

  test('uses a consent up that could be paid under, and is noted under every other', () => {
    expect(outcome(paid('Authorized', true))).toBe('consume Consumed')
    expect(outcome(paid('Authorized', false))).toBe('patched Authorized')
    for (const status of ['Suspended', 'Revoked', 'Expired', 'Consumed'] as const) {
      expect(outcome(paid(status, true))).toBe(`patched ${status}`)
    }
    expect(outcome(paymentStep(consentIn('Authorized'), note, NOW))).toBe('never-consumed')
    expect(outcome(paymentStep(consentIn('Authorized', { type: 'insurance' }), note, NOW))).toBe('never-consumed')
  })

  test('is noted with the latest attempt', () => {
    const once = next(paid('Authorized', false))
    const later = plus(NOW, toMilliseconds(1000))
    const twice = next(paymentStep(once, { ...note, attemptedAt: null }, later))
    expect([termsIn(twice).consumption, twice.lastServiceInitiationAt]).toEqual([consumption, NOW])
    const other = next(paymentStep(twice, { ...note, attemptedAt: later }, later))
    expect(other.lastServiceInitiationAt).toBe(later)
  })

  test('belongs to its period until that is over', () => {
    const consent = next(paid('Authorized', false))
    const shown = (now: Instant) => tppView(atClock(consent, now), ORIGIN, []).Data['PaymentConsumption']
    expect(shown(NOW)).toEqual({
      CumulativeNumberOfPayments: 2,
      CumulativeValueOfPayments: { Amount: '30.00', Currency: 'AED' },
      CumulativeNumberOfPaymentsInCurrentPeriod: 1,
      CumulativeValueOfPaymentsInCurrentPeriod: { Amount: '10.00', Currency: 'AED' },
    })
    expect(shown(plus(NOW, toMilliseconds(DAY_MS)))).toMatchObject({
      CumulativeNumberOfPayments: 2,
      CumulativeNumberOfPaymentsInCurrentPeriod: 0,
      CumulativeValueOfPaymentsInCurrentPeriod: { Amount: '0.00', Currency: 'AED' },
    })
  })
})

describe('as it is seen', () => {
  const MEMBERS = {
    BaseConsentId: newConsentId(),
    IsSingleAuthorization: false,
    AuthorizationExpirationDateTime: '2026-03-20T00:00:00Z',
    Permissions: ['ReadRefundAccount'],
    CurrencyRequest: { ExtendedPurpose: 'tuition', CurrencyOfTransfer: 'EUR' },
    DebtorReference: 'rent',
    CreditorReference: 'rent',
    SponsoredTPPInformation: { Name: 'a', Identification: 'b' },
  }
  const full = (status: (typeof STATUSES)[number]): Consent => {
    const request = paymentRar(newConsentId(), MEMBERS)
    const subscription = { Webhook: { Url: WEBHOOK, IsActive: true } }
    return {
      ...consentIn(status, {
        type: 'service-initiation',
        members: MEMBERS,
        terms: {
          ...termsOf(request),
          authorization: { by: 'several', authorizers: statuses('Approved', 'Approved') },
          charges: [{ ChargeBearer: 'Shared', Type: 'Fees', Amount: { Amount: '1.00', Currency: 'AED' } }],
          exchangeRate: { UnitCurrency: 'AED', ExchangeRate: 3.67, RateType: 'Actual' },
          consumption: { number: 1, value: money('5.00'), period: null },
          connectToken: 'connect-secret' as SealedToken,
        },
      }),
      subscription,
      isLargeCorporate: true,
      supplementaryInformation: { note: 'extra' },
    } as Consent
  }
  const forTpp = registry.response('payment-consents', 'RetrievePaymentConsent', 200)
  const forLfi = registry.response('consent-manager', 'getConsentsByConsentId', 200)

  test.each(STATUSES)('a payment consent that is %s is as documented, on both sides', (status) => {
    for (const consent of [consentIn(status, { type: 'service-initiation' }), full(status)]) {
      const view = tppView(consent, ORIGIN, ['p-1'])
      expect(forTpp?.(view)).toEqual([])
      expect(JSON.stringify(view)).not.toMatch(/aGVhZGVy|Personal|connect-secret|u-42|acc-1|extra/)
      const record = lfiRecord(consent, TOKENS)
      expect(forLfi?.({ data: record, meta: {} })).toEqual([])
      expect(JSON.stringify(record['consentBody'])).not.toContain(JWE)
      expect(JSON.stringify(record['request'])).toContain(JWE)
    }
  })

  test('it tells where its payments are, and who has authorized', () => {
    const consent = full('Authorized')
    expect(tppView(consent, ORIGIN, ['pay/1', 'pay-2'])).toMatchObject({
      Data: { OpenFinanceBilling: { IsLargeCorporate: true }, Status: 'Authorized' },
      Links: {
        Self: `${ORIGIN}/open-finance/payment/v2.1/payment-consents/${consent.id}`,
        Related: [
          `${ORIGIN}/open-finance/payment/v2.1/payments/pay%2F1`,
          `${ORIGIN}/open-finance/payment/v2.1/payments/pay-2`,
        ],
      },
      Meta: { MultipleAuthorizers: statuses('Approved', 'Approved') },
    })
    expect(lfiRecord(consent, TOKENS)).toMatchObject({
      rarType: PAYMENT_TYPE,
      consentType: 'cbuae-service-initiation-consents',
      accountIds: ['acc-1'],
      ConnectToken: 'connect-secret',
      consentBody: { Meta: statuses('Approved', 'Approved') },
    })
  })

  test.each(STATUSES.filter((status) => status !== 'Consumed'))('an insurance consent that is %s, too', (status) => {
    const consent = consentIn(status, { type: 'insurance', members: { OnBehalfOf: { LegalName: 'x' } } })
    const view = tppView(consent, ORIGIN, [])
    expect(registry.response('insurance-consents', 'InsuranceConsentsByConsentId_read', 200)?.(view)).toEqual([])
    expect(view.Data).toMatchObject({ Permissions: insuranceRar(consent.id).consent['Permissions'], Status: status })
    const record = lfiRecord(consent, TOKENS)
    expect(forLfi?.({ data: record, meta: {} })).toEqual([])
    expect([record['insurancePolicyIds'], record['accountIds']]).toEqual([consent.accountIds, consent.accountIds])
    expect(record['consentType']).toBe('cbuae-insurance-consents')
  })

  test('what the LFI hides it says is hidden in the history as well', () => {
    const before = consentIn('Authorized', { type: 'service-initiation' })
    const after = next(lfiStep(before, lfiPatch({ payment: { ...NOTHING, connectToken: SEALED } }), NOW))
    expect(difference(before, after)).toEqual({ changed: ['ConnectToken'], patch: { ConnectToken: 'changed' } })
    expect(termsIn(after).connectToken).toBe(SEALED)
  })

  test('a consent past its end has the terms that it had', () => {
    const ended = atClock(full('Authorized'), toInstant(EXPIRES_AT))
    expect(tppView(ended, ORIGIN, [])).toMatchObject({ Data: { Status: 'Expired', Charges: [{ Type: 'Fees' }] } })
  })
})
