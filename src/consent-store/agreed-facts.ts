/** What every audit entry of a consent says of it beside its change: what reports count by (lfi-api 7.7). Pure. */
import type { AgreedFacts } from '../audit/index.ts'
import type { Consent, JsonObject } from './consent.ts'
import { standardVersionOf } from './views.ts'

export function agreedFactsOf(consent: Consent): AgreedFacts {
  const billing = (consent.request.consent['OpenFinanceBilling'] ?? {}) as JsonObject
  return {
    organisationId: consent.organisationId,
    clientId: consent.clientId,
    consentType: consent.type,
    standardVersion: standardVersionOf(consent),
    userType: word(billing['UserType']),
    purpose: word(billing['Purpose']),
    isLargeCorporate: consent.isLargeCorporate,
    isRenewal: consent.baseConsentId !== null,
    revokedBy: consent.status === 'Revoked' ? consent.revokedBy : null,
  }
}

/** A name of a list of the contract, whatever a list of later may hold; anything else is not recorded. */
const word = (value: unknown): string | null =>
  typeof value === 'string' && /^[A-Za-z0-9]{1,64}$/.test(value) ? value : null
