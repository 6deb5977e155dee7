/** What each type of schedule has to keep to, as a table (tpp-api 2.7.2). Days are days of the Emirates. */
import { toInstant } from '../../clock.ts'
import type { ControlParameters, MultiPayment, PeriodicSchedule, ScheduleType } from '../../consent-store/index.ts'
import { addYears, type LocalDate, localDateAt } from '../../local-date.ts'
import type { Asked, PaymentRule } from './rule.ts'

const AT = 'consent.ControlParameters.ConsentSchedule'
const SCHEDULE = `${AT}.MultiPayment.PeriodicSchedule`

type ScheduleRule = (multi: MultiPayment, asked: Asked) => string | null
type Timed = Extract<PeriodicSchedule, { readonly period: unknown }>
type Dated = Extract<PeriodicSchedule, { readonly dates: unknown }>

const today = ({ now }: Asked): LocalDate => localDateAt(now)
const lastDay = ({ detail }: Asked): LocalDate => localDateAt(toInstant(detail.consent.ExpirationDateTime))

/** The first period begins no earlier than today, and while the consent lasts. */
const periodBegins: ScheduleRule = ({ schedule }, asked) => {
  const { startDate } = (schedule as Timed).period
  if (startDate < today(asked)) return `${SCHEDULE}.PeriodStartDate is past`
  return startDate > lastDay(asked) ? `${SCHEDULE}.PeriodStartDate is after consent.ExpirationDateTime` : null
}

/** One payment in each period: how many there will be has to be agreed on. */
const numberIsAgreed: ScheduleRule = ({ maximumNumber, schedule }) =>
  maximumNumber === null
    ? `${AT}.MultiPayment.MaximumCumulativeNumberOfPayments is required with ${schedule.type}`
    : null

const datesAreDistinct: ScheduleRule = ({ schedule }) => {
  const { dates } = schedule as Dated
  return new Set(dates.map(({ date }) => date)).size === dates.length ? null : `${SCHEDULE}.Schedule repeats a date`
}

const datesAreAhead: ScheduleRule = ({ schedule }, asked) => {
  const at = (schedule as Dated).dates.findIndex(({ date }) => date < today(asked))
  return at < 0 ? null : `${SCHEDULE}.Schedule[${at}].PaymentExecutionDate is past`
}

/** The day of the expiry as it is written, or as it is in the Emirates: both are called its date. */
const endsOnLastDate: ScheduleRule = ({ schedule }, asked) => {
  const days = (schedule as Dated).dates.map(({ date }) => date)
  const last = days.reduce((latest, day) => (day > latest ? day : latest))
  const written = asked.detail.consent.ExpirationDateTime.slice(0, 10)
  return last === lastDay(asked) || last === written
    ? null
    : 'consent.ExpirationDateTime must be on the last PaymentExecutionDate'
}

const PERIODS = [periodBegins]
const ONE_A_PERIOD = [periodBegins, numberIsAgreed]
const DATES = [datesAreDistinct, datesAreAhead, endsOnLastDate]

export const RULES_OF_SCHEDULE = {
  VariableOnDemand: PERIODS,
  FixedOnDemand: PERIODS,
  VariablePeriodicSchedule: ONE_A_PERIOD,
  FixedPeriodicSchedule: ONE_A_PERIOD,
  VariableDefinedSchedule: DATES,
  FixedDefinedSchedule: DATES,
} as const satisfies Record<ScheduleType, readonly ScheduleRule[]>

export const scheduleIsPossible: PaymentRule = (control, asked) => {
  const multi = multiOf(control)
  if (multi === null) return null
  for (const rule of RULES_OF_SCHEDULE[multi.schedule.type]) {
    const fault = rule(multi, asked)
    if (fault !== null) return fault
  }
  return null
}

const multiOf = (control: ControlParameters): MultiPayment | null =>
  control.kind === 'multi' || control.kind === 'combined' ? control.multi : null

/** A file is executed on a later day than it is asked for, within a year. */
export const fileIsLater: PaymentRule = (control, asked) => {
  if (control.kind !== 'file' || control.file.requestedExecutionDate === null) return null
  const date = control.file.requestedExecutionDate
  const path = `${AT}.FilePayment.RequestedExecutionDate`
  if (date <= today(asked)) return `${path} must be later than today`
  return date > addYears(today(asked), 1) ? `${path} is more than one year ahead` : null
}
