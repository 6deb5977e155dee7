/** A rule about what a consent may ask for, beyond the form of its schema: null, or what is wrong, in words. */
import type { Instant } from '../../clock.ts'
import type { TenantConfig } from '../../config.ts'
import type { Consent, ControlParameters, RarElement } from '../../consent-store/index.ts'
import type { Client } from '../../participants/index.ts'

/** One element of `authorization_details`, after its schema was checked. */
export type ConsentDetail = RarElement & {
  readonly consent: {
    readonly ConsentId: string
    readonly BaseConsentId?: string
    readonly ExpirationDateTime: string
    readonly AuthorizationExpirationDateTime?: string
    readonly Permissions?: readonly (string | InsurancePermissions)[]
    readonly FromDate?: string
    readonly ToDate?: string
    readonly PaymentPurposeCode?: string
    readonly PersonalIdentifiableInformation?: string
    readonly CurrencyRequest?: object
    readonly ControlParameters?: object
  }
}
export type InsurancePermissions = { readonly InsuranceType: string; readonly Permissions: readonly string[] }

export type Asked = {
  readonly detail: ConsentDetail
  readonly client: Client
  readonly now: Instant
  readonly tenant: Pick<TenantConfig, 'paymentPurposeCodes'>
  /** What the client has under BaseConsentId; null where that names nothing of its own. */
  readonly base: Consent | null
}
export type Rule = (asked: Asked) => string | null
/** About payments whose control parameters have been read. */
export type PaymentRule = (control: ControlParameters, asked: Asked) => string | null
