/**
 * A payment as the hub keeps it (lfi-api 2.8), and which statuses follow which. Pure.
 *
 * `open`: the LFI has been asked, or is about to be, and has not answered. `refused`: the LFI said no and there is no
 * payment. `made`: the LFI gave it an id; from here on its status is the LFI's to change.
 */
import type { Instant } from '../clock.ts'
import type { JsonObject, Psu } from '../consent-store/index.ts'
import type { AccountId, ClientId, ConsentId, CorrelationId, OrganisationId } from '../ids.ts'

export const PAYMENT_TYPES = ['cbuae-payment', 'cbuae-file-payment'] as const
export type PaymentType = (typeof PAYMENT_TYPES)[number]

/** What may follow a status. A file that the LFI has received and not judged is Pending here (lfi-api 9 row 10). */
export const PAYMENT_MOVES = {
  Pending: ['AcceptedSettlementCompleted', 'AcceptedWithoutPosting', 'AcceptedCreditSettlementCompleted', 'Rejected'],
  AcceptedSettlementCompleted: ['AcceptedWithoutPosting', 'AcceptedCreditSettlementCompleted'],
  AcceptedWithoutPosting: ['AcceptedCreditSettlementCompleted'],
  AcceptedCreditSettlementCompleted: [],
  Rejected: [],
} as const satisfies Record<string, readonly string[]>
export type PaymentStatus = keyof typeof PAYMENT_MOVES

/** It was paid, and cannot be rejected any more. */
export const isMadeForGood = (status: PaymentStatus): boolean =>
  status !== 'Rejected' && !(PAYMENT_MOVES[status] as readonly string[]).includes('Rejected')

export type RejectReason = { readonly code: string; readonly message: string }

/** What the TPP asked for, before the LFI is. */
export type PaymentIntent = {
  readonly consentId: ConsentId
  readonly clientId: ClientId
  readonly organisationId: OrganisationId
  readonly paymentType: PaymentType
  readonly idempotencyKey: string
  readonly accountId: AccountId
  readonly psu: Psu
  readonly tpp: JsonObject
  /** The decoded message, `{Data}`; what is personal in it is a JWE that only the LFI opens. */
  readonly requestBody: JsonObject
  readonly signedRequestBody: string | null
  /** Without credentials: the caller removes what may not be kept. */
  readonly requestHeaders: JsonObject
  /** base64url SHA-256 of the access token. */
  readonly accessTokenHash: string
  readonly interactionId: CorrelationId
  /** As the TPP sent it. */
  readonly clientInteractionId: string | null
}

/** What the TPP was answered; a repeated idempotency key is answered so again. */
export type KeptAnswer = {
  readonly status: number
  /** Decoded: `{Data, Links, Meta}` of a payment, `{Errors}` of a refusal. */
  readonly body: JsonObject | null
  /** The same as the JWS that was sent. */
  readonly signed: string | null
}

type Common = PaymentIntent & {
  /** Of the row. Not the payment's id, which the LFI gives. */
  readonly logId: string
  readonly createdAt: Instant
  readonly updatedAt: Instant
  readonly revision: number
}
export type OpenPayment = Common & { readonly state: 'open'; readonly attemptUntil: Instant }
export type RefusedPayment = Common & { readonly state: 'refused'; readonly answer: KeptAnswer }
export type MadePayment = Common & {
  readonly state: 'made'
  readonly paymentId: string
  readonly status: PaymentStatus
  readonly madeAt: Instant
  readonly statusChangedAt: Instant
  readonly paymentTransactionId: string | null
  readonly billing: JsonObject | null
  readonly rejectReasons: readonly RejectReason[] | null
  readonly answer: KeptAnswer
}
export type Payment = OpenPayment | RefusedPayment | MadePayment

/**
 * Names a payment until the LFI does, and for good where the LFI settles it without ever having given it an id: a patch
 * has no place for one (lfi-api 2.8).
 */
