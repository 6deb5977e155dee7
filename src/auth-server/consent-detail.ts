/** The consent as a member of `authorization_details` in answers to its TPP (tpp-api 3.2). */
import { type Consent, type TppConsentView, tppView } from '../consent-store/index.ts'

export type ConsentDetail = { readonly type: string; readonly consent: TppConsentView }

/** @param resource origin of the resource server, where the consent itself can be read */
export function consentDetail(consent: Consent, resource: string): ConsentDetail {
  return { type: consent.rarType, consent: tppView(consent, resource) }
}
