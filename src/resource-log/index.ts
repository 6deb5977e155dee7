/**
 * What a TPP had the LFI do, apart from reading data: payments under a consent, and account openings, FX quotes and
 * insurance quotes, which belong to none. A room beside the consent store, because these have lives of their own that
 * go on after a consent has ended, and grow with use where consents grow with agreements.
 */
import type { Milliseconds } from '../clock.ts'
import type { Asked, Caller, JsonObject, Subscription } from '../consent-store/index.ts'
import { type Db, inTransaction, type Migration, type Tx } from '../db.ts'
import type { ClientId, ConsentId } from '../ids.ts'
import { resourceLog } from './migrations/0050-resource-log.ts'
import { paymentAsked } from './migrations/0051-payment-asked.ts'
import { paymentTally } from './migrations/0052-payment-tally.ts'
import { paymentOpen } from './migrations/0053-payment-open.ts'
import { resourceRetention } from './migrations/0054-resource-retention.ts'
import { resourceDestroy } from './migrations/0055-resource-destroy.ts'
import { quoteWords } from './migrations/0056-quote-words.ts'
import { resourceDestroyAfterConsent } from './migrations/0057-resource-destroy-after-consent.ts'
import type { MadePayment, Payment, PaymentIntent, PaymentOutcome, PaymentPatch } from './payment.ts'
import { patchByLfi, type Recorded, recordPayment, reservePayment, settlePayment } from './payment-changes.ts'
import {
  browsePayments,
  findByKey,
  findByLogId,
  findNamed,
  findPayment,
  type IdempotencyKey,
  listPayments,
  type PaymentsWanted,
  paymentIdsOf,
} from './payment-log.ts'
import type { NewRequest, RequestKind, ServiceRequest } from './request.ts'
import { changeSubscription, findRequest, moveByTpp, patchRequestByLfi, recordRequest } from './request-log.ts'
import { type DestroyedResources, destroyExpired } from './retention.ts'
import { type ResourceTrailRow, readTrail, type Unit } from './traces.ts'
import { claimWaiting } from './waiting.ts'

export type {
  KeptAnswer,
  MadePayment,
  OpenPayment,
  Payment,
  PaymentIntent,
  PaymentOutcome,
  PaymentPatch,
  PaymentStatus,
  PaymentType,
  RefusedPayment,
  RejectReason,
} from './payment.ts'
export { isNamedByHub, readUnansweredId, unansweredAsMade, unansweredId } from './payment.ts'
export type { Recorded } from './payment-changes.ts'
export { filledFrom, paymentData, wantedIn } from './payment-data.ts'
export type { IdempotencyKey, PaymentsWanted } from './payment-log.ts'
export type { NewRequest, RequestKind, ServiceRequest } from './request.ts'
export type { DestroyedResources } from './retention.ts'
export { ENDED_REQUESTS } from './retention.ts'
export type { ResourceTrailRow } from './traces.ts'

export const migrations: readonly Migration[] = [
  resourceLog,
  paymentAsked,
  paymentTally,
  paymentOpen,
  resourceRetention,
  resourceDestroy,
  quoteWords,
  resourceDestroyAfterConsent,
]

