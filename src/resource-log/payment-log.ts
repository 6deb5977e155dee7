/** Payments, from the moment before the LFI is asked to their last status; each change is one transaction. */
import assert from 'node:assert'
import { type Instant, iso, type Milliseconds, plus } from '../clock.ts'
import {
  type Asked,
  atClock,
  type Caller,
  type JsonObject,
  LIMIT_FAULTS,
  type LockedConsent,
  limitFault,
  type Subscription,
} from '../consent-store/index.ts'
import { type Db, inTransaction, query, type Tx } from '../db.ts'
import { HubError } from '../errors.ts'
import type { ClientId, ConsentId } from '../ids.ts'
import { localDateAt } from '../local-date.ts'
import {
  type MadePayment,
  type OpenPayment,
  PAYMENT_REFUSALS,
  type Payment,
  type PaymentIntent,
  type PaymentOutcome,
  type PaymentPatch,
  type PaymentType,
  patchPayment,
} from './payment.ts'
import { changingPaymentColumns, newPaymentRow, PAYMENT_COLUMNS, type PaymentRow, toPayment } from './payment-row.ts'
import { noteFor, paidUnder } from './spending.ts'
import { leaveTraces, type ResourceChange, type Unit } from './traces.ts'

/**
 * `recorded`: the LFI is to be asked. `resumed`: an earlier attempt with this key got no answer; the LFI is to be
 * asked again, with the request as it was recorded. `in-flight`: such an attempt is under way. `answered`: the TPP
 * gets the answer of then. `other-consent`: the key was used for a payment of another consent.
 */
export type Recorded =
  | { readonly outcome: 'recorded' | 'resumed'; readonly payment: OpenPayment }
  | { readonly outcome: 'answered'; readonly payment: Exclude<Payment, OpenPayment> }
  | { readonly outcome: 'in-flight' | 'other-consent' }

export type IdempotencyKey = {
  readonly clientId: ClientId
  readonly paymentType: PaymentType
  readonly idempotencyKey: string
}

const table = (db: Db | Tx) => db<PaymentRow>('payment_log')

/** Under the key of its client: of several at once one is recorded, and the others find it. */
export async function recordPayment(
  tx: Tx,
  unit: Unit,
  intent: PaymentIntent,
  attemptFor: Milliseconds,
  caller: Caller,
): Promise<Recorded> {
  const now = unit.clock.now()
  const inserted = (await tx('payment_log')
    .insert(newPaymentRow(intent, now, plus(now, attemptFor)))
    .onConflict(['client_id', 'payment_type', 'idempotency_key'])
    .ignore()
    .returning(PAYMENT_COLUMNS)) as PaymentRow[]
  const [row] = inserted
  if (row !== undefined) {
    const payment = toPayment(row)
    assert(payment.state === 'open')
    await leave(tx, unit, { before: null, payment, change: 'asked', changed: [] }, caller)
    return { outcome: 'recorded', payment }
  }
  const known = await lockBy(tx, {
    client_id: intent.clientId,
    payment_type: intent.paymentType,
    idempotency_key: intent.idempotencyKey,
  })
  assert(known !== null)
  if (known.consentId !== intent.consentId) return { outcome: 'other-consent' }
  if (known.state !== 'open') return { outcome: 'answered', payment: known }
  if (known.attemptUntil > now) return { outcome: 'in-flight' }
  const payment = { ...known, attemptUntil: plus(now, attemptFor), ...following(known, now) }
  await save(tx, payment)
  await leave(tx, unit, { before: known, payment, change: 'resumed', changed: [] }, caller)
  return { outcome: 'resumed', payment }
}

/**
 * Records a payment if it fits what the user agreed to, with the consent locked: of several at once each sees the ones
 * before it, so that together they exceed nothing. A payment that was recorded before is not judged again.
 * @throws HubError Consent.Invalid, Consent.FailsControlParameters
 */
