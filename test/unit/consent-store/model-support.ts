/** A real consent, shown as the model shows its own. */
import type { Consent, JsonObject } from '../../../src/consent-store/consent.ts'
import { authorizersOf } from '../../../src/consent-store/payment.ts'

export function shownOf(consent: Consent): JsonObject {
  const payment = consent.type === 'service-initiation' ? consent.payment : null
  return {
    status: consent.status,
    psu: consent.psu,
    accountIds: consent.accountIds,
    channel: consent.channel,
    isLargeCorporate: consent.isLargeCorporate,
    revokedBy: consent.status === 'Revoked' ? consent.revokedBy : null,
    authorizers: payment === null ? null : authorizersOf(payment),
    charges: payment?.charges ?? null,
    payments: payment?.consumption?.number ?? 0,
    paid: payment?.consumption?.value ?? null,
    authorizeBy: consent.authorizeBy,
    webhook: consent.subscription?.Webhook.IsActive ?? null,
  }
}
