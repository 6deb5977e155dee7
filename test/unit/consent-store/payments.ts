/** Payments of authorized consents, as the gateway would record and settle them. */
import { randomUUID } from 'node:crypto'
import { type Milliseconds, toMilliseconds } from '../../../src/clock.ts'
import { type Db, inTransaction } from '../../../src/db.ts'
import type { ConsentId, CorrelationId } from '../../../src/ids.ts'
import type {
  KeptAnswer,
  MadePayment,
  Payment,
  PaymentIntent,
  PaymentOutcome,
  Recorded,
  ResourceLog,
} from '../../../src/resource-log/index.ts'
import { account, CLIENT, NOW, ORGANISATION, psu, TPP, TPP_RECORD } from './support.ts'

export const PII = 'eyJhbGciOiJSU0EtT0FFUC0yNTYifQ.a2V5.aXY.dGV4dA.dGFn'
export const ATTEMPT: Milliseconds = toMilliseconds(15_000)

export const paymentIntent = (consentId: ConsentId, more: Partial<PaymentIntent> = {}): PaymentIntent => ({
  consentId,
  clientId: CLIENT,
  organisationId: ORGANISATION,
  paymentType: 'cbuae-payment',
  idempotencyKey: randomUUID(),
  accountId: account('acc-1'),
  psu: psu('u-42'),
  tpp: TPP_RECORD,
  requestBody: {
    Data: {
      ConsentId: consentId,
      Instruction: { Amount: { Amount: '100.00', Currency: 'AED' } },
      PersonalIdentifiableInformation: PII,
      PaymentPurposeCode: 'ACM',
      OpenFinanceBilling: { Type: 'PushP2P', MerchantId: 'merchant-1' },
    },
  },
  signedRequestBody: 'header.request.signature',
  requestHeaders: { 'x-idempotency-key': 'as sent' },
  accessTokenHash: 'hash-of-a-token',
  interactionId: randomUUID() as CorrelationId,
  clientInteractionId: 'as-the-tpp-said',
  ...more,
})

export const answerOf = (consentId: ConsentId, paymentId: string): KeptAnswer => ({
  status: 201,
  body: {
    Data: {
      PaymentId: paymentId,
      ConsentId: consentId,
      Status: 'Pending',
      PaymentPurposeCode: 'ACM',
      Instruction: { Amount: { Amount: '100.00', Currency: 'AED' } },
      OpenFinanceBilling: { Type: 'PushP2P' },
    },
    Links: { Self: 'https://rs1.aurora.example/payments' },
    Meta: {},
  },
  signed: 'header.answer.signature',
})

export const madeOutcome = (
  consentId: ConsentId,
  more: Partial<Extract<PaymentOutcome, { kind: 'made' }>> = {},
): Extract<PaymentOutcome, { kind: 'made' }> => {
  const paymentId = more.paymentId ?? `pay-${randomUUID()}`
  return {
    kind: 'made',
    paymentId,
    status: 'Pending',
    madeAt: NOW,
    statusChangedAt: NOW,
    paymentTransactionId: null,
    billing: null,
    rejectReasons: null,
    answer: answerOf(consentId, paymentId),
    ...more,
  }
}

export const record = (db: Db, resources: ResourceLog, intent: PaymentIntent): Promise<Recorded> =>
  inTransaction(db, (tx) => resources.recordPayment(tx, intent, ATTEMPT, TPP))
export const settle = (db: Db, resources: ResourceLog, logId: string, outcome: PaymentOutcome): Promise<Payment> =>
  inTransaction(db, async (tx) => {
    const known = await resources.findByLogId(logId)
    if (known === null) throw new Error('no such payment')
    return resources.settlePayment(tx, known, outcome, TPP)
  })

export async function madePayment(
  db: Db,
  resources: ResourceLog,
  consentId: ConsentId,
  intent: Partial<PaymentIntent> = {},
): Promise<MadePayment> {
  const recorded = await record(db, resources, paymentIntent(consentId, intent))
  if (recorded.outcome !== 'recorded') throw new Error(recorded.outcome)
  const settled = await settle(db, resources, recorded.payment.logId, madeOutcome(consentId))
  if (settled.state !== 'made') throw new Error(settled.state)
  return settled
}
