/** What this release serves; discovery lists exactly this, and a client is limited to it. */
export const ACCOUNT_ACCESS = 'urn:openfinanceuae:account-access-consent:v2.1'
export const SERVICE_INITIATION = 'urn:openfinanceuae:service-initiation-consent:v2.1'
export const INSURANCE = 'urn:openfinanceuae:insurance-consent:v2.1'
export const SERVED_RAR_TYPES = [ACCOUNT_ACCESS, SERVICE_INITIATION, INSURANCE] as const
export type ServedRarType = (typeof SERVED_RAR_TYPES)[number]
export const SERVED_SCOPES: readonly string[] = ['openid', 'accounts', 'payments', 'insurance', 'tpp-reports']

export const isServed = (type: string): type is ServedRarType => (SERVED_RAR_TYPES as readonly string[]).includes(type)
