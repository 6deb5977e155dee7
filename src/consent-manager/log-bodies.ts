/** The bodies by which the LFI says what became of payments, quotes and openings, once their schemas accepted them. */
import type { JsonObject } from '../consent-store/index.ts'
import type { PaymentPatch, PaymentStatus, RejectReason, RequestKind } from '../resource-log/index.ts'

/** Flat names with dots in them (lfi-api 2.8). */
export function toPaymentPatch(checked: unknown): PaymentPatch {
  const body = checked as {
    readonly 'paymentResponse.status': PaymentStatus
    readonly 'paymentResponse.OpenFinanceBilling'?: { readonly NumberOfSuccessfulTransactions?: number }
    readonly 'paymentResponse.paymentTransactionId'?: string
    readonly 'paymentResponse.rejectReasonCode'?: readonly RejectReason[]
  }
  return {
    status: body['paymentResponse.status'],
    successfulTransactions: body['paymentResponse.OpenFinanceBilling']?.NumberOfSuccessfulTransactions ?? null,
    paymentTransactionId: body['paymentResponse.paymentTransactionId'] ?? null,
    // The published item is open; what else an LFI puts there does not travel on to the TPP.
    rejectReasons: body['paymentResponse.rejectReasonCode']?.map(({ code, message }) => ({ code, message })) ?? null,
  }
}

/** The published bodies are open. What is told to the TPP is what they document, by name. */
const TOLD = {
  'account-opening': ['OpeningStatus', 'AdditionalStatusInformation'],
  'fx-quote': ['QuoteStatus', 'AdditionalStatusInformation', 'Trade', 'Commission'],
  'insurance-quote': [
    'QuoteStatus',
    'Reason',
    'BrokerInstructions',
    'PolicyStartDate',
    'PolicyEndDate',
    'PolicyTerm',
    'Premium',
    'CustomerSalary',
    'Commission',
    'Documents',
    'CustomerPaidInFull',
    'PolicyCountrySubDivision',
  ],
} as const satisfies Record<RequestKind, readonly string[]>

export function toldOf(kind: RequestKind, checked: unknown): JsonObject {
  const body = checked as JsonObject
  return Object.fromEntries(TOLD[kind].filter((name) => Object.hasOwn(body, name)).map((name) => [name, body[name]]))
}
