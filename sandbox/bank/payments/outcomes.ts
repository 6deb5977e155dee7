/** What becomes of a payment, to order by its amount, for developers of the other side. */
import { Refusal } from '../ozone-connect/refusal.ts'
import type { PaymentStatus } from './ledger.ts'

export type Outcome = {
  readonly tells: string
  readonly status: PaymentStatus
  /** Before anything is made. */
  readonly refuse?: () => Refusal
  /** The payment is made, and its answer is lost. */
  readonly drops?: true
}

const PAID: Outcome = { tells: 'paid', status: 'AcceptedSettlementCompleted' }
/** By the last three characters of the amount. */
export const OUTCOMES: ReadonlyMap<string, Outcome> = new Map<string, Outcome>([
  ['.91', { tells: '201, and rejected for want of funds', status: 'Rejected' }],
  [
    '.92',
    {
      tells: '400 Consent.BusinessRuleViolation',
      status: 'Rejected',
      refuse: () => new Refusal(400, 'Consent.BusinessRuleViolation', 'the bank does not make this payment'),
    },
  ],
  [
    '.93',
    { tells: 'paid, and the connection ends without an answer', status: 'AcceptedSettlementCompleted', drops: true },
  ],
  ['.94', { tells: '201, and it stays pending', status: 'Pending' }],
])

export const outcomeOf = (amount: string): Outcome => OUTCOMES.get(amount.slice(-3)) ?? PAID
