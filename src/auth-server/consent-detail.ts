/** The consent as a member of `authorization_details` in answers to its TPP (tpp-api 3.2). */
import { type Consent, type TppConsentView, tppView } from '../consent-store/index.ts'
import type { ConsentId } from '../ids.ts'

export type ConsentDetail = { readonly type: string; readonly consent: TppConsentView }

/** The payments made under a consent, as the LFI named them. */
export type PaymentIdsOf = (id: ConsentId) => Promise<readonly string[]>

/** @param resource origin of the resource server, where the consent itself can be read */
export async function consentDetail(
  consent: Consent,
  resource: string,
  paymentIdsOf: PaymentIdsOf,
): Promise<ConsentDetail> {
  const paymentIds = consent.type === 'service-initiation' ? await paymentIdsOf(consent.id) : []
  return { type: consent.rarType, consent: tppView(consent, resource, paymentIds) }
}
