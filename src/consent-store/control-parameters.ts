/**
 * What a payment consent permits to be paid (tpp-api 2.7.1), parsed: amounts are exact, dates are days, and a
 * combination that the contract does not know cannot be written down.
 */
import { type LocalDate, toLocalDate } from '../local-date.ts'
import { type Decimal, type Money, toMoney } from '../money.ts'
import type { JsonObject, NonEmpty } from './shapes.ts'

export type PeriodType = 'Day' | 'Week' | 'Month' | 'Year'

export type SinglePayment = { readonly type: 'SingleInstantPayment'; readonly amount: Money }

/** Counted from its start date; see periods in the contract (tpp-api 2.7.1). */
export type Period = { readonly type: PeriodType; readonly startDate: LocalDate }
/** Limits within one period; null is no limit. */
export type PeriodLimits = { readonly value: Money | null; readonly number: number | null }

export type FixedOnDemand = {
  readonly type: 'FixedOnDemand'
  readonly period: Period
  readonly amount: Money
  readonly perPeriod: PeriodLimits
}
export type VariableOnDemand = {
  readonly type: 'VariableOnDemand'
  readonly period: Period
  readonly maximumAmount: Money | null
  readonly perPeriod: PeriodLimits
}
/** One payment in each period, on the start date and the same day of each period after it. */
export type FixedPeriodicSchedule = {
  readonly type: 'FixedPeriodicSchedule'
  readonly period: Period
  readonly amount: Money
}
export type VariablePeriodicSchedule = {
  readonly type: 'VariablePeriodicSchedule'
  readonly period: Period
  readonly maximumAmount: Money
}
/** One payment on each date. */
export type FixedDefinedSchedule = {
  readonly type: 'FixedDefinedSchedule'
  readonly dates: NonEmpty<{ readonly date: LocalDate; readonly amount: Money }>
}
export type VariableDefinedSchedule = {
  readonly type: 'VariableDefinedSchedule'
  readonly dates: NonEmpty<{ readonly date: LocalDate; readonly maximumAmount: Money }>
}
export type PeriodicSchedule =
  | FixedOnDemand
  | VariableOnDemand
  | FixedPeriodicSchedule
  | VariablePeriodicSchedule
  | FixedDefinedSchedule
  | VariableDefinedSchedule
export type ScheduleType = PeriodicSchedule['type']

export type MultiPayment = {
  /** Over the life of the consent; null is no limit. */
  readonly maximumValue: Money | null
  readonly maximumNumber: number | null
  readonly schedule: PeriodicSchedule
}
export type FilePayment = {
  readonly fileType: string
  /** SHA-256 of the file, in base64. */
  readonly fileHash: string
  readonly fileReference: string | null
  readonly numberOfTransactions: number
  readonly controlSum: Decimal
  readonly requestedExecutionDate: LocalDate | null
}

export type ControlParameters =
  /** The TPP authenticates the payer, and no amount is agreed on. */
  | { readonly kind: 'delegated' }
  | { readonly kind: 'single'; readonly single: SinglePayment }
  | { readonly kind: 'multi'; readonly multi: MultiPayment }
  /** One payment at once and more to come. */
  | { readonly kind: 'combined'; readonly single: SinglePayment; readonly multi: MultiPayment }
  | { readonly kind: 'file'; readonly file: FilePayment }

export type Parsed =
  | { readonly ok: true; readonly control: ControlParameters }
  /** `path` below ControlParameters. */
  | { readonly ok: false; readonly path: string; readonly fault: string }

type Wire = {
  readonly IsDelegatedAuthentication?: boolean
  readonly ConsentSchedule?: {
    readonly SinglePayment?: { readonly Amount: unknown }
    readonly MultiPayment?: JsonObject
    readonly FilePayment?: JsonObject
  }
}

