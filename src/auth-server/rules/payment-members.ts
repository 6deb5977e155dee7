/** Rules about single members of a payment consent. */
import type { Rule } from './rule.ts'

/** The pattern belongs to the schema, the list to the tenant (tpp-api 2.7). */
export const purposeIsKnown: Rule = ({ detail, tenant }) =>
  tenant.paymentPurposeCodes.includes(detail.consent.PaymentPurposeCode ?? '')
    ? null
    : 'consent.PaymentPurposeCode is not a purpose that is known here'

/** Five parts of base64url, none of them empty: with RSA-OAEP-256 and A256GCM there is something in each. */
const COMPACT_JWE = /^[\w-]+(?:\.[\w-]+){4}$/
const CHARACTERS_MAX = 32_768

/** The hub cannot read what it says and does not try; it goes to the LFI as it came (tpp-api 2.7.3). */
export const personalDataIsEncrypted: Rule = ({ detail }) => {
  const text = detail.consent.PersonalIdentifiableInformation ?? ''
  if (text.length > CHARACTERS_MAX) {
    return `consent.PersonalIdentifiableInformation is longer than ${CHARACTERS_MAX} characters`
  }
  return COMPACT_JWE.test(text) ? null : 'consent.PersonalIdentifiableInformation must be a compact JWE of five parts'
}
