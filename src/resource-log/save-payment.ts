/** Payments written: each change in one statement, with its line of the history. */
import type { Caller } from '../consent-store/index.ts'
import { prepared, type Tx } from '../db.ts'
import type { OpenPayment, Payment } from './payment.ts'
import { changingPaymentColumns, newPaymentRow } from './payment-row.ts'
import { type PaidUnder, paidIn, TALLY_AS_JSON, type TallyRow } from './spending.ts'
import { type Traces, trailRow } from './traces.ts'

/**
 * Under the key of its client, where that is not taken. `paidBefore` is what had been paid under the consent as this
 * began: asked in the same statement, whose own payment is therefore not among it.
 */
export async function insertPayment(
  tx: Tx,
  payment: OpenPayment,
  traces: Traces,
  caller: Caller,
): Promise<{ readonly logId: string | null; readonly paidBefore: PaidUnder }> {
  const row = newPaymentRow(payment)
  const { log_id: _, ...trail } = trailRow(traces, caller)
  const { rows } = await prepared<{ readonly id: string | null; readonly paid: readonly TallyRow[] }>(
    tx,
    'payment-insert',
    insertOf(Object.keys(row), Object.keys(trail)),
    [...Object.values(row), ...Object.values(trail), payment.consentId],
  )
  const [told] = rows
  return { logId: told?.id ?? null, paidBefore: told?.paid.map(paidIn) ?? [] }
}

/** False when it does not stand any more as it did at `revision`; then nothing is written. */
export async function updatePayment(
  tx: Tx,
  payment: Payment,
  revision: number,
  traces: Traces,
  caller: Caller,
): Promise<boolean> {
  const columns = changingPaymentColumns(payment)
  const trail = trailRow(traces, caller)
  const { rowCount } = await prepared(tx, 'payment-update', updateOf(Object.keys(columns), Object.keys(trail)), [
    ...Object.values(columns),
    payment.logId,
    revision,
    ...Object.values(trail),
  ])
  return rowCount === 1
}

// The same texts every time, as their names promise: which columns a row has depends on nothing.
const insertOf = (columns: readonly string[], trail: readonly string[]): string => `
  with recorded as (
    insert into payment_log (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})
    on conflict (client_id, payment_type, idempotency_key) do nothing returning id
  ), trailed as (
    insert into resource_trail (log_id, ${trail.join(', ')}) select id, ${trail.map(() => '?').join(', ')} from recorded
  )
  select (select id::text from recorded) as id, ${TALLY_AS_JSON} as paid`

const updateOf = (columns: readonly string[], trail: readonly string[]): string => `
  with saved as (
    update payment_log set ${columns.map((name) => `${name} = ?`).join(', ')} where id = ? and revision = ? returning id
  ), trailed as (
    insert into resource_trail (${trail.join(', ')}) select ${trail.map(() => '?').join(', ')} from saved
  )
  select id from saved`
