/** A payment and its row, in both directions. What the row may hold is said by the constraints of the table. */
import assert from 'node:assert'
import { toInstant } from '../clock.ts'
import type { JsonObject, Psu } from '../consent-store/index.ts'
import type { AccountId, ClientId, ConsentId, CorrelationId, OrganisationId } from '../ids.ts'
import type { KeptAnswer, OpenPayment, Payment, PaymentStatus, PaymentType, RejectReason } from './payment.ts'

export type PaymentRow = {
  readonly id: string
  readonly consent_id: string
  readonly client_id: string
  readonly organisation_id: string
  readonly payment_type: PaymentType
  readonly idempotency_key: string
  readonly account_id: string
  readonly psu: Psu
  readonly tpp: JsonObject
  readonly request_body: JsonObject
  readonly signed_request_body: string | null
  readonly request_headers: JsonObject
  readonly access_token_hash: string
  readonly interaction_id: string
  readonly client_interaction_id: string | null
  readonly created_at: Date
  readonly updated_at: Date
  readonly revision: number
  readonly state: Payment['state']
  readonly attempt_until: Date | null
  readonly payment_id: string | null
  readonly status: PaymentStatus | null
  readonly made_at: Date | null
  readonly status_changed_at: Date | null
  readonly payment_transaction_id: string | null
  readonly billing: JsonObject | null
  readonly reject_reasons: readonly RejectReason[] | null
  readonly answer_status: number | null
  readonly answer_body: JsonObject | null
  readonly answer_signed: string | null
}

/** Enumerated, so that a column of a later release does not reach this one. */
export const PAYMENT_COLUMNS = [
  'id',
  'consent_id',
  'client_id',
  'organisation_id',
  'payment_type',
  'idempotency_key',
  'account_id',
  'psu',
  'tpp',
  'request_body',
  'signed_request_body',
  'request_headers',
  'access_token_hash',
  'interaction_id',
  'client_interaction_id',
  'created_at',
  'updated_at',
  'revision',
  'state',
  'attempt_until',
  'payment_id',
  'status',
  'made_at',
  'status_changed_at',
  'payment_transaction_id',
  'billing',
  'reject_reasons',
  'answer_status',
  'answer_body',
  'answer_signed',
] as const satisfies readonly (keyof PaymentRow)[]

export function toPayment(row: PaymentRow): Payment {
  const common = {
    logId: row.id,
    consentId: row.consent_id as ConsentId,
    clientId: row.client_id as ClientId,
    organisationId: row.organisation_id as OrganisationId,
    paymentType: row.payment_type,
    idempotencyKey: row.idempotency_key,
    accountId: row.account_id as AccountId,
    psu: row.psu,
    tpp: row.tpp,
    requestBody: row.request_body,
    signedRequestBody: row.signed_request_body,
    requestHeaders: row.request_headers,
    accessTokenHash: row.access_token_hash,
    interactionId: row.interaction_id as CorrelationId,
    clientInteractionId: row.client_interaction_id,
    createdAt: toInstant(row.created_at),
    updatedAt: toInstant(row.updated_at),
    revision: row.revision,
  }
  if (row.state === 'open') {
    assert(row.attempt_until !== null)
    return { ...common, state: row.state, attemptUntil: toInstant(row.attempt_until) }
  }
  assert(row.answer_status !== null)
  const answer = { status: row.answer_status, body: row.answer_body, signed: row.answer_signed }
  if (row.state === 'refused') return { ...common, state: row.state, answer }
  const { payment_id: paymentId, status } = row
  assert(paymentId !== null && status !== null && row.made_at !== null && row.status_changed_at !== null)
  return {
    ...common,
    state: row.state,
    paymentId,
    status,
    madeAt: toInstant(row.made_at),
    statusChangedAt: toInstant(row.status_changed_at),
    paymentTransactionId: row.payment_transaction_id,
    billing: row.billing,
    rejectReasons: row.reject_reasons,
    answer,
  }
}

export function newPaymentRow(intent: OpenPayment) {
  return {
    consent_id: intent.consentId,
    client_id: intent.clientId,
    organisation_id: intent.organisationId,
    payment_type: intent.paymentType,
    idempotency_key: intent.idempotencyKey,
    account_id: intent.accountId,
    psu: json(intent.psu),
    tpp: json(intent.tpp),
    request_body: json(intent.requestBody),
    signed_request_body: intent.signedRequestBody,
    request_headers: json(intent.requestHeaders),
    access_token_hash: intent.accessTokenHash,
    interaction_id: intent.interactionId,
    client_interaction_id: intent.clientInteractionId,
    created_at: new Date(intent.createdAt),
    updated_at: new Date(intent.updatedAt),
    revision: intent.revision,
    state: intent.state,
    attempt_until: new Date(intent.attemptUntil),
  }
}

/** The columns that a change may touch. */
export function changingPaymentColumns(payment: Payment) {
  const open = payment.state === 'open'
  const made = payment.state === 'made' ? payment : null
  return {
    updated_at: new Date(payment.updatedAt),
    revision: payment.revision,
    state: payment.state,
    attempt_until: open ? new Date(payment.attemptUntil) : null,
    payment_id: made?.paymentId ?? null,
    status: made?.status ?? null,
    made_at: made === null ? null : new Date(made.madeAt),
    status_changed_at: made === null ? null : new Date(made.statusChangedAt),
    payment_transaction_id: made?.paymentTransactionId ?? null,
    billing: json(made?.billing ?? null),
    reject_reasons: json(made?.rejectReasons ?? null),
    ...answerColumns(open ? null : payment.answer),
  }
}

const answerColumns = (answer: KeptAnswer | null) => ({
  answer_status: answer?.status ?? null,
  answer_body: json(answer?.body ?? null),
  answer_signed: answer?.signed ?? null,
})

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))