/** Of control parameters whose schema has been checked: which of the permitted combinations it is (tpp-api 2.7.1). */
export function parseControlParameters(checked: unknown): Parsed {
  const { IsDelegatedAuthentication: delegated, ConsentSchedule: schedule } = checked as Wire
  if (schedule === undefined) return fault('ConsentSchedule', 'is required')
  const { SinglePayment, MultiPayment, FilePayment } = schedule
  const present = [SinglePayment, MultiPayment, FilePayment].filter((part) => part !== undefined)
  if (delegated === true) {
    return present.length === 0
      ? parsed({ kind: 'delegated' })
      : fault('ConsentSchedule', 'must be empty where IsDelegatedAuthentication is true')
  }
  if (present.length === 0) return fault('ConsentSchedule', 'must hold a payment, unless authentication is delegated')
  if (FilePayment !== undefined) {
    return present.length === 1
      ? parsed({ kind: 'file', file: readFile(FilePayment) })
      : fault('ConsentSchedule', 'holds FilePayment beside another payment')
  }
  const single = SinglePayment === undefined ? null : readSingle(SinglePayment)
  const multi = MultiPayment === undefined ? null : readMulti(MultiPayment)
  if (single !== null && multi !== null) return parsed({ kind: 'combined', single, multi })
  if (single !== null) return parsed({ kind: 'single', single })
  if (multi !== null) return parsed({ kind: 'multi', multi })
  throw new Error('unreachable: a payment that is none')
}

/** Of a consent that is stored: what PAR has let in parses. */
export function controlParametersOf(request: { readonly consent: JsonObject }): ControlParameters {
  const result = parseControlParameters(request.consent['ControlParameters'])
  if (!result.ok) throw new Error('a payment consent was stored whose control parameters are none')
  return result.control
}

const readSingle = (wire: { readonly Amount: unknown }): SinglePayment => ({
  type: 'SingleInstantPayment',
  amount: money(wire.Amount),
})

function readMulti(wire: JsonObject): MultiPayment {
  return {
    maximumValue: maybeMoney(wire['MaximumCumulativeValueOfPayments']),
    maximumNumber: maybeNumber(wire['MaximumCumulativeNumberOfPayments']),
    schedule: readSchedule(wire['PeriodicSchedule'] as JsonObject),
  }
}

function readSchedule(wire: JsonObject): PeriodicSchedule {
  const type = wire['Type'] as ScheduleType
  switch (type) {
    case 'FixedOnDemand':
      return { type, period: readPeriod(wire), amount: money(wire['Amount']), perPeriod: readLimits(wire['Controls']) }
    case 'VariableOnDemand': {
      const controls = wire['Controls'] as JsonObject
      const maximumAmount = maybeMoney(controls['MaximumIndividualAmount'])
      return { type, period: readPeriod(wire), maximumAmount, perPeriod: readLimits(controls) }
    }
    case 'FixedPeriodicSchedule':
      return { type, period: readPeriod(wire), amount: money(wire['Amount']) }
    case 'VariablePeriodicSchedule':
      return { type, period: readPeriod(wire), maximumAmount: money(wire['MaximumIndividualAmount']) }
    case 'FixedDefinedSchedule':
      return { type, dates: readDates(wire, (entry) => ({ amount: money(entry['Amount']) })) }
    case 'VariableDefinedSchedule':
      return { type, dates: readDates(wire, (entry) => ({ maximumAmount: money(entry['MaximumIndividualAmount']) })) }
    default:
      throw new Error(`unreachable: a schedule of type ${String(type satisfies never)}`)
  }
}

const readPeriod = (wire: JsonObject): Period => ({
  type: wire['PeriodType'] as PeriodType,
  startDate: date(wire['PeriodStartDate']),
})

function readLimits(controls: unknown): PeriodLimits {
  const wire = controls as JsonObject
  return {
    value: maybeMoney(wire['MaximumCumulativeValueOfPaymentsPerPeriod']),
    number: maybeNumber(wire['MaximumCumulativeNumberOfPaymentsPerPeriod']),
  }
}

