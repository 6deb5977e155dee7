/** What happens to payments, from the moment before the LFI is asked to their last status; each change is one transaction. */
import assert from 'node:assert'
import { type Instant, type Milliseconds, plus } from '../clock.ts'
import {
  type Asked,
  atClock,
  type Caller,
  LIMIT_FAULTS,
  type LockedConsent,
  limitFault,
} from '../consent-store/index.ts'
import { inTransaction, type Tx } from '../db.ts'
import { HubError } from '../errors.ts'
import { localDateAt } from '../local-date.ts'
import { billedFactsOf } from './billed-facts.ts'
import {
  type MadePayment,
  type OpenPayment,
  PAYMENT_REFUSALS,
  type Payment,
  type PaymentIntent,
  type PaymentOutcome,
  type PaymentPatch,
  type PaymentRefusal,
  patchPayment,
  readUnansweredId,
  unansweredAsMade,
} from './payment.ts'
import { paymentData } from './payment-data.ts'
import { findByKey, findByLogId, findPayment } from './payment-log.ts'
import { insertPayment, updatePayment } from './save-payment.ts'
import { noteFor, type PaidUnder } from './spending.ts'
import { auditEntryOf, enqueueNotice, type ResourceChange, type Traces, type Unit } from './traces.ts'

/**
 * `recorded`: the LFI is to be asked. `resumed`: an earlier attempt with this key got no answer; the LFI is to be
 * asked again, with the request as it was recorded. `in-flight`: such an attempt is under way. `answered`: the TPP
 * gets the answer of then. `other-consent`: the key was used for a payment of another consent.
 */
export type Recorded =
  | { readonly outcome: 'recorded' | 'resumed'; readonly payment: OpenPayment }
  | { readonly outcome: 'answered'; readonly payment: Exclude<Payment, OpenPayment> }
  | { readonly outcome: 'in-flight'; readonly payment: OpenPayment }
  | { readonly outcome: 'other-consent' }

/** Under the key of its client: of several at once one is recorded, and the others find it. */
export async function recordPayment(
  tx: Tx,
  unit: Unit,
  intent: PaymentIntent,
  attemptFor: Milliseconds,
  caller: Caller,
): Promise<Recorded> {
  const consent = await unit.consents.lock(tx, intent.consentId)
  return (await recordBeside(tx, unit, intent, consent, attemptFor, caller)).recorded
}

async function recordBeside(
  tx: Tx,
  unit: Unit,
  intent: PaymentIntent,
  consent: LockedConsent | null,
  attemptFor: Milliseconds,
  caller: Caller,
): Promise<{ readonly recorded: Recorded; readonly paidBefore: PaidUnder }> {
  const now = unit.clock.now()
  const attemptUntil = plus(now, attemptFor)
  const fresh = {
    ...intent,
    logId: '',
    createdAt: now,
    updatedAt: now,
    revision: 1,
    state: 'open',
    attemptUntil,
  } as const
  const asked = tracesOf({ before: null, payment: fresh, consent, change: 'asked', changed: [] })
  const { logId, paidBefore } = await insertPayment(tx, fresh, asked, caller)
  if (logId === null) {
    return { recorded: await recordAgain(tx, unit, intent, consent, attemptUntil, caller), paidBefore }
  }
  await unit.audit.append(tx, auditEntryOf(unit, { ...asked, logId }, caller))
  return { recorded: { outcome: 'recorded', payment: { ...fresh, logId } }, paidBefore }
}

/** The key is taken. */
async function recordAgain(
  tx: Tx,
  unit: Unit,
  intent: PaymentIntent,
  consent: LockedConsent | null,
  attemptUntil: Instant,
  caller: Caller,
): Promise<Recorded> {
  const known = await findByKey(tx, intent, 'locked')
  assert(known !== null)
  if (known.consentId !== intent.consentId) return { outcome: 'other-consent' }
  if (known.state !== 'open') return { outcome: 'answered', payment: known }
  const now = unit.clock.now()
  if (known.attemptUntil > now) return { outcome: 'in-flight', payment: known }
  const payment = { ...known, attemptUntil, ...following(known, now) }
  const traces = tracesOf({ before: known, payment, consent, change: 'resumed', changed: [] })
  assert(await updatePayment(tx, payment, known.revision, traces, caller))
  await unit.audit.append(tx, auditEntryOf(unit, traces, caller))
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
    const { recorded, paidBefore } = await recordBeside(tx, unit, intent, consent, attemptFor, caller)
    if (recorded.outcome !== 'recorded') return recorded
    const { status } = atClock(consent, unit.clock.now())
    if (status !== 'Authorized') {
      throw new HubError('Consent.Invalid', {
        rule: 'consent.usable',
        seen: status,
        reason: 'The consent was ended meanwhile',
      })
    }
    const fault = limitFault(consent.payment.control, paidBefore, asked)
    if (fault === null) return recorded
    throw new HubError('Consent.FailsControlParameters', {
      rule: 'payment.limits',
      seen: fault,
      reason: LIMIT_FAULTS[fault],
      detail: fault,
    })
  })
}

