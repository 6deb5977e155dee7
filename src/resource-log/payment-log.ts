/** Payments as they were recorded: found by what names them, and listed under their consent. */
import { iso } from '../clock.ts'
import type { JsonObject } from '../consent-store/index.ts'
import { type Db, prepared, query, type Tx } from '../db.ts'
import type { ClientId, ConsentId } from '../ids.ts'
import type { MadePayment, Payment, PaymentType } from './payment.ts'
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from './payment-row.ts'

export type IdempotencyKey = {
  readonly clientId: ClientId
  readonly paymentType: PaymentType
  readonly idempotencyKey: string
}

const table = (db: Db | Tx) => db<PaymentRow>('payment_log')

export async function findPayment(db: Db | Tx, paymentId: string): Promise<MadePayment | null> {
  const payment = await readBy(db, { payment_id: paymentId })
  return payment?.state === 'made' ? payment : null
}

/** By the number of its row: of a payment that the LFI has not given an id. */
export const findByLogId = (db: Db | Tx, logId: string): Promise<Payment | null> => readBy(db, { id: logId })

const BY_KEY = `
  select ${PAYMENT_COLUMNS.join(', ')} from payment_log
  where client_id = ? and payment_type = ? and idempotency_key = ?`

/** `locked`: until the transaction ends. */
export async function findByKey(db: Db | Tx, key: IdempotencyKey, held?: 'locked'): Promise<Payment | null> {
  const values = [key.clientId, key.paymentType, key.idempotencyKey]
  const { rows } =
    held === 'locked'
      ? await query<PaymentRow>(db, `${BY_KEY} for update`, values)
      : await prepared<PaymentRow>(db, 'payment-by-key', BY_KEY, values)
  const [row] = rows
  return row === undefined ? null : toPayment(row)
}

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

export type Where = Readonly<Record<string, string>>

export async function readBy(db: Db | Tx, where: Where): Promise<Payment | null> {
  const row = (await table(db).where(where).first(PAYMENT_COLUMNS)) as PaymentRow | undefined
  return row === undefined ? null : toPayment(row)
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
