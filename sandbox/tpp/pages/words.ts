/** What a consent allows, and what of it is used up, in words that need no contract beside them. */
import type { ConsentKind } from '../consent-kinds.ts'
import { day, type Json, record, records, text } from './values.ts'

export function wordsOf(kind: ConsentKind, data: Json): readonly string[] {
  switch (kind) {
    case 'accounts':
      return seen(strings(data['Permissions']))
    case 'insurance':
      return records(data['Permissions']).map(
        (one) => `${text(one['InsuranceType'])} insurance: ${strings(one['Permissions']).map(insured).join(', ')}`,
      )
    case 'payments':
      return paid(record(data['ControlParameters']))
  }
}

const strings = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(text) : [])

/** A family of permissions, and what it shows. */
const SEEN: readonly (readonly [RegExp, string])[] = [
  [/^ReadAccounts/, 'The accounts that you chose'],
  [/^ReadBalances/, 'How much is on them'],
  [/^ReadTransactions/, 'What came in and went out'],
  [/^ReadFX/, 'Transactions in other currencies, and what they cost'],
  [/^ReadStatements/, 'Statements'],
  [/^Read(StandingOrders|DirectDebits|ScheduledPayments)/, 'Payments that repeat or are planned'],
  [/^ReadBeneficiaries/, 'The people and firms that you pay'],
  [/^ReadProduct/, 'Terms and rates of your accounts'],
  [/^ReadParty/, 'Who you are'],
]
const seen = (codes: readonly string[]): readonly string[] => [
  ...SEEN.filter(([family]) => codes.some((code) => family.test(code))).map(([, words]) => words),
  ...codes.filter((code) => !SEEN.some(([family]) => family.test(code))),
]

const INSURED: ReadonlyMap<string, string> = new Map([
  ['ReadInsurancePolicies', 'policies'],
  ['ReadCustomerBasic', 'your name'],
  ['ReadCustomerDetail', 'your details'],
  ['ReadCustomerPaymentDetails', 'how you pay'],
  ['ReadInsuranceProduct', 'terms'],
  ['ReadCustomerClaims', 'claims'],
  ['ReadInsurancePremium', 'what they cost'],
])
const insured = (code: string): string => INSURED.get(code) ?? code

function paid(control: Json): readonly string[] {
  if (control['IsDelegatedAuthentication'] === true) return ['Payments that you confirm here, one by one']
  const schedule = record(control['ConsentSchedule'])
  const [single, multi, file] = ['SinglePayment', 'MultiPayment', 'FilePayment'].map((name) => record(schedule[name]))
  return [
    ...(isThere(single) ? [`One payment of ${amount(single?.['Amount'])}, at once`] : []),
    ...(isThere(multi) ? several(multi ?? {}) : []),
    ...(isThere(file)
      ? [`A file of ${file?.['NumberOfTransactions']} payments, AED ${text(file?.['ControlSum'])} in all`]
      : []),
  ]
}

/** Each schedule of tpp-api 2.7.1: when, how much at a time, how much and how often in a period and in all. */
function several(multi: Json): readonly string[] {
  const schedule = record(multi['PeriodicSchedule'])
  const controls = record(schedule['Controls'])
  const type = text(schedule['Type'])
  const period = text(schedule['PeriodType']).toLowerCase()
  const most = schedule['MaximumIndividualAmount'] ?? controls['MaximumIndividualAmount']
  const each = 'Amount' in schedule ? amount(schedule['Amount']) : most === undefined ? 'any amount' : upTo(most)
  return [
    ...records(schedule['Schedule']).map(
      (one) =>
        `${'Amount' in one ? amount(one['Amount']) : upTo(one['MaximumIndividualAmount'])} on ${day(one['PaymentExecutionDate'])}`,
    ),
    ...(type.endsWith('OnDemand') ? [`${each} whenever you ask, from ${day(schedule['PeriodStartDate'])} on`] : []),
    ...(type.endsWith('PeriodicSchedule')
      ? [`${each} every ${period} from ${day(schedule['PeriodStartDate'])} on`]
      : []),
    ...limit(`a ${period}`, controls['MaximumCumulativeValueOfPaymentsPerPeriod']),
    ...often(`a ${period}`, controls['MaximumCumulativeNumberOfPaymentsPerPeriod']),
    ...limit('in all', multi['MaximumCumulativeValueOfPayments']),
    ...often('in all', multi['MaximumCumulativeNumberOfPayments']),
  ]
}

const isThere = (part: Json | undefined): boolean => part !== undefined && Object.keys(part).length > 0
const amount = (value: unknown): string => `${text(record(value)['Currency'])} ${text(record(value)['Amount'])}`
const upTo = (value: unknown): string => `up to ${amount(value)}`
const limit = (when: string, value: unknown): readonly string[] =>
  value === undefined ? [] : [`No more than ${amount(value)} ${when}`]
const often = (when: string, value: unknown): readonly string[] =>
  value === undefined ? [] : [`No more than ${count(value)} ${when}`]
const count = (value: unknown): string => `${String(value)} payment${value === 1 ? '' : 's'}`

/** null: nothing has been paid. */
export function usedUp(data: Json): string | null {
  const used = record(data['PaymentConsumption'])
  if (!isThere(used)) return null
  const now = used['CumulativeNumberOfPaymentsInCurrentPeriod']
  const inAll = `${count(used['CumulativeNumberOfPayments'])}, ${amount(used['CumulativeValueOfPayments'])}`
  return now === undefined
    ? inAll
    : `${inAll}; of these in the current period ${count(now)}, ${amount(used['CumulativeValueOfPaymentsInCurrentPeriod'])}`
}

/** Of those who must agree, how many have; null where one alone does. */
export function agreed(consent: Json): string | null {
  const several = record(record(consent['Meta'])['MultipleAuthorizers'])
  const all = records(several['Authorizations'])
  if (all.length < 2) return null
  return `${all.filter((one) => one['AuthorizationStatus'] === 'Approved').length} of ${all.length} have agreed`
}
