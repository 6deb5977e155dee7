/** What the hub can say of a payment by itself: what was asked for, and what the LFI has said since. Pure. */
import { iso } from '../clock.ts'
import type { JsonObject } from '../consent-store/index.ts'
import type { MadePayment, Payment } from './payment.ts'

type Wanted = {
  readonly Instruction?: JsonObject
  readonly PaymentPurposeCode: string
  readonly DebtorReference?: string
  readonly CurrencyRequest?: JsonObject
  readonly OpenFinanceBilling?: JsonObject
}
export const wantedIn = (asked: Payment): Wanted => asked.requestBody['Data'] as Wanted

/** What the LFI may leave out, because it was asked for in the same words. */
export function filledFrom(asked: Payment): JsonObject {
  const { Instruction, PaymentPurposeCode, DebtorReference, CurrencyRequest, OpenFinanceBilling } = wantedIn(asked)
  if (asked.paymentType === 'cbuae-file-payment') return { Instruction, PaymentPurposeCode }
  return {
    ...(CurrencyRequest === undefined ? {} : { CurrencyRequest }),
    Instruction,
    PaymentPurposeCode,
    ...(DebtorReference === undefined ? {} : { DebtorReference }),
    OpenFinanceBilling,
  }
}

/** `Data` of the payment as the TPP knows it: what it was answered, with what the LFI has said since. */
export function paymentData(payment: MadePayment): JsonObject {
  const answered = payment.answer.body?.['Data'] as JsonObject | undefined
  const reasons = payment.rejectReasons?.map(({ code, message }) => ({ Code: code, Message: message }))
  return {
    ...(answered ?? { ...filledFrom(payment), CreationDateTime: iso(payment.madeAt) }),
    PaymentId: payment.paymentId,
    ConsentId: payment.consentId,
    Status: payment.status,
    StatusUpdateDateTime: iso(payment.statusChangedAt),
    ...(payment.paymentTransactionId === null ? {} : { PaymentTransactionId: payment.paymentTransactionId }),
    ...(reasons === undefined ? {} : { RejectReasonCode: reasons }),
  }
}
