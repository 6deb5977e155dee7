/**
 * Which calls show the LFI the token that it gave with the consent, instead of what the hub proves itself with otherwise
 * (lfi-api 4.2). The two published documents differ: Ozone Connect declares it for making a payment alone, the consent
 * manager speaks of every call under the consent. The first is what is done where the tenant says nothing.
 */
import type { TenantConfig } from '../config.ts'
import type { Consent } from '../consent-store/index.ts'
import type { LfiOperation } from '../lfi-operations.ts'
import { createSealedTokens } from '../sealed-token.ts'

export type ConnectTokens = {
  /** Of the Authorization header; null where the call goes out as every other does. */
  proof(operation: LfiOperation, under: Consent | null): string | null
}

export function createConnectTokens(tenant: TenantConfig): ConnectTokens {
  const tokens = createSealedTokens(tenant)
  const use = tenant.lfi.connectToken ?? 'payments'
  return {
    proof(operation, under) {
      if (use === 'unused' || (use === 'payments' && operation !== 'makePayment')) return null
      if (under?.type !== 'service-initiation' || under.payment.connectToken === null) return null
      const token = tokens.open(under.payment.connectToken, under.id)
      return token === null ? null : `Bearer ${token}`
    },
  }
}
