/** A payment as lfi-api 2.8 has it; members that are not there yet are absent. */
import { iso } from '../clock.ts'
import type { JsonObject } from '../consent-store/index.ts'
import type { MadePayment } from '../resource-log/index.ts'

export function paymentRecord(payment: MadePayment) {
  return {
    consentId: payment.consentId,
    paymentType: payment.paymentType,
    paymentId: payment.paymentId,
    idempotencyKey: payment.idempotencyKey,
    paymentResponse: {
      id: payment.paymentId,
      status: payment.status,
      creationDateTime: iso(payment.madeAt),
      statusUpdateDateTime: iso(payment.statusChangedAt),
      ...present('OpenFinanceBilling', payment.billing ?? dataOf(payment)['OpenFinanceBilling'] ?? null),
      ...present('rejectReasonCode', payment.rejectReasons),
      ...present('paymentTransactionId', payment.paymentTransactionId),
    },
    ...present('signedResponse', payment.answer.signed),
    tpp: payment.tpp,
    accountId: payment.accountId,
    psuIdentifiers: payment.psu,
    interactionId: {
      ozoneInteractionId: payment.interactionId,
      ...present('clientInteractionId', payment.clientInteractionId),
    },
    authorizationCode: {
      paymentId: payment.paymentId,
      accessTokenHash: payment.accessTokenHash,
      currentDateTime: iso(payment.createdAt),
    },
    requestBody: { Data: documented(dataOf(payment)) },
    ...present('signedRequestBody', payment.signedRequestBody),
    requestHeaders: payment.requestHeaders,
  }
}

const present = (name: string, value: unknown) => (value === null ? {} : { [name]: value })

/**
 * The published message of the log is closed and has no OpenFinanceBilling, which every payment holds: it is shown
 * where the log has a place for it, in paymentResponse.
 */
const DOCUMENTED = [
  'ConsentId',
  'Instruction',
  'CurrencyRequest',
  'PersonalIdentifiableInformation',
  'PaymentPurposeCode',
  'DebtorReference',
  'CreditorReference',
]

const dataOf = (payment: MadePayment): JsonObject => (payment.requestBody['Data'] ?? {}) as JsonObject
const documented = (data: JsonObject): JsonObject =>
  Object.fromEntries(DOCUMENTED.filter((name) => Object.hasOwn(data, name)).map((name) => [name, data[name]]))
