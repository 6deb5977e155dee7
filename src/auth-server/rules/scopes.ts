/** The scopes that a consent must be asked with, no more and no less (tpp-api 2.5). */
import { ACCOUNT_ACCESS, INSURANCE, SERVICE_INITIATION, type ServedRarType } from '../served.ts'
import type { ConsentDetail } from './rule.ts'

const SCOPES = {
  [ACCOUNT_ACCESS]: ['openid', 'accounts'],
  [SERVICE_INITIATION]: ['openid', 'payments'],
  [INSURANCE]: ['openid', 'insurance'],
} as const satisfies Record<ServedRarType, readonly string[]>

/** What a payment consent may read of accounts is read with the scope of accounts; a refund account is no part of it. */
const ACCOUNT_PERMISSIONS: ReadonlySet<unknown> = new Set(['ReadAccountsBasic', 'ReadAccountsDetail', 'ReadBalances'])
const PAYMENTS_AND_ACCOUNTS = ['openid', 'accounts', 'payments'] as const

export function scopesFor(type: ServedRarType, { Permissions: all = [] }: ConsentDetail['consent']): readonly string[] {
  const reads = type === SERVICE_INITIATION && all.some((code) => ACCOUNT_PERMISSIONS.has(code))
  return reads ? PAYMENTS_AND_ACCOUNTS : SCOPES[type]
}
