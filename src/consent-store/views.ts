/** A consent as the TPP and as the LFI see it. Pure; the consent is taken as it stands (`atClock` is the reader's). */
import { type Instant, iso } from '../clock.ts'
import type { SealedTokens } from '../sealed-token.ts'
import type { Consent, ConsentType, JsonObject, PaymentConsent } from './consent.ts'
import { authorizersOf, wireConsumption } from './payment.ts'

/**
 * Pushed members that go back to the TPP, by name, so that nothing personal can slip through (tpp-api 4.7).
 * PersonalIdentifiableInformation belongs to no type.
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
  'service-initiation': [
    'ConsentId',
    'BaseConsentId',
    'IsSingleAuthorization',
    'AuthorizationExpirationDateTime',
    'ExpirationDateTime',
    'Permissions',
    'CurrencyRequest',
    'ControlParameters',
    'DebtorReference',
    'CreditorReference',
    'PaymentPurposeCode',
    'SponsoredTPPInformation',
  ],
  insurance: ['ConsentId', 'BaseConsentId', 'Permissions', 'ExpirationDateTime', 'OnBehalfOf', 'OpenFinanceBilling'],
} as const satisfies Record<ConsentType, readonly string[]>

/** Names on the LFI's side (lfi-api 2.3). */
export const CONSENT_TYPE_NAMES = {
  'account-access': 'cbuae-account-access-consents',
  'service-initiation': 'cbuae-service-initiation-consents',
  insurance: 'cbuae-insurance-consents',
} as const satisfies Record<ConsentType, string>

/** Where a TPP reads a consent, below the origin of the gateway. */
const RESOURCES = {
  'account-access': '/open-finance/account-information/v2.1/account-access-consents',
  'service-initiation': '/open-finance/payment/v2.1/payment-consents',
  insurance: '/open-finance/insurance/v2.1/insurance-consents',
} as const satisfies Record<ConsentType, string>

export type TppConsentView = {
  readonly Data: JsonObject
  readonly Subscription?: NonNullable<Consent['subscription']>
  readonly Links: { readonly Self: string; readonly Related?: readonly string[] }
  readonly Meta: JsonObject
}

/**
 * @param origin of the gateway
 * @param paymentIds of the payments made under it (resource-log)
 */
export function tppView(consent: Consent, origin: string, paymentIds: readonly string[]): TppConsentView {
  const self = { Self: `${origin}${RESOURCES[consent.type]}/${consent.id}` }
  return {
    Data: tppData(consent),
    ...(consent.subscription === null ? {} : { Subscription: consent.subscription }),
    Links: consent.type === 'service-initiation' ? { ...self, Related: paymentsOf(consent, origin, paymentIds) } : self,
    Meta: consent.type === 'service-initiation' ? present('MultipleAuthorizers', authorizersOf(consent.payment)) : {},
  }
}

function paymentsOf({ payment }: PaymentConsent, origin: string, ids: readonly string[]): readonly string[] {
  const kind = payment.control.kind === 'file' ? 'file-payments' : 'payments'
  return ids.map((id) => `${origin}/open-finance/payment/v2.1/${kind}/${encodeURIComponent(id)}`)
}

/** `Data` of the TPP's view; also what a webhook says (tpp-api 8.3). */
export function tppData(consent: Consent): JsonObject {
  return { ...stateOf(consent), StatusUpdateDateTime: iso(consent.statusChangedAt) }
}

/** The consent record of lfi-api 2.3; members that are not there yet are absent. */
/** `tokens` open what the LFI has given for its own calls; without them it is left out. */
export function lfiRecord(consent: Consent, tokens: SealedTokens | null): JsonObject {
  return {
    id: consent.id,
    ...present('parId', consent.parId),
    rarType: consent.rarType,
    standardVersion: standardVersionOf(consent),
    consentGroupId: consent.baseConsentId ?? consent.id,
    requestUrl: consent.requestUrl,
    consentType: CONSENT_TYPE_NAMES[consent.type],
    status: consent.status,
    request: consent.request,
    requestHeaders: consent.requestHeaders,
    consentBody: bodyOf(consent),
    ...present('interactionId', consent.interactionId),
    tpp: consent.tpp,
    updatedAt: consent.updatedAt,
    ...present('psuIdentifiers', consent.psu),
    ...resourcesOf(consent),
    ...present('supplementaryInformation', consent.supplementaryInformation),
    ...usageOf(consent),
    ...present('authorizationChannel', consent.channel),
    ...present('ConnectToken', connectTokenOf(consent, tokens)),
  }
}

/** The version of the standard in which the TPP asked (lfi-api 0.4). */
export const standardVersionOf = ({ rarType }: Pick<Consent, 'rarType'>): string =>
  rarType.slice(rarType.lastIndexOf(':') + 1)

const connectTokenOf = (consent: Consent, tokens: SealedTokens | null): string | null =>
  consent.type === 'service-initiation' && consent.payment.connectToken !== null
    ? (tokens?.open(consent.payment.connectToken, consent.id) ?? null)
    : null

/**
 * The body of an account or insurance consent has no StatusUpdateDateTime on this side (lfi-api 9, row 41); Meta of a
 * payment consent holds here what stands under a name of its own towards the TPP.
 */
function bodyOf(consent: Consent): JsonObject {
  const subscription = present('Subscription', consent.subscription)
  if (consent.type !== 'service-initiation') return { Data: stateOf(consent), ...subscription }
  return { Data: tppData(consent), ...subscription, ...present('Meta', authorizersOf(consent.payment)) }
}

/** Policies count as accounts, so that one list finds consents by either (lfi-api 2.3). */
function resourcesOf({ type, accountIds }: Consent): JsonObject {
  if (accountIds.length === 0) return {}
  return type === 'insurance' ? { insurancePolicyIds: accountIds, accountIds } : { accountIds }
}

function stateOf(consent: Consent): JsonObject {
  const pushed = consent.request.consent
  const echoed = ECHOED[consent.type].filter((name) => isThere(pushed[name])).map((name) => [name, pushed[name]])
  return {
    ...Object.fromEntries(echoed),
    ...billingOf(consent),
    ...(consent.type === 'service-initiation' ? termsShown(consent) : {}),
    Status: consent.status,
    ...(consent.status === 'Revoked' ? { RevokedBy: consent.revokedBy } : {}),
    CreationDateTime: iso(consent.createdAt),
  }
}

/** A payment consent may say that it asks for no permission, which the LFI's side knows as not saying anything. */
const isThere = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0)

function termsShown({ payment: { charges, exchangeRate, consumption } }: PaymentConsent): JsonObject {
  return {
    ...present('Charges', charges),
    ...present('ExchangeRate', exchangeRate),
    ...present('PaymentConsumption', consumption === null ? null : wireConsumption(consumption)),
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
