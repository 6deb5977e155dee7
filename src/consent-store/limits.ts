/**
 * Whether one more payment fits what the user agreed to (tpp-api 5.3). Pure: the payments so far are an argument, as
 * they are seen by whoever holds the consent locked. A payment that was rejected or refused is none; one that is under
 * way counts, because the bank may yet make it.
 */

import { type LocalDate, startOfDay } from '../local-date.ts'
import { compareMoney, isSameCurrency, isSameMoney, type Money, noMoney, subtractMoney, sumMoney } from '../money.ts'
import type {
  ControlParameters,
  FilePayment,
  MultiPayment,
  PeriodicSchedule,
  SinglePayment,
} from './control-parameters.ts'
import type { Spending } from './exhausted.ts'
import type { PaymentConsumption } from './payment.ts'
import { periodOf, recursOn, type Span } from './periods.ts'

/** Payments that were asked for on one day, together: what they are limited by are numbers and sums. */
export type Paid = {
  readonly on: LocalDate
  /** One at least. */
  readonly number: number
  /** Their sum. */
  readonly money: Money
  /** Each is of the amount that a combined consent has for its single payment. */
  readonly ofSingleAmount: boolean
}
type Order = { readonly on: LocalDate; readonly money: Money }
/** What a TPP asks for: money, or a file as it describes it. */
export type Asked =
  | (Order & { readonly kind: 'payment' })
  | { readonly kind: 'file'; readonly on: LocalDate; readonly file: FilePayment }

export const LIMIT_FAULTS = {
  'not-a-file': 'The consent is not for a file of payments',
  'only-a-file': 'The consent is for a file of payments',
  'another-file': 'The file is not the one of the consent',
  'date-passed': 'The day on which the file was to be carried out has passed',
  'already-paid': 'The payment of the consent has been made or is under way',
  currency: 'The currency is not the one of the consent',
  amount: 'The amount is not the one of the consent',
  'amount-too-high': 'The amount is higher than the consent allows for one payment',
  'too-early': 'The first period of the consent has not begun',
  'not-on-this-date': 'The schedule of the consent has no payment today',
  'date-taken': 'The payment of this date has been made or is under way',
  'period-taken': 'The payment of this period has been made or is under way',
  'period-number': 'The consent allows no further payment in this period',
  'period-value': 'The payments of this period would exceed the value that the consent allows',
  number: 'The consent allows no further payment',
  value: 'The payments would exceed the value that the consent allows',
} as const satisfies Record<string, string>
export type LimitFault = keyof typeof LIMIT_FAULTS

/** null: it fits. */
export function limitFault(control: ControlParameters, paid: readonly Paid[], asked: Asked): LimitFault | null {
  if (control.kind === 'file') return asked.kind === 'file' ? fileFault(control.file, paid, asked) : 'only-a-file'
  if (asked.kind === 'file') return 'not-a-file'
  switch (control.kind) {
    case 'delegated':
      return null
    case 'single':
      return singleFault(control.single, paid, asked)
    case 'multi':
      return multiFault(control.multi, paid, asked)
    case 'combined': {
      const { single, multi } = parted(control, paid)
      if (singleFault(control.single, single, asked) === null) return null
      return multiFault(control.multi, multi, asked)
    }
  }
}

function fileFault(
  agreed: FilePayment,
  paid: readonly Paid[],
  { on, file }: Extract<Asked, { kind: 'file' }>,
): LimitFault | null {
  const isSame = (Object.keys(agreed) as (keyof FilePayment)[]).every((name) => agreed[name] === file[name])
  if (!isSame) return 'another-file'
  if (agreed.requestedExecutionDate !== null && agreed.requestedExecutionDate < on) return 'date-passed'
  return paid.length === 0 ? null : 'already-paid'
}

function singleFault({ amount }: SinglePayment, paid: readonly Paid[], { money }: Order): LimitFault | null {
  return amountFault(money, amount) ?? (paid.length === 0 ? null : 'already-paid')
}

function multiFault(multi: MultiPayment, paid: readonly Paid[], asked: Order): LimitFault | null {
  const { maximumNumber, maximumValue, schedule } = multi
  return (
    scheduleFault(schedule, paid, asked) ??
    (maximumNumber !== null && numberOf(paid) >= maximumNumber ? 'number' : null) ??
    (maximumValue === null ? null : valueFault(maximumValue, paid, asked, 'value'))
  )
}