/** The consent is told what has been paid, and the entry of the payment goes with its own. */
async function tellConsent(
  tx: Tx,
  unit: Unit,
  consent: LockedConsent | null,
  attemptedAt: Instant | null,
  { caller, entry }: { readonly caller: Caller; readonly entry: ReturnType<typeof auditEntryOf> },
) {
  if (consent?.type !== 'service-initiation') return unit.audit.append(tx, entry)
  const today = localDateAt(unit.clock.now())
  const note = await noteFor(tx, consent, { attemptedAt, today })
  return unit.consents.notePayment(tx, consent, note, { caller, beside: [entry] })
}

/**
 * What the LFI answered. A payment that has been answered already stays as it is.
 * @param known as the caller last saw it
 */
export async function settlePayment(
  tx: Tx,
  unit: Unit,
  known: Payment,
  outcome: PaymentOutcome,
  caller: Caller,
): Promise<Payment> {
  const consent = await unit.consents.lock(tx, known.consentId)
  for (let before: Payment | null = known; before !== null; before = await findByLogId(tx, known.logId)) {
    if (before.state !== 'open') return before
    const payment = settled(before, outcome, unit.clock.now())
    const change = outcome.kind === 'unknown' ? 'unanswered' : 'answered'
    const traces = tracesOf({ before, payment, consent, change, changed: [] })
    // With the consent locked nobody else moves it: what does not stand as the caller saw it is read again, once.
    if (!(await updatePayment(tx, payment, before.revision, traces, caller))) continue
    await tellConsent(tx, unit, consent, payment.createdAt, { caller, entry: auditEntryOf(unit, traces, caller) })
    return payment
  }
  throw new Error('a payment that was never recorded')
}

function settled(open: OpenPayment, outcome: PaymentOutcome, now: Instant): Payment {
  const next = following(open, now)
  if (outcome.kind === 'unknown') return { ...open, ...next, attemptUntil: now }
  const { attemptUntil: _, ...common } = open
  if (outcome.kind === 'refused') return { ...common, ...next, state: 'refused', answer: outcome.answer }
  const { kind: __, ...made } = outcome
  return { ...common, ...next, state: 'made', ...made }
}

/**
 * By the id that the payment has here: the LFI's, or the hub's own where the LFI has never answered for it. Such a
 * payment is settled by it, and its key gets what the LFI said from then on; the LFI is not asked again.
 * @throws HubError Resource.InvalidFormat for an unknown payment, Event.UnexpectedEvent
 */
export function patchByLfi(unit: Unit, paymentId: string, patch: PaymentPatch, caller: Caller): Promise<MadePayment> {
  return inTransaction(unit.db, async (tx) => {
    const known = await findPatchable(tx, paymentId)
    const consent = known === null ? null : await unit.consents.lock(tx, known.consentId)
    const before = known === null ? null : await findPatchable(tx, paymentId)
    if (before === null) throw new HubError('Resource.InvalidFormat', { reason: 'There is no such payment' })
    const now = unit.clock.now()
    if (before.state === 'open' && before.attemptUntil > now) throw refused('under-way')
    const from = before.state === 'open' ? unansweredAsMade(before) : before
    const step = patchPayment(from, patch, now)
    if (!step.ok) throw refused(step.refusal)
    if (before.state === 'made' && step.changed.length === 0) return before
    const payment = { ...step.next, ...following(before, now) }
    const notice = noticeOf(payment, consent)
    const traces = {
      ...tracesOf({ before, payment, consent, change: 'patched', changed: step.changed }),
      notice,
    }
    assert(await updatePayment(tx, payment, before.revision, traces, caller))
    await enqueueNotice(tx, traces, caller)
    const entry = auditEntryOf(unit, traces, caller)
    if (before.state === 'made' && payment.status === before.status) await unit.audit.append(tx, entry)
    else await tellConsent(tx, unit, consent, null, { caller, entry })
    return payment
  })
}

async function findPatchable(tx: Tx, id: string): Promise<MadePayment | OpenPayment | null> {
  const made = await findPayment(tx, id)
  const logId = readUnansweredId(id)
  if (made !== null || logId === null) return made
  const unanswered = await findByLogId(tx, logId)
  return unanswered?.state === 'open' ? unanswered : null
}

const refused = (refusal: PaymentRefusal): HubError =>
  new HubError('Event.UnexpectedEvent', { reason: PAYMENT_REFUSALS[refusal], detail: refusal })

const following = (before: Payment, now: Instant) => ({
  revision: before.revision + 1,
  updatedAt: Math.max(now, before.updatedAt + 1) as Instant,
})

type Change = {
  readonly before: Payment | null
  readonly payment: Payment
  /** Under which it is made. */
  readonly consent: LockedConsent | null
  readonly change: ResourceChange
  readonly changed: readonly string[]
}

const standing = (payment: Payment): string => (payment.state === 'made' ? payment.status : payment.state)

const tracesOf = ({ before, payment, consent, change, changed }: Change): Traces => ({
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
  facts: billedFactsOf(before, payment, consent),
  notice: null,
})

/** Sent where the consent's subscription says; of file payments no event is defined (tpp-api 8.3). */
function noticeOf(payment: MadePayment, consent: LockedConsent | null): Traces['notice'] {
  const webhook = consent?.subscription?.Webhook
  if (payment.paymentType === 'cbuae-file-payment' || webhook?.IsActive !== true) return null
  return { resourceId: payment.paymentId, url: webhook.Url, body: paymentData(payment) }
}