export type ResourceLog = {
  /**
   * Before the LFI is asked, under the idempotency key of the client. For `attemptFor` the attempt counts as under
   * way; make it longer than the LFI may take. Joins the caller's transaction.
   */
  recordPayment(tx: Tx, intent: PaymentIntent, attemptFor: Milliseconds, caller: Caller): Promise<Recorded>
  /** The same in a transaction of its own, if the payment fits its consent. */
  reservePayment(intent: PaymentIntent, asked: Asked, attemptFor: Milliseconds, caller: Caller): Promise<Recorded>
  /** What came of it, once. Joins the caller's transaction, in which it may also consume the consent. */
  settlePayment(tx: Tx, known: Payment, outcome: PaymentOutcome, caller: Caller): Promise<Payment>
  /** The same in a transaction of its own. */
  answerPayment(known: Payment, outcome: PaymentOutcome, caller: Caller): Promise<Payment>
  /** By the id that the LFI gave. */
  findPayment(paymentId: string): Promise<MadePayment | null>
  findByKey(key: IdempotencyKey): Promise<Payment | null>
  findByLogId(logId: string): Promise<Payment | null>
  /** Everything asked for under a consent, oldest first; in a transaction that has locked the consent it stays so. */
  listPayments(consentId: ConsentId, tx?: Tx): Promise<readonly Payment[]>
  /** Of the payments made under a consent, rejected ones included, as the LFI named them. Oldest first. */
  paymentIdsOf(consentId: ConsentId): Promise<readonly string[]>
  /** Newest first. */
  browsePayments(wanted: PaymentsWanted): Promise<readonly Payment[]>
  /** By payment id or idempotency key; several clients may have used the same key. */
  findNamed(name: string): Promise<readonly Payment[]>
  /** Oldest first. */
  trailOf(payment: Payment): Promise<readonly ResourceTrailRow[]>
  /** Payments that wait for their end and should be asked about now; each goes to one caller at a time. */
  claimWaitingPayments(limit: number): Promise<readonly MadePayment[]>
  /** `paymentId`: the hub's own where the LFI has given none. */
  patchPaymentByLfi(paymentId: string, patch: PaymentPatch, caller: Caller): Promise<MadePayment>

  /** Once the LFI has given it an id. */
  recordRequest(tx: Tx, asked: NewRequest, caller: Caller): Promise<ServiceRequest>
  findRequest(kind: RequestKind, resourceId: string): Promise<ServiceRequest | null>
  changeSubscription(
    tx: Tx,
    at: { readonly kind: RequestKind; readonly resourceId: string; readonly clientId: ClientId },
    subscription: Subscription,
    caller: Caller,
  ): Promise<ServiceRequest>
  /** What the client decided about its request: the LFI has taken it. */
  moveByTpp(
    tx: Tx,
    at: { readonly kind: RequestKind; readonly resourceId: string; readonly clientId: ClientId },
    to: { readonly status: string; readonly subscription?: Subscription },
    caller: Caller,
  ): Promise<ServiceRequest>
  patchRequestByLfi(kind: RequestKind, resourceId: string, body: JsonObject, caller: Caller): Promise<ServiceRequest>

  /** What came to its end so many days ago, up to `limit` of payments and of requests; null: there was nothing. */
  destroyExpired(days: number, limit: number): Promise<DestroyedResources | null>
}

export type ResourceLogDeps = Unit

export function createResourceLog(deps: ResourceLogDeps): ResourceLog {
  const db: Db = deps.db
  return {
    recordPayment: (tx, intent, attemptFor, caller) => recordPayment(tx, deps, intent, attemptFor, caller),
    reservePayment: (intent, asked, attemptFor, caller) => reservePayment(deps, intent, asked, attemptFor, caller),
    settlePayment: (tx, known, outcome, caller) => settlePayment(tx, deps, known, outcome, caller),
    answerPayment: (known, outcome, caller) =>
      inTransaction(db, (tx) => settlePayment(tx, deps, known, outcome, caller)),
    findPayment: (paymentId) => findPayment(db, paymentId),
    findByKey: (key) => findByKey(db, key),
    findByLogId: (logId) => findByLogId(db, logId),
    listPayments: (consentId, tx) => listPayments(tx ?? db, consentId),
    paymentIdsOf: (consentId) => paymentIdsOf(db, consentId),
    browsePayments: (wanted) => browsePayments(db, wanted, deps.clock.now()),
    findNamed: (name) => findNamed(db, name),
    trailOf: ({ logId }) => readTrail(db, 'payment', logId),
    claimWaitingPayments: (limit) => claimWaiting(db, deps.clock, limit),
    patchPaymentByLfi: (paymentId, patch, caller) => patchByLfi(deps, paymentId, patch, caller),
    recordRequest: (tx, asked, caller) => recordRequest(tx, deps, asked, caller),
    findRequest: (kind, resourceId) => findRequest(db, kind, resourceId),
    changeSubscription: (tx, at, subscription, caller) => changeSubscription(tx, deps, at, subscription, caller),
    moveByTpp: (tx, at, to, caller) => moveByTpp(tx, deps, at, to, caller),
    destroyExpired: (days, limit) => destroyExpired(deps, days, limit),
    patchRequestByLfi: (kind, resourceId, body, caller) => patchRequestByLfi(deps, kind, resourceId, body, caller),
  }
}
