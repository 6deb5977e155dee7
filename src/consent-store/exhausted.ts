/**
 * When a payment consent has been used up (tpp-api 4.2, 4.3; silent on the moment): once payments that can no longer be
 * rejected fill what was agreed on. A rejected payment fills nothing, and one that is under way may yet be rejected.
 */
import type { LocalDate } from '../local-date.ts'
import { compareMoney, isSameCurrency, type Money } from '../money.ts'
import type { ControlParameters, MultiPayment } from './control-parameters.ts'

/** Payments of a consent that are made for good. */
export type Spending = {
  /** The one payment of `single`, `combined` or `file`. */
  readonly single: boolean
  /** Those of the schedule. */
  readonly multi: {
    readonly number: number
    /** null: none was made. */
    readonly value: Money | null
    /** Days of the schedule that have had their payment. */
    readonly dates: ReadonlySet<LocalDate>
  }
}

export function isExhausted(control: ControlParameters, spent: Spending): boolean {
  switch (control.kind) {
    case 'delegated':
      return false
    case 'single':
    case 'file':
      return spent.single
    case 'multi':
      return isFilled(control.multi, spent.multi)
    case 'combined':
      return spent.single && isFilled(control.multi, spent.multi)
  }
}

function isFilled({ maximumNumber, maximumValue, schedule }: MultiPayment, spent: Spending['multi']): boolean {
  if (maximumNumber !== null && spent.number >= maximumNumber) return true
  const { value } = spent
  if (maximumValue !== null && value !== null && isSameCurrency(value, maximumValue)) {
    if (compareMoney(value, maximumValue) >= 0) return true
  }
  return 'dates' in schedule && schedule.dates.every(({ date }) => spent.dates.has(date))
}
