/** Payments as they were recorded: found by what names them, and listed under their consent. */
import type { Instant } from '../clock.ts'
import { type Db, prepared, query, type Tx } from '../db.ts'
import type { ClientId, ConsentId } from '../ids.ts'
import { type MadePayment, type Payment, type PaymentType, readUnansweredId } from './payment.ts'
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

export type PaymentsWanted = {
  /** Those that the LFI was asked for and gave no answer to, and is not being asked for now. */
  readonly unsettled: boolean
  readonly consentId: ConsentId | null
  readonly limit: number
}

/** Newest first. */
export async function browsePayments(db: Db, wanted: PaymentsWanted, now: Instant): Promise<readonly Payment[]> {
  const { unsettled, consentId, limit } = wanted
  const found = table(db).orderBy('id', 'desc').limit(limit)
  if (unsettled) found.where('state', 'open').andWhere('attempt_until', '<=', new Date(now))
  if (consentId !== null) found.where('consent_id', consentId)
  return ((await found.select(PAYMENT_COLUMNS)) as PaymentRow[]).map(toPayment)
}

/** By the id of the LFI, the hub's own, or an idempotency key, which several clients may have used. Oldest first. */
export async function findNamed(db: Db, name: string): Promise<readonly Payment[]> {
  const rows = (await table(db)
    .where('payment_id', name)
    .orWhere('idempotency_key', name)
    .orWhere('id', readUnansweredId(name) ?? '0')
    .orderBy('id')
    .limit(LISTED_MAX)
    .select(PAYMENT_COLUMNS)) as PaymentRow[]
  return rows.map(toPayment)
}