function readDates<T>(
  wire: JsonObject,
  amountOf: (entry: JsonObject) => T,
): NonEmpty<{ readonly date: LocalDate } & T> {
  const [first, ...more] = (wire['Schedule'] as readonly JsonObject[]).map((entry) => ({
    date: date(entry['PaymentExecutionDate']),
    ...amountOf(entry),
  }))
  if (first === undefined) throw new Error('unreachable: a schedule without dates')
  return [first, ...more]
}

function readFile(wire: JsonObject): FilePayment {
  const { FileType, FileHash, FileReference, NumberOfTransactions, ControlSum, RequestedExecutionDate } = wire
  return {
    fileType: String(FileType),
    fileHash: String(FileHash),
    fileReference: FileReference === undefined ? null : String(FileReference),
    numberOfTransactions: Number(NumberOfTransactions),
    controlSum: String(ControlSum) as Decimal,
    requestedExecutionDate: RequestedExecutionDate === undefined ? null : date(RequestedExecutionDate),
  }
}

/** Every amount that the parameters name, with its path below ControlParameters.ConsentSchedule. */
export function amountsIn(control: ControlParameters): readonly { readonly path: string; readonly money: Money }[] {
  const found: { path: string; money: Money }[] = []
  const add = (path: string, money: Money | null) => {
    if (money !== null) found.push({ path, money })
  }
  if (control.kind === 'single' || control.kind === 'combined') add('SinglePayment.Amount', control.single.amount)
  if (control.kind === 'multi' || control.kind === 'combined') {
    add('MultiPayment.MaximumCumulativeValueOfPayments', control.multi.maximumValue)
    for (const { path, money } of amountsOf(control.multi.schedule)) add(`MultiPayment.PeriodicSchedule.${path}`, money)
  }
  return found
}

function amountsOf(schedule: PeriodicSchedule): readonly { readonly path: string; readonly money: Money | null }[] {
  switch (schedule.type) {
    case 'FixedOnDemand':
      return [
        { path: 'Amount', money: schedule.amount },
        { path: 'Controls.MaximumCumulativeValueOfPaymentsPerPeriod', money: schedule.perPeriod.value },
      ]
    case 'VariableOnDemand':
      return [
        { path: 'Controls.MaximumIndividualAmount', money: schedule.maximumAmount },
        { path: 'Controls.MaximumCumulativeValueOfPaymentsPerPeriod', money: schedule.perPeriod.value },
      ]
    case 'FixedPeriodicSchedule':
      return [{ path: 'Amount', money: schedule.amount }]
    case 'VariablePeriodicSchedule':
      return [{ path: 'MaximumIndividualAmount', money: schedule.maximumAmount }]
    case 'FixedDefinedSchedule':
      return schedule.dates.map(({ amount }, at) => ({ path: `Schedule[${at}].Amount`, money: amount }))
    case 'VariableDefinedSchedule':
      return schedule.dates.map(({ maximumAmount }, at) => ({
        path: `Schedule[${at}].MaximumIndividualAmount`,
        money: maximumAmount,
      }))
  }
}

const parsed = (control: ControlParameters): Parsed => ({ ok: true, control })
const fault = (path: string, text: string): Parsed => ({ ok: false, path, fault: text })

function money(raw: unknown): Money {
  const found = toMoney(raw)
  if (found === null) throw new Error('unreachable: an amount that its schema has let through and that is none')
  return found
}
const maybeMoney = (raw: unknown): Money | null => (raw === undefined ? null : money(raw))
const maybeNumber = (raw: unknown): number | null => (raw === undefined ? null : Number(raw))

function date(raw: unknown): LocalDate {
  const found = toLocalDate(raw)
  if (found === null) throw new Error('unreachable: a date that its schema has let through and that is none')
  return found
}
