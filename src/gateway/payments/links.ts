/** Addresses of payments and their consents at the hub. */
import type { ConsentId } from '../../ids.ts'
import type { PaymentType } from '../../resource-log/index.ts'

export type PaymentLinks = {
  self(type: PaymentType, paymentId: string): string
  consent(consentId: ConsentId): string
}

const FOLDER = { 'cbuae-payment': 'payments', 'cbuae-file-payment': 'file-payments' } as const satisfies Record<
  PaymentType,
  string
>

/** @param base origin of the gateway and base path of the payment API */
export const createPaymentLinks = (base: string): PaymentLinks => ({
  self: (type, paymentId) => `${base}/${FOLDER[type]}/${encodeURIComponent(paymentId)}`,
  consent: (consentId) => `${base}/payment-consents/${consentId}`,
})
