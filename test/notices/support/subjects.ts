/** Payments, quotes and openings as they come to be, and what the LFI says of them. */
import { randomUUID } from 'node:crypto'
import { type Clock, iso } from '../../../src/clock.ts'
import type { JsonObject } from '../../../src/consent-store/index.ts'
import { type Db, inTransaction } from '../../../src/db.ts'
import type { ConsentId } from '../../../src/ids.ts'
import type { PaymentStatus, RequestKind, ResourceLog } from '../../../src/resource-log/index.ts'
import { answerOf, madeOutcome, paymentIntent, record, settle } from '../../unit/consent-store/payments.ts'
import { LFI, type Tpp } from './rig.ts'

export const subjectsOf = ({ db, resources, clock }: { db: Db; resources: ResourceLog; clock: Clock }) => ({
  /** A payment that the LFI has made and not judged yet; its id. */
  paid: async (tpp: Tpp, consentId: ConsentId): Promise<string> => {
    const { clientId, organisationId } = tpp
    const at = clock.now()
    const paymentId = `pay-${randomUUID().slice(0, 8)}`
    const intent = { ...paymentIntent(consentId), clientId, organisationId }
    const Data = {
      ...(answerOf(consentId, paymentId).body?.['Data'] as JsonObject),
      CreationDateTime: iso(at),
      StatusUpdateDateTime: iso(at),
    }
    const answer = { ...answerOf(consentId, paymentId), body: { Data } }
    const made = madeOutcome(consentId, { paymentId, madeAt: at, statusChangedAt: at, answer })
    const recorded = await record(db, resources, intent)
    if (recorded.outcome !== 'recorded') throw new Error(recorded.outcome)
    await settle(db, resources, recorded.payment.logId, made)
    return paymentId
  },
  says: (paymentId: string, status: PaymentStatus) =>
    resources.patchPaymentByLfi(
      paymentId,
      { status, successfulTransactions: null, paymentTransactionId: null, rejectReasons: null },
      LFI,
    ),
  /** A quote or an opening that a TPP has asked for, by the id that the LFI gave it. */
  asked: async (kind: RequestKind, tpp: Tpp, echoed: JsonObject = {}): Promise<string> => {
    const resourceId = randomUUID()
    const { clientId, organisationId } = tpp
    const subscription = { Webhook: { Url: `${tpp.receiver.origin}/events`, IsActive: true } }
    const status = kind === 'account-opening' ? 'Pending' : 'Available'
    const request = { kind, resourceId, clientId, organisationId, status, subscription, echoed }
    await inTransaction(db, (tx) => resources.recordRequest(tx, request, { ...LFI, by: 'tpp', clientId }))
    return resourceId
  },
  /** What the LFI says of it. */
  told: (kind: RequestKind, id: string, body: JsonObject) => resources.patchRequestByLfi(kind, id, body, LFI),
})