function scheduleFault(schedule: PeriodicSchedule, paid: readonly Paid[], asked: Order): LimitFault | null {
  if ('dates' in schedule) {
    const dates: readonly { readonly date: LocalDate; readonly amount?: Money; readonly maximumAmount?: Money }[] =
      schedule.dates
    const entry = dates.find(({ date }) => date === asked.on)
    if (entry === undefined) return 'not-on-this-date'
    const fault =
      entry.amount === undefined
        ? maximumFault(asked.money, entry.maximumAmount ?? null)
        : amountFault(asked.money, entry.amount)
    return fault ?? (paid.some(({ on }) => on === asked.on) ? 'date-taken' : null)
  }
  const span = periodOf(schedule.period, asked.on)
  if (span === null) return 'too-early'
  // On the days that the customer was told of, and no others: so every published document of these two schedules has it.
  if (!('perPeriod' in schedule) && !recursOn(schedule.period, asked.on)) return 'not-on-this-date'
  const fault =
    'amount' in schedule ? amountFault(asked.money, schedule.amount) : maximumFault(asked.money, schedule.maximumAmount)
  if (fault !== null) return fault
  const within = paidWithin(span, paid)
  if (!('perPeriod' in schedule)) return within.length === 0 ? null : 'period-taken'
  const { number, value } = schedule.perPeriod
  if (number !== null && numberOf(within) >= number) return 'period-number'
  return value === null ? null : valueFault(value, within, asked, 'period-value')
}

function amountFault(money: Money, agreed: Money): LimitFault | null {
  if (!isSameCurrency(money, agreed)) return 'currency'
  return isSameMoney(money, agreed) ? null : 'amount'
}

function maximumFault(money: Money, maximum: Money | null): LimitFault | null {
  if (maximum === null) return null
  if (!isSameCurrency(money, maximum)) return 'currency'
  return compareMoney(money, maximum) > 0 ? 'amount-too-high' : null
}

function valueFault<F extends LimitFault>(
  maximum: Money,
  paid: readonly Paid[],
  asked: Order,
  fault: F,
): F | 'currency' | null {
  const all = [...paid, asked].map(({ money }) => money)
  if (!all.every((money) => isSameCurrency(money, maximum))) return 'currency'
  return compareMoney(sumMoney(noMoney(maximum.currency), ...all), maximum) > 0 ? fault : null
}

const numberOf = (paid: readonly Paid[]): number => paid.reduce((all, { number }) => all + number, 0)

const paidWithin = ({ from, until }: Span, paid: readonly Paid[]): readonly Paid[] =>
  paid.filter(({ on }) => from <= on && on < until)

type Combined = Extract<ControlParameters, { kind: 'combined' }>

/** Payments do not say which part they belong to: the first of the single amount is the single one (tpp-api 2.7.1). */
function parted({ single }: Combined, paid: readonly Paid[]): Readonly<Record<'single' | 'multi', readonly Paid[]>> {
  const at = paid.findIndex(({ ofSingleAmount }) => ofSingleAmount)
  const day = paid[at]
  if (day === undefined) return { single: [], multi: paid }
  const others = { ...day, number: day.number - 1, money: subtractMoney(day.money, single.amount) }
  return {
    single: [{ ...day, number: 1, money: single.amount }],
    multi: others.number === 0 ? paid.toSpliced(at, 1) : paid.with(at, others),
  }
}

/** What counts towards the end of a consent; `paid` is then what can no longer be rejected. Oldest first. */
export function spendingOf(control: ControlParameters, paid: readonly Paid[]): Spending {
  const { single, multi } = control.kind === 'combined' ? parted(control, paid) : { single: paid, multi: paid }
  return {
    single: single.length > 0,
    multi: {
      number: numberOf(multi),
      value: sumOf(multi),
      dates: new Set(multi.map(({ on }) => on)),
    },
  }
}

/** What the TPP is told of the use of its consent (tpp-api 4.7). Rejected payments are not among `paid`. */
export function consumptionOf(control: ControlParameters, paid: readonly Paid[], today: LocalDate): PaymentConsumption {
  const span = spanOf(control, paid.at(-1)?.on ?? today)
  const within = span === null ? [] : paidWithin(span, paid)
  return {
    number: numberOf(paid),
    value: sumOf(paid) ?? noMoney(DIRHAM),
    period:
      span === null
        ? null
        : { number: numberOf(within), value: sumOf(within) ?? noMoney(DIRHAM), endsAt: startOfDay(span.until) },
  }
}

/** Of consents under which nothing has been paid. */
const DIRHAM = 'AED' as Money['currency']

function spanOf(control: ControlParameters, on: LocalDate): Span | null {
  if (control.kind !== 'multi' && control.kind !== 'combined') return null
  const { schedule } = control.multi
  return 'period' in schedule ? periodOf(schedule.period, on) : null
}

/** In the currency of the first; payments of one consent have one currency, unless it agrees on no amounts. */
function sumOf(paid: readonly Paid[]): Money | null {
  const [first, ...more] = paid.map(({ money }) => money)
  return first === undefined ? null : sumMoney(first, ...more.filter((money) => isSameCurrency(money, first)))
}