export const unansweredId = ({ logId }: Pick<Common, 'logId'>): string => `unanswered-${logId}`
export const readUnansweredId = (id: string): string | null => /^unanswered-(\d{1,18})$/.exec(id)?.[1] ?? null
/** The LFI does not know the payment by the id that it has here, so it cannot be asked about it. */
export const isNamedByHub = (payment: MadePayment): boolean => readUnansweredId(payment.paymentId) !== null

/** A payment that was asked for and is unanswered, as the LFI says that it stands; `patchPayment` goes on from here. */
export function unansweredAsMade({ attemptUntil: _, ...asked }: OpenPayment): MadePayment {
  return {
    ...asked,
    state: 'made',
    paymentId: unansweredId(asked),
    status: 'Pending',
    madeAt: asked.createdAt,
    statusChangedAt: asked.createdAt,
    paymentTransactionId: null,
    billing: null,
    rejectReasons: null,
    answer: { status: 201, body: null, signed: null },
  }
}

/** What the LFI answered when it was asked to pay. `unknown`: it did not; the same key may ask it again. */
export type PaymentOutcome =
  | ({ readonly kind: 'made' } & Omit<MadePayment, keyof Common | 'state'>)
  | { readonly kind: 'refused'; readonly answer: KeptAnswer }
  | { readonly kind: 'unknown' }

/** PATCH of the LFI, parsed; null is "not in the patch". */
export type PaymentPatch = {
  readonly status: PaymentStatus
  readonly successfulTransactions: number | null
  readonly paymentTransactionId: string | null
  readonly rejectReasons: readonly RejectReason[] | null
}

export const PAYMENT_REFUSALS = {
  'not-from-here': 'The payment cannot pass from its status to this one',
  'transaction-id-set': 'paymentTransactionId is set already and does not change',
  'under-way': 'The LFI is being asked for this payment at this moment, and its answer is awaited',
  'no-file': 'NumberOfSuccessfulTransactions belongs to file payments',
} as const
export type PaymentRefusal = keyof typeof PAYMENT_REFUSALS

export type PaymentStep =
  | { readonly ok: true; readonly next: MadePayment; readonly changed: readonly string[] }
  | { readonly ok: false; readonly refusal: PaymentRefusal }

/** A repeated status is no move: it brings further members, or its first answer was lost on the way. */
export function patchPayment(payment: MadePayment, patch: PaymentPatch, now: Instant): PaymentStep {
  const { status, paymentTransactionId } = patch
  const moves = status !== payment.status
  if (moves && !(PAYMENT_MOVES[payment.status] as readonly string[]).includes(status)) return refuse('not-from-here')
  if (
    paymentTransactionId !== null &&
    payment.paymentTransactionId !== null &&
    paymentTransactionId !== payment.paymentTransactionId
  )
    return refuse('transaction-id-set')
  if (patch.successfulTransactions !== null && payment.paymentType !== 'cbuae-file-payment') return refuse('no-file')
  const next: MadePayment = {
    ...payment,
    status,
    statusChangedAt: moves ? now : payment.statusChangedAt,
    paymentTransactionId: paymentTransactionId ?? payment.paymentTransactionId,
    rejectReasons: patch.rejectReasons ?? payment.rejectReasons,
    billing:
      patch.successfulTransactions === null
        ? payment.billing
        : { ...payment.billing, NumberOfSuccessfulTransactions: patch.successfulTransactions },
  }
  return { ok: true, next, changed: differing(payment, next) }
}

/** Members that the LFI may patch, by their names in the record. */
const PATCHED = {
  'paymentResponse.status': (payment: MadePayment) => payment.status,
  'paymentResponse.paymentTransactionId': (payment: MadePayment) => payment.paymentTransactionId,
  'paymentResponse.rejectReasonCode': (payment: MadePayment) => payment.rejectReasons,
  'paymentResponse.OpenFinanceBilling': (payment: MadePayment) => payment.billing,
} as const

const differing = (before: MadePayment, next: MadePayment): readonly string[] =>
  Object.entries(PATCHED)
    .filter(([, value]) => JSON.stringify(value(before)) !== JSON.stringify(value(next)))
    .map(([name]) => name)

const refuse = (refusal: PaymentRefusal): PaymentStep => ({ ok: false, refusal })
