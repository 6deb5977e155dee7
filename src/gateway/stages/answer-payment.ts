import { iso } from '../../clock.ts'
import type { JsonObject } from '../../consent-store/index.ts'
import { LFI_CODES } from '../../lfi/index.ts'
import type { MadePayment } from '../../resource-log/index.ts'
import { Answer } from '../answer.ts'
import { readLfiJson } from '../lfi-json.ts'
import { adoptStatus } from '../payments/adopt-status.ts'
import { shownStatus } from '../payments/reply.ts'
import { stage } from '../stage.ts'

/** What the LFI says, with what the hub knows better (lfi-api 3.9.2); what is new in it is kept. */
export const answerPayment = stage({
  name: 'answer-payment',
  needs: ['arrival', 'entry', 'exchange'],
  adds: [],
  fails: LFI_CODES,
  async run({ arrival, entry, exchange }, services) {
    if (entry.state !== 'made') throw new Error('a payment without an id was asked about')
    const lfiBody = readLfiJson(exchange.attempt, { has404: true })
    const { said, body, quality } = services.paymentReplies.read(entry, 'getPayment', lfiBody, services.paymentLinks)
    if (quality !== null) {
      arrival.log.warn({ operationId: 'getPayment', quality }, 'data quality of an answer of the LFI')
    }
    const known = await adoptStatus(entry, said, arrival.correlationId, services)
    return new Answer(200, { ...body, Data: { ...(body['Data'] as JsonObject), ...standing(known) } }, 1)
  },
})

/** The newest status wins, and the id of the transaction is never lost. */
function standing(payment: MadePayment): JsonObject {
  const reasons = payment.rejectReasons?.map(({ code, message }) => ({ Code: code, Message: message }))
  return {
    PaymentId: payment.paymentId,
    Status: shownStatus(payment, payment.status),
    StatusUpdateDateTime: iso(payment.statusChangedAt),
    ...(payment.paymentTransactionId === null || payment.paymentType === 'cbuae-file-payment'
      ? {}
      : { PaymentTransactionId: payment.paymentTransactionId }),
    ...(reasons === undefined ? {} : { RejectReasonCode: reasons }),
  }
}
