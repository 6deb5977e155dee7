/** What a payment consent asks for, in words that a customer understands (tpp-api 2.7). */
import { items, member, text } from './json.ts'

export const PAYMENT = 'cbuae-service-initiation-consents'

export type PaymentAsk = {
  readonly words: readonly string[]
  readonly purpose: string | null
  readonly reference: string | null
  /** Whether every holder of the account may be asked; otherwise one alone must do (tpp-api 4.8). */
  readonly allowsSeveral: boolean
  /** Who is to be paid, encrypted for this bank. */
  readonly personal: string | null
  readonly sender: { readonly organisationId: string; readonly clientId: string }
}

export function readPaymentAsk(record: unknown): PaymentAsk {
  const asked = member(record, 'request', 'consent')
  return {
    words: inWords(member(asked, 'ControlParameters')),
    purpose: text(member(asked, 'PaymentPurposeCode')),
    reference: text(member(asked, 'DebtorReference')),
    allowsSeveral: member(asked, 'IsSingleAuthorization') === false,
    personal: text(member(asked, 'PersonalIdentifiableInformation')),
    sender: {
      organisationId: text(member(record, 'tpp', 'orgId')) ?? '',
      clientId: text(member(record, 'tpp', 'clientId')) ?? '',
    },
  }
}

function inWords(control: unknown): readonly string[] {
  if (member(control, 'IsDelegatedAuthentication') === true) {
    return ['Payments of any amount, each of which the app asks you to confirm']
  }
  const schedule = member(control, 'ConsentSchedule')
  const single = member(schedule, 'SinglePayment')
  const multi = member(schedule, 'MultiPayment')
  const file = member(schedule, 'FilePayment')
  return [
    ...(single === undefined ? [] : [`One payment of ${money(member(single, 'Amount'))}, at once`]),
    ...(multi === undefined ? [] : multiInWords(multi)),
    ...(file === undefined
      ? []
      : [
          `A file of ${count(member(file, 'NumberOfTransactions'), 'payment')}, AED ${text(member(file, 'ControlSum'))} in all`,
        ]),
  ]
}

function multiInWords(multi: unknown): readonly string[] {
  const schedule = member(multi, 'PeriodicSchedule')
  const controls = member(schedule, 'Controls')
  const period = (text(member(schedule, 'PeriodType')) ?? '').toLowerCase()
  const each = member(schedule, 'Amount')
  const most = member(schedule, 'MaximumIndividualAmount') ?? member(controls, 'MaximumIndividualAmount')
  const amount = each === undefined ? `up to ${most === undefined ? 'any amount' : money(most)}` : money(each)
  const type = text(member(schedule, 'Type')) ?? ''
  return [
    ...(type.endsWith('DefinedSchedule')
      ? items(member(schedule, 'Schedule')).map(dateInWords)
      : [
          type.endsWith('OnDemand')
            ? `Payments of ${amount} each, whenever the app asks`
            : `One payment of ${amount} every ${period}`,
          `From ${text(member(schedule, 'PeriodStartDate'))}`,
        ]),
    ...limit(`In one ${period} no more than`, member(controls, 'MaximumCumulativeValueOfPaymentsPerPeriod')),
    ...number(`In one ${period} no more than`, member(controls, 'MaximumCumulativeNumberOfPaymentsPerPeriod')),
    ...limit('In all no more than', member(multi, 'MaximumCumulativeValueOfPayments')),
    ...number('In all no more than', member(multi, 'MaximumCumulativeNumberOfPayments')),
  ]
}

function dateInWords(entry: unknown): string {
  const each = member(entry, 'Amount')
  const amount = each === undefined ? `up to ${money(member(entry, 'MaximumIndividualAmount'))}` : money(each)
  return `A payment of ${amount} on ${text(member(entry, 'PaymentExecutionDate'))}`
}

const limit = (words: string, value: unknown): readonly string[] =>
  value === undefined ? [] : [`${words} ${money(value)}`]
const number = (words: string, value: unknown): readonly string[] =>
  value === undefined ? [] : [`${words} ${count(value, 'payment')}`]
const count = (value: unknown, what: string): string => `${String(value)} ${what}${value === 1 ? '' : 's'}`
const money = (value: unknown): string => `${text(member(value, 'Currency'))} ${text(member(value, 'Amount'))}`