export function reservePayment(
  unit: Unit,
  intent: PaymentIntent,
  asked: Asked,
  attemptFor: Milliseconds,
  caller: Caller,
): Promise<Recorded> {
  return inTransaction(unit.db, async (tx) => {
    const consent = await unit.consents.lock(tx, intent.consentId)
    if (consent?.type !== 'service-initiation') throw new HubError('Consent.Invalid')
    const paid = await paidUnder(tx, consent.id)
    const recorded = await recordPayment(tx, unit, intent, attemptFor, caller)
    if (recorded.outcome !== 'recorded') return recorded
    const { status } = atClock(consent, unit.clock.now())
    if (status !== 'Authorized') {
      throw new HubError('Consent.Invalid', {
        rule: 'consent.usable',
        seen: status,
        reason: 'The consent was ended meanwhile',
      })
    }
    const fault = limitFault(consent.payment.control, paid, asked)
    if (fault === null) return recorded
    throw new HubError('Consent.FailsControlParameters', {
      rule: 'payment.limits',
      seen: fault,
      reason: LIMIT_FAULTS[fault],
      detail: fault,
    })
  })
}

/** The consent, locked before its payment is, and the payment; of an unknown payment neither. */
async function lockBoth(tx: Tx, unit: Unit, where: Where) {
  const known = await readBy(tx, where)
  const consent = known === null ? null : await unit.consents.lock(tx, known.consentId)
  return { consent, before: known === null ? null : await lockBy(tx, where) }
}

/** What has been paid is the consent's to know, in the same transaction. */
async function tellConsent(
  tx: Tx,
  unit: Unit,
  consent: LockedConsent | null,
  attemptedAt: Instant | null,
  caller: Caller,
) {
  if (consent?.type !== 'service-initiation') return
  const today = localDateAt(unit.clock.now())
  await unit.consents.notePayment(tx, consent, await noteFor(tx, consent, { attemptedAt, today }), caller)
}

/** What the LFI answered. A payment that has been answered already stays as it is. */
export async function settlePayment(
  tx: Tx,
  unit: Unit,
  logId: string,
  outcome: PaymentOutcome,
  caller: Caller,
): Promise<Payment> {
  const { consent, before } = await lockBoth(tx, unit, { id: logId })
  assert(before !== null, 'settlePayment: no such payment')
  if (before.state !== 'open') return before
  const now = unit.clock.now()
  const payment = settled(before, outcome, now)
  await save(tx, payment)
  const change = outcome.kind === 'unknown' ? 'unanswered' : 'answered'
  await leave(tx, unit, { before, payment, change, changed: [] }, caller)
  await tellConsent(tx, unit, consent, payment.createdAt, caller)
  return payment
}

function settled(open: OpenPayment, outcome: PaymentOutcome, now: Instant): Payment {
  const next = following(open, now)
  if (outcome.kind === 'unknown') return { ...open, ...next, attemptUntil: now }
  const { attemptUntil: _, ...common } = open
  if (outcome.kind === 'refused') return { ...common, ...next, state: 'refused', answer: outcome.answer }
  const { kind: __, ...made } = outcome
  return { ...common, ...next, state: 'made', ...made }
}

/** @throws HubError Resource.InvalidFormat for an unknown payment, Event.UnexpectedEvent */
export function patchByLfi(unit: Unit, paymentId: string, patch: PaymentPatch, caller: Caller): Promise<MadePayment> {
  return inTransaction(unit.db, async (tx) => {
    const { consent, before } = await lockBoth(tx, unit, { payment_id: paymentId })
    if (before?.state !== 'made') throw new HubError('Resource.InvalidFormat', { reason: 'There is no such payment' })
    const now = unit.clock.now()
    const step = patchPayment(before, patch, now)
    if (!step.ok)
      throw new HubError('Event.UnexpectedEvent', { reason: PAYMENT_REFUSALS[step.refusal], detail: step.refusal })
    if (step.changed.length === 0) return before
    const payment = { ...step.next, ...following(before, now) }
    await save(tx, payment)
    await leave(tx, unit, { before, payment, change: 'patched', changed: step.changed }, caller)
    if (payment.status !== before.status) await tellConsent(tx, unit, consent, null, caller)
    return payment
  })
}

export async function findPayment(db: Db | Tx, paymentId: string): Promise<MadePayment | null> {
  const payment = await readBy(db, { payment_id: paymentId })
  return payment?.state === 'made' ? payment : null
}

/** By the number of its row: of a payment that the LFI has not given an id. */
export const findByLogId = (db: Db | Tx, logId: string): Promise<Payment | null> => readBy(db, { id: logId })

