/** What this release serves; discovery lists exactly this, and a client is limited to it. */
export const ACCOUNT_ACCESS = 'urn:openfinanceuae:account-access-consent:v2.1'
export const SERVICE_INITIATION = 'urn:openfinanceuae:service-initiation-consent:v2.1'
export const INSURANCE = 'urn:openfinanceuae:insurance-consent:v2.1'
export const SERVED_RAR_TYPES = [ACCOUNT_ACCESS, SERVICE_INITIATION, INSURANCE] as const
export type ServedRarType = (typeof SERVED_RAR_TYPES)[number]
/** Of users' tokens, and of those that clients have for themselves (tpp-api 5.4 to 5.8). */
export const SERVED_SCOPES: readonly string[] = [
  'openid',
  'accounts',
  'payments',
  'insurance',
  'confirmation-of-payee',
  'products',
  'atm',
  'fx',
  'account-opening',
  'tpp-reports',
]

export const isServed = (type: string): type is ServedRarType => (SERVED_RAR_TYPES as readonly string[]).includes(type)
