/** The operations on payments, quotes and account openings (lfi-api 2.8, 2.9). */
import { toConsentId } from '../ids.ts'
import type { MadePayment, Payment, RequestKind, ResourceLog } from '../resource-log/index.ts'
import { type Handler, one, param } from './call.ts'
import { toldOf, toPaymentPatch } from './log-bodies.ts'
import { paymentRecord } from './payment-record.ts'
import type { LogOperationId } from './routes.ts'

export function createLogHandlers(resources: ResourceLog): Readonly<Record<LogOperationId, Handler>> {
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
      // What the LFI has not answered, or refused, is no payment.
      return one(payments.filter(isMade).map(paymentRecord))
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

const isMade = (payment: Payment): payment is MadePayment => payment.state === 'made'
