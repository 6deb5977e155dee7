/** A consent as the TPP and as the LFI see it. Pure; the consent is taken as it stands (`atClock` is the reader's). */
import { type Instant, iso } from '../clock.ts'
import type { Consent, ConsentType, JsonObject } from './consent.ts'

/**
 * Pushed members that go back to the TPP, by name, so that nothing personal can slip through (tpp-api 4.7). Other
 * consent types add their row; PersonalIdentifiableInformation belongs to none.
 */
const ECHOED = {
  'account-access': [
    'ConsentId',
    'BaseConsentId',
    'Permissions',
    'ExpirationDateTime',
    'FromDate',
    'ToDate',
    'TransactionFromDateTime',
    'TransactionToDateTime',
    'AccountType',
    'AccountSubType',
    'OnBehalfOf',
    'OpenFinanceBilling',
  ],
  'service-initiation': [],
  insurance: [],
} as const satisfies Record<ConsentType, readonly string[]>

/** Names on the LFI's side (lfi-api 2.3). */
export const CONSENT_TYPE_NAMES = {
  'account-access': 'cbuae-account-access-consents',
  'service-initiation': 'cbuae-service-initiation-consents',
  insurance: 'cbuae-insurance-consents',
} as const satisfies Record<ConsentType, string>

export type TppConsentView = {
  readonly Data: JsonObject
  readonly Subscription?: NonNullable<Consent['subscription']>
  readonly Links: { readonly Self: string }
  readonly Meta: JsonObject
}

export function tppView(consent: Consent, links: { readonly self: string }): TppConsentView {
  return {
    Data: tppData(consent),
    ...(consent.subscription === null ? {} : { Subscription: consent.subscription }),
    Links: { Self: links.self },
    Meta: {},
  }
}

/** `Data` of the TPP's view; also what a webhook says (tpp-api 8.3). */
export function tppData(consent: Consent): JsonObject {
  return { ...stateOf(consent), StatusUpdateDateTime: iso(consent.statusChangedAt) }
}

/** The consent record of lfi-api 2.3; members that are not there yet are absent. */
export function lfiRecord(consent: Consent): JsonObject {
  return {
    id: consent.id,
    ...present('parId', consent.parId),
    rarType: consent.rarType,
    standardVersion: consent.rarType.slice(consent.rarType.lastIndexOf(':') + 1),
    consentGroupId: consent.baseConsentId ?? consent.id,
    requestUrl: consent.requestUrl,
    consentType: CONSENT_TYPE_NAMES[consent.type],
    status: consent.status,
    request: consent.request,
    requestHeaders: consent.requestHeaders,
    consentBody: {
      // The body of an account consent has no StatusUpdateDateTime on this side (lfi-api 9, row 41).
      Data: stateOf(consent),
      ...present('Subscription', consent.subscription),
    },
    ...present('interactionId', consent.interactionId),
    tpp: consent.tpp,
    updatedAt: consent.updatedAt,
    ...present('psuIdentifiers', consent.psu),
    ...(consent.accountIds.length === 0 ? {} : { accountIds: consent.accountIds }),
    ...present('supplementaryInformation', consent.supplementaryInformation),
    ...usageOf(consent),
    ...present('authorizationChannel', consent.channel),
  }
}

function stateOf(consent: Consent): JsonObject {
  const pushed = consent.request.consent
  const echoed = ECHOED[consent.type].filter((name) => pushed[name] !== undefined).map((name) => [name, pushed[name]])
  return {
    ...Object.fromEntries(echoed),
    ...billingOf(consent),
    Status: consent.status,
    ...(consent.status === 'Revoked' ? { RevokedBy: consent.revokedBy } : {}),
    CreationDateTime: iso(consent.createdAt),
  }
}

/** The LFI adds IsLargeCorporate to what the TPP said; it replaces nothing (lfi-api 2.4). */
function billingOf(consent: Consent): JsonObject {
  const billing = consent.request.consent['OpenFinanceBilling']
  if (consent.isLargeCorporate === null) return {}
  return { OpenFinanceBilling: { ...(billing as JsonObject | undefined), IsLargeCorporate: consent.isLargeCorporate } }
}

function usageOf(consent: Consent): JsonObject {
  const usage = {
    ...present('lastDataShared', time(consent.lastDataSharedAt)),
    ...present('lastServiceInitiationAttempt', time(consent.lastServiceInitiationAt)),
  }
  return Object.keys(usage).length === 0 ? {} : { consentUsage: usage }
}

const present = (name: string, value: unknown): JsonObject => (value === null ? {} : { [name]: value })
const time = (at: Instant | null): string | null => (at === null ? null : iso(at))
