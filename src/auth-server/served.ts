/** What this release serves; discovery lists exactly this, and a client is limited to it. */
export const ACCOUNT_ACCESS = 'urn:openfinanceuae:account-access-consent:v2.1'
export const SERVED_RAR_TYPES: readonly string[] = [ACCOUNT_ACCESS]
/** Of users' tokens, and of those that clients have for themselves (tpp-api 5.4 to 5.8). */
export const SERVED_SCOPES: readonly string[] = [
  'openid',
  'accounts',
  'confirmation-of-payee',
  'products',
  'atm',
  'fx',
  'account-opening',
  'tpp-reports',
]

/** The scopes that a consent of the type must be asked with, no more and no less (tpp-api 2.5). */
export const SCOPES_OF_RAR_TYPE: ReadonlyMap<string, readonly string[]> = new Map([
  [ACCOUNT_ACCESS, ['openid', 'accounts']],
])
