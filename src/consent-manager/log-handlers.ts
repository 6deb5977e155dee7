/** The operations on payments, quotes and account openings (lfi-api 2.8, 2.9). */
import type { Clock, Instant } from '../clock.ts'
import { toConsentId } from '../ids.ts'
import {
  type MadePayment,
  type Payment,
  type RequestKind,
  type ResourceLog,
  unansweredAsMade,
} from '../resource-log/index.ts'
import { type Handler, one, param } from './call.ts'
import { toldOf, toPaymentPatch } from './log-bodies.ts'
import { paymentRecord } from './payment-record.ts'
import type { LogOperationId } from './routes.ts'

export function createLogHandlers(resources: ResourceLog, clock: Clock): Readonly<Record<LogOperationId, Handler>> {
  const patched =
    (kind: RequestKind): Handler =>
    async (call) => {
      await resources.patchRequestByLfi(kind, param(call, 'logId'), toldOf(kind, call.body), call.caller)
      return { status: 204 }
    }
  return {
    getAuditConsentsByConsentIdw: async ({ query }) => {
      const consentId = toConsentId(query.get('consentId'))
      const payments = consentId === null ? [] : await resources.listPayments(consentId)
      return one(payments.flatMap((payment) => listedOf(payment, clock.now())).map(paymentRecord))
    },
    patchPymentlog: async (call) => {
      await resources.patchPaymentByLfi(param(call, 'id'), toPaymentPatch(call.body), call.caller)
      return { status: 204 }
    },
    UpdateAccountOpeningLog: patched('account-opening'),
    UpdateFxQuoteLog: patched('fx-quote'),
    UpdateInsuranceQuoteLog: patched('insurance-quote'),
  }
}

/**
 * What the LFI refused is no payment. One that it never answered for may be: it is listed under an id of the hub, with the
 * idempotency key by which the LFI knows the order, so that it can be patched to what became of it.
 */
function listedOf(payment: Payment, now: Instant): readonly MadePayment[] {
  if (payment.state === 'made') return [payment]
  return payment.state === 'open' && payment.attemptUntil <= now ? [unansweredAsMade(payment)] : []
}
