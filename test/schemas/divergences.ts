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
      'AEBankServiceInitiationRichAuthorizationRequests.AEDomesticPaymentPII',
      'AEBankServiceInitiationRichAuthorizationRequests.AEInternationalPaymentPII',
      'AEPaymentConsentPII',
    ],
    reason:
      'Published beside the JWE to show what is inside it. Only the JWE is ever sent, and a payment that held a person in clear text would be stored, so ours admits the JWE alone (lfi-api 2.3).',
  },
  {
    branches: ['Bank Service Initiation Consent', 'AEInsurance.AEReadInsuranceConsent1Properties'],
    reason:
      'Of a payment or insurance consent an event carries what its own document describes; the published file wraps its times in objects (tpp-api 10 row 4).',
  },
]

export const FACT_DIVERGENCES: readonly Divergence[] = [
  {
    where: /^fx-and-account-opening published: (?:GET|POST) \/payment/,
    reason: 'The published file holds payments as well, which have a document of their own here.',
  },
  {
    where: /^payment-consents published: (?:GET|POST) \/(?:payments|file-payments|payment-consents\/\{ConsentId\}\/)/,
    reason: 'Payments under a consent have a document of their own.',
  },
  {
    where: /^insurance-consents published: \S+ \/[a-z]+-insurance-(?:policies|quotes)/,
    reason: 'Policies and quotes are no part of the document of the consents.',
  },
  {
    where: /^(?:payment|insurance)-consents \S+: \S+ \S+ header x-fapi-(?:interaction-id|customer-ip-address) \{/,
    reason: 'Published as any text; malformed ids and addresses are refused (tpp-api 6).',
  },
  {
    where: /^payment-consents \S+: \S+ \S+ (?:path consentid|query baseconsentid) \{/,
    reason: 'Published as any text here, limited in length where the same id is in a body; the limit holds for both.',
  },
  {
    where: /^bank-initiation published: (?:GET|PATCH) \/payment-consents(?:\/\{ConsentId\})? /,
    reason: 'Consents of payments have a document of their own.',
  },
  {
    where: /^service-initiation published: (?:GET|POST|PATCH) \/(?:accounts|fx-quotes)/,
    reason: 'Opening accounts and exchanging currencies are families of their own, with a document of their own.',
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
    where:
      /^(?:account-information|bank-initiation|onboarding|tpp-reports|confirmation-of-payee|fx|account-opening) \S+: \S+ \S+ header x-fapi-interaction-id \{/,
    reason: 'Published as any text, described as an RFC 4122 id; malformed ids are refused (tpp-api 6).',
  },
  {
    where:
      /^(?:account-information|bank-initiation|confirmation-of-payee|product|fx|account-opening) \S+: \S+ \S+ header x-fapi-customer-ip-address \{/,
    reason: 'Published as any text; only an IP address makes sense (tpp-api 6).',
  },
  {
    where:
      /^(?:account-information|bank-initiation) \S+: \S+ \S+ (?:path (?:account|consent)id|query baseconsentid) \{/,
    reason: 'Published as any text here, limited in length where the same id is in a body; the limit holds for both.',
  },
  {
    where: /^account-information \S+: GET \S+\/transactions query (?:from|to)bookingdatetime \{/,
    reason: 'Published format is date-time, but its description makes the time optional and tells to ignore the zone.',
  },
  {
    where: /^(?:account-information|product) ours: GET \S+ query page /,
    reason:
      'Links of a paged answer lead to addresses of the hub with a page number; the published file is silent (lfi-api 3.4).',
  },
  {
    where: /^product \S+: POST \/leads body (?:optional|required)$/,
    reason: 'Published as optional by an omission: a lead without content is none.',
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
    where:
      /^consent-events-actions \S+ request \S+\.FilePayment\.FileReference · (?:too long|longest) · .* published accepts$/,
    reason: 'Published longer here than where a TPP sends it and where the consent manager shows it.',
  },
  {
    where: /^bank-initiation \S+ 20[01] Data\.PaymentTransactionId · (?:empty text|too short|too long) · /,
    reason:
      'Published with limits for numbers, which say nothing about a text: 1 to 40 characters are meant (lfi-api 3.9).',
  },
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
  {
    where:
      /^consent-events-actions \S+ request \S+\.Permissions\[\] · listed value · made from ours · published refuses$/,
    reason:
      'The list beside the events is older than the one of the record they carry: statements, rates and FX charges are missing.',
  },
  {
    where:
      /^(?:consent-manager \S+ 200 data(?:\[\])?\.|consent-events-actions \S+ request )request\.(?:type|consent) · member left out · made from \S+ · published accepts$/,
    reason: 'Published without required members, so that an empty request is of every type and of none.',
  },
  {
    where:
      /^(?:consent-manager \S+ 200 data(?:\[\])?\.|consent-events-actions \S+ request )\S+\.OpenFinanceBilling\.Purpose · listed value · made from ours · published refuses$/,
    reason: 'TPPs may ask with the purpose Other, which the published consent record does not know (lfi-api 9 row 40).',
  },
]

export const EXAMPLE_DIVERGENCES: readonly Divergence[] = []