export const findByKey = (db: Db | Tx, key: IdempotencyKey): Promise<Payment | null> =>
  readBy(db, {
    client_id: key.clientId,
    payment_type: key.paymentType,
    idempotency_key: key.idempotencyKey,
  })

/** More than any consent can make of itself in its year; a list that long is cut at its oldest. */
const LISTED_MAX = 10_000

/** Everything asked for under a consent, whatever came of it. Oldest first. */
export async function listPayments(db: Db | Tx, consentId: ConsentId): Promise<readonly Payment[]> {
  const rows = (await table(db)
    .where('consent_id', consentId)
    .orderBy('id', 'desc')
    .limit(LISTED_MAX)
    .select(PAYMENT_COLUMNS)) as PaymentRow[]
  return rows.toReversed().map(toPayment)
}

/** As the LFI named them, of a consent; of more than can be listed the latest. */
export async function paymentIdsOf(db: Db, consentId: ConsentId): Promise<readonly string[]> {
  const { rows } = await query<{ payment_id: string }>(
    db,
    'select payment_id from payment_log where consent_id = ? and payment_id is not null order by id desc limit ?',
    [consentId, LISTED_MAX],
  )
  return rows.map(({ payment_id }) => payment_id).reverse()
}

type Where = Readonly<Record<string, string>>

async function readBy(db: Db | Tx, where: Where): Promise<Payment | null> {
  const row = (await table(db).where(where).first(PAYMENT_COLUMNS)) as PaymentRow | undefined
  return row === undefined ? null : toPayment(row)
}

async function lockBy(tx: Tx, where: Where): Promise<Payment | null> {
  const row = (await table(tx).where(where).forUpdate().first(PAYMENT_COLUMNS)) as PaymentRow | undefined
  return row === undefined ? null : toPayment(row)
}

/** The row is locked by whoever saves it. */
async function save(tx: Tx, payment: Payment): Promise<void> {
  const count = await tx('payment_log').where({ id: payment.logId }).update(changingPaymentColumns(payment))
  assert(count === 1)
}

const following = (before: Payment, now: Instant) => ({
  revision: before.revision + 1,
  updatedAt: Math.max(now, before.updatedAt + 1) as Instant,
})

type Change = {
  readonly before: Payment | null
  readonly payment: Payment
  readonly change: ResourceChange
  readonly changed: readonly string[]
}

const standing = (payment: Payment): string => (payment.state === 'made' ? payment.status : payment.state)

async function leave(tx: Tx, unit: Unit, { before, payment, change, changed }: Change, caller: Caller): Promise<void> {
  await leaveTraces(
    tx,
    unit,
    {
      resource: 'payment',
      logId: payment.logId,
      consentId: payment.consentId,
      clientId: payment.clientId,
      at: payment.updatedAt,
      change,
      from: before === null ? null : standing(before),
      to: standing(payment),
      revision: payment.revision,
      changed,
      notice: change === 'patched' && payment.state === 'made' ? await noticeOf(tx, payment) : null,
    },
    caller,
  )
}

/** Sent where the consent's subscription says; of file payments no event is defined (tpp-api 8.3). */
async function noticeOf(tx: Tx, payment: MadePayment) {
  if (payment.paymentType === 'cbuae-file-payment') return null
  const [found] = (
    await query<{ subscription: Subscription | null }>(tx, 'select subscription from consent where id = ?', [
      payment.consentId,
    ])
  ).rows
  const webhook = found?.subscription?.Webhook
  if (webhook?.IsActive !== true) return null
  return { resourceId: payment.paymentId, url: webhook.Url, body: paymentData(payment) }
}

/** `Data` of the payment as the TPP knows it: what it was answered, with what the LFI has said since. */
export function paymentData(payment: MadePayment): JsonObject {
  const reasons = payment.rejectReasons?.map(({ code, message }) => ({ Code: code, Message: message }))
  return {
    ...(payment.answer.body?.['Data'] as JsonObject | undefined),
    PaymentId: payment.paymentId,
    ConsentId: payment.consentId,
    Status: payment.status,
    StatusUpdateDateTime: iso(payment.statusChangedAt),
    ...(payment.paymentTransactionId === null ? {} : { PaymentTransactionId: payment.paymentTransactionId }),
    ...(reasons === undefined ? {} : { RejectReasonCode: reasons }),
  }
}
