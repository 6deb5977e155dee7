/** What has been paid under a consent, as far as it counts (tpp-api 5.3): read while the consent is locked. */
import { toInstant } from '../clock.ts'
import {
  type Consent,
  type ControlParameters,
  consumptionOf,
  isExhausted,
  type Paid,
  type PaymentNote,
  spendingOf,
} from '../consent-store/index.ts'
import { query, type Tx } from '../db.ts'
import type { ConsentId } from '../ids.ts'
import { type LocalDate, localDateAt } from '../local-date.ts'
import { type Decimal, type Money, toMoney } from '../money.ts'
import type { PaymentStatus } from './payment.ts'

type Row = {
  readonly id: string
  readonly created_at: Date
  readonly status: PaymentStatus | null
  readonly amount: string | null
  readonly currency: string | null
}
type Counted = Paid & { readonly logId: string; readonly status: PaymentStatus | null }

/** Refused and rejected payments are none. A file names its sum, of which every part is in dirhams. */
const SELECT = `
  select id, created_at, status,
    coalesce(request_body #>> '{Data,Instruction,Amount,Amount}',
             request_body #>> '{Data,Instruction,ControlSum}') as amount,
    coalesce(request_body #>> '{Data,Instruction,Amount,Currency}', 'AED') as currency
  from payment_log
  where consent_id = ? and state <> 'refused' and status is distinct from 'Rejected'
  order by id`

async function counted(tx: Tx, consentId: ConsentId, control: ControlParameters): Promise<readonly Counted[]> {
  const { rows } = await query<Row>(tx, SELECT, [consentId])
  return rows.map((row) => ({
    logId: row.id,
    status: row.status,
    on: localDateAt(toInstant(row.created_at)),
    money: toMoney({ Amount: row.amount, Currency: row.currency }) ?? sumOf(control),
  }))
}

/** A file payment that does not repeat the instruction is the one of its consent. */
function sumOf(control: ControlParameters): Money {
  const amount = control.kind === 'file' ? control.file.controlSum : ('0.00' as Decimal)
  return { amount, currency: 'AED' as Money['currency'] }
}

/** All but the payment itself, when another one is judged. */
export async function paidBeside(
  tx: Tx,
  consentId: ConsentId,
  control: ControlParameters,
  logId: string,
): Promise<readonly Paid[]> {
  return (await counted(tx, consentId, control)).filter((each) => each.logId !== logId)
}

/** A payment that waits may yet be rejected: only what no longer can be uses a consent up (tpp-api 4.2). */
const isCertain = ({ status }: Counted): boolean => status !== null && status !== 'Pending'

/** What the consent is to know of its payments after one of them has changed. */
export async function noteFor(
  tx: Tx,
  consent: Extract<Consent, { type: 'service-initiation' }>,
  about: Pick<PaymentNote, 'paymentId' | 'attemptedAt'> & { readonly today: LocalDate },
): Promise<PaymentNote> {
  const { control } = consent.payment
  const paid = await counted(tx, consent.id, control)
  return {
    consumption: consumptionOf(control, paid, about.today),
    isExhausted: isExhausted(control, spendingOf(control, paid.filter(isCertain))),
    paymentId: about.paymentId,
    attemptedAt: about.attemptedAt,
  }
}
