/**
 * Differences from the published files that are wanted. Each line that the parity test finds is matched against
 * `where`; an entry that matches nothing fails the test.
 */
export type Divergence = { readonly where: RegExp; readonly reason: string }

/**
 * Branches of published choices that are left out before anything is compared, by name: with them in, every body that
 * holds one would differ as a whole.
 */
export const LEFT_OUT: readonly { readonly branches: readonly string[]; readonly reason: string }[] = [
  {
    branches: [
      'AEPaymentInitiationPII',
      'AEBankServiceInitiation.AEDomesticPaymentPIIProperties',
      'AEBankServiceInitiation.AEInternationalPaymentPIIProperties',
    ],
    reason:
      'Published beside the JWE to show what is inside it. Only the JWE is ever sent, and a payment that held a person in clear text would be stored, so ours admits the JWE alone (lfi-api 2.3).',
  },
]

export const FACT_DIVERGENCES: readonly Divergence[] = [
  {
    where: /^data-sharing published: POST \/customers\/action\/cop-query /,
    reason: 'Confirmation of payee is not offered yet.',
  },
  {
    where: /^consent-manager published: POST \/consents /,
    reason:
      'Only the hub itself stores consents, at the pushed authorization request; the form of what it stores is tested as rar.',
  },
  {
    where: /^tpp-reports ours: GET \/(?:refusals\/\S+|outages) /,
    reason: 'Why a call was refused, and outages, for the TPP they concern; nothing of the kind is published.',
  },
  {
    where: /^(?:account-information|onboarding|tpp-reports) \S+: \S+ \S+ header x-fapi-interaction-id \{/,
    reason: 'Published as any text, described as an RFC 4122 id; malformed ids are refused (tpp-api 6).',
  },
  {
    where: /^account-information \S+: \S+ \S+ header x-fapi-customer-ip-address \{/,
    reason: 'Published as any text; only an IP address makes sense (tpp-api 6).',
  },
  {
    where: /^account-information \S+: \S+ \S+ (?:path (?:account|consent)id|query baseconsentid) \{/,
    reason: 'Published as any text here, limited in length where the same id is in a body; the limit holds for both.',
  },
  {
    where: /^account-information \S+: GET \S+\/transactions query (?:from|to)bookingdatetime \{/,
    reason: 'Published format is date-time, but its description makes the time optional and tells to ignore the zone.',
  },
  {
    where: /^account-information ours: GET \S+ query page /,
    reason:
      'Links of a paged answer lead to addresses of the hub with a page number; the published file is silent (lfi-api 3.4).',
  },
  {
    where: /^onboarding ours: POST \/tpp-registration body /,
    reason: 'Nothing is published; clients of the documented example send an empty object (tpp-api 9.1).',
  },
  {
    where: /^headless-authorization ours: GET \/auth query authorization-request /,
    reason: 'Stands for the parameters that the LFI passes on unchanged, which the published file leaves undeclared.',
  },
]

export const VERDICT_DIVERGENCES: readonly Divergence[] = [
  {
    where: /^account-information \S+ 200 Links · (?:null|boolean|number|string|array) instead · .* published accepts$/,
    reason: 'The published Links is closed but has no type, so anything but an object passes; ours is an object.',
  },
  {
    where:
      /^consent-manager \S+ 200 data(?:\[\])?\.\S+\.Permissions\[\] · listed value · made from ours · published refuses$/,
    reason:
      'TPPs may ask for ReadFXRemittanceCharges, which the published consent record does not know (lfi-api 9 row 7).',
  },
]

export const EXAMPLE_DIVERGENCES: readonly Divergence[] = []
