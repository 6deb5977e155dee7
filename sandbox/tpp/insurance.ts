/** Asking to see a person's insurance policies (tpp-api 2.8). */
import { subscriptionOf, type Wanted } from './authorization.ts'
import { CONSENT_KINDS } from './consent-kinds.ts'

export type InsuranceAsk = {
  readonly permissions: readonly { readonly InsuranceType: string; readonly Permissions: readonly string[] }[]
  readonly expiresAt: Date
  readonly baseConsentId?: string
  readonly webhookUrl?: string
}

export const insurance = (ask: InsuranceAsk): Wanted => ({
  type: CONSENT_KINDS.insurance.type,
  scope: CONSENT_KINDS.insurance.scope,
  consent: (consentId) => ({
    ConsentId: consentId,
    Permissions: ask.permissions,
    ExpirationDateTime: ask.expiresAt.toISOString(),
    ...(ask.baseConsentId === undefined ? {} : { BaseConsentId: ask.baseConsentId }),
    OpenFinanceBilling: { Purpose: 'AccountAggregation' },
  }),
  ...subscriptionOf(ask),
})
