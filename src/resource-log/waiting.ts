/** Payments that wait for their end: the LFI tells of it (lfi-api 2.8), and where it does not, it is asked. */
import type { Clock } from '../clock.ts'
import { type Db, query } from '../db.ts'
import type { MadePayment } from './payment.ts'
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from './payment-row.ts'

/** Soon at first, then ever more seldom; what has waited a month waits for the LFI to speak up. */
const CLAIM = `
  update payment_log set asked_at = ?
  where id in (
    select id from payment_log
    where status = 'Pending' and payment_id not like 'unanswered-%' and made_at > ?::timestamptz - interval '30 days'
      and ?::timestamptz - coalesce(asked_at, made_at)
          >= greatest(interval '1 minute', (?::timestamptz - made_at) / 4)
    order by made_at limit ? for update skip locked)
  returning ${PAYMENT_COLUMNS.join(', ')}`

/** Those whose turn it is, for this caller alone; their next turn is counted from now, whatever comes of this one. */
export async function claimWaiting(db: Db, clock: Clock, limit: number): Promise<readonly MadePayment[]> {
  const now = new Date(clock.now())
  const { rows } = await query<PaymentRow>(db, CLAIM, [now, now, now, now, limit])
  return rows.map(toPayment).filter((payment) => payment.state === 'made')
}
