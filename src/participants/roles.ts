/** Reports about itself are for any TPP. */
const REPORTS = 'tpp-reports'

/** What a directory role opens (tpp-api 9.5). IDSP is the name in prose, ISP the one in the directory. */
type RoleRow = { readonly scopes: readonly string[]; readonly rarTypes: readonly string[] }

/** Open to every role of a bank's TPPs, because no document says whose they are (tpp-api 9.5). */
const SERVICES = ['products', 'atm', 'fx', 'account-opening']

const ACCOUNTS: RoleRow = {
  scopes: ['openid', 'accounts', REPORTS, ...SERVICES],
  rarTypes: ['urn:openfinanceuae:account-access-consent:v2.1'],
}
const INSURANCE: RoleRow = {
  scopes: ['openid', 'insurance', REPORTS],
  rarTypes: ['urn:openfinanceuae:insurance-consent:v2.1'],
}
const PAYMENTS: RoleRow = {
  scopes: ['openid', 'payments', 'confirmation-of-payee', REPORTS, ...SERVICES],
  rarTypes: ['urn:openfinanceuae:service-initiation-consent:v2.1'],
}

const ROLES: ReadonlyMap<string, RoleRow> = new Map([
  ['BDSP', ACCOUNTS],
  ['BSIP', PAYMENTS],
  ['ISP', INSURANCE],
  ['IDSP', INSURANCE],
])

export function opened(roles: readonly string[]): { readonly scopes: string[]; readonly rarTypes: string[] } {
  const rows = roles.flatMap((role) => ROLES.get(role) ?? [])
  return {
    scopes: [...new Set(rows.flatMap((row) => row.scopes))],
    rarTypes: [...new Set(rows.flatMap((row) => row.rarTypes))],
  }
}
