/** What a payment consent may say in amounts and numbers (tpp-api 2.7.2). */
import { amountsIn, type MultiPayment, type PeriodicSchedule } from '../../consent-store/index.ts'
import { compareMoney, noMoney } from '../../money.ts'
import type { PaymentRule } from './rule.ts'

const AT = 'consent.ControlParameters.ConsentSchedule'
const DOMESTIC = 'AED'

/** One that goes abroad says so in CurrencyRequest, and is still about one currency. */
export const currencyIsOne: PaymentRule = (control, { detail }) => {
  const amounts = amountsIn(control)
  const wanted = detail.consent.CurrencyRequest === undefined ? DOMESTIC : amounts[0]?.money.currency
  const other = amounts.find(({ money }) => money.currency !== wanted)
  if (other === undefined) return null
  return `${AT}.${other.path}.Currency must be ${wanted === DOMESTIC ? DOMESTIC : 'the one of the other amounts'}`
}

export const amountsAreSomething: PaymentRule = (control) => {
  const nothing = amountsIn(control).find(({ money }) => compareMoney(money, noMoney(money.currency)) === 0)
  return nothing === undefined ? null : `${AT}.${nothing.path}.Amount must be more than nothing`
}

export const numbersCount: PaymentRule = (control) => {
  if (control.kind === 'file') {
    return control.file.numberOfTransactions >= 1 ? null : `${AT}.FilePayment.NumberOfTransactions must be at least 1`
  }
  if (control.kind !== 'multi' && control.kind !== 'combined') return null
  const wrong = numbersIn(control.multi).find(({ number }) => number !== null && number < 1)
  return wrong === undefined ? null : `${AT}.MultiPayment.${wrong.path} must be at least 1`
}

type Counted = { readonly path: string; readonly number: number | null }

const numbersIn = ({ maximumNumber, schedule }: MultiPayment): readonly Counted[] => [
  { path: 'MaximumCumulativeNumberOfPayments', number: maximumNumber },
  ...perPeriod(schedule),
]

function perPeriod(schedule: PeriodicSchedule): readonly Counted[] {
  if (!('perPeriod' in schedule)) return []
  const path = 'PeriodicSchedule.Controls.MaximumCumulativeNumberOfPaymentsPerPeriod'
  return [{ path, number: schedule.perPeriod.number }]
}
