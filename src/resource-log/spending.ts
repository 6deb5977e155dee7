/**
 * What has been paid under a consent, as far as it counts (tpp-api 5.3): by days, as the database keeps it
 * (migrations/0052-payment-tally.ts), read while the consent is locked.
 */
import assert from 'node:assert'
import {
  consumptionOf,
  isExhausted,
  type Paid,
  type PaymentConsent,
  type PaymentNote,
  spendingOf,
} from '../consent-store/index.ts'
import { prepared, type Tx } from '../db.ts'
import type { LocalDate } from '../local-date.ts'
import { toMoney } from '../money.ts'

export type TallyRow = {
  readonly day: LocalDate
  readonly currency: string
  readonly of_single_amount: boolean
  readonly number: number
  readonly value: string
  readonly certain_number: number
  readonly certain_value: string
}

/** Every payment that is none of the refused and rejected ones. Oldest first. */
export type PaidUnder = readonly Paid[]

/** A year of days at most, whatever was paid on each. Sums are text: a number of JSON would not hold them. */
const TALLY = `
  select to_char(day, 'YYYY-MM-DD') as day, currency, of_single_amount, number, value::text as value,
    certain_number, certain_value::text as certain_value
  from payment_tally where consent_id = ? and number > 0 order by payment_tally.day, currency, of_single_amount`
export const TALLY_AS_JSON = `(select coalesce(json_agg(days), '[]') from (${TALLY}) as days)`

export const paidIn = ({ day, currency, number, value, of_single_amount }: TallyRow): Paid => {
  const money = toMoney({ Amount: value, Currency: currency })
  assert(money !== null, 'a sum of payments that is no amount')
  return { on: day, number, money, ofSingleAmount: of_single_amount }
}

/** A payment that waits may yet be rejected: only what no longer can be uses a consent up (tpp-api 4.2). */
const certainIn = (row: TallyRow): readonly Paid[] =>
  row.certain_number === 0 ? [] : [paidIn({ ...row, number: row.certain_number, value: row.certain_value })]

/** What the consent is to know of its payments after one of them has changed. */
export async function noteFor(
  tx: Tx,
  consent: PaymentConsent,
  about: Pick<PaymentNote, 'attemptedAt'> & { readonly today: LocalDate },
): Promise<PaymentNote> {
  const { control } = consent.payment
  const { rows } = await prepared<TallyRow>(tx, 'payment-tally', TALLY, [consent.id])
  return {
    consumption: consumptionOf(control, rows.map(paidIn), about.today),
    isExhausted: isExhausted(control, spendingOf(control, rows.flatMap(certainIn))),
    attemptedAt: about.attemptedAt,
  }
}
