/** The three kinds of consent, as a TPP asks for them and finds them again (tpp-api 2.6 to 2.8, 4). */
export type ConsentKind = 'accounts' | 'payments' | 'insurance'

type Facts = {
  readonly type: string
  readonly scope: string
  /** Below the origin of the bank's resources. */
  readonly path: string
  /** Bodies are signed in both directions (tpp-api 5.1). */
  readonly isSigned: boolean
}

export const CONSENT_KINDS: Readonly<Record<ConsentKind, Facts>> = {
  accounts: {
    type: 'urn:openfinanceuae:account-access-consent:v2.1',
    scope: 'accounts',
    path: '/open-finance/account-information/v2.1/account-access-consents',
    isSigned: false,
  },
  payments: {
    type: 'urn:openfinanceuae:service-initiation-consent:v2.1',
    scope: 'payments',
    path: '/open-finance/payment/v2.1/payment-consents',
    isSigned: true,
  },
  insurance: {
    type: 'urn:openfinanceuae:insurance-consent:v2.1',
    scope: 'insurance',
    path: '/open-finance/insurance/v2.1/insurance-consents',
    isSigned: false,
  },
}
