/** What the application offers to do for a person, each of which is one consent at a bank. */
import type { ConsentKind } from './consent-kinds.ts'
import type { InsuranceAsk } from './insurance.ts'
import type { Creditor, Money } from './payments.ts'
import { type Permission, PRESETS } from './permissions.ts'

export type Offer = { readonly label: string; readonly about: string } & (
  | { readonly kind: 'accounts'; readonly permissions: readonly Permission[] }
  | { readonly kind: 'payments'; readonly control: () => object; readonly each: Money }
  | { readonly kind: 'insurance'; readonly permissions: InsuranceAsk['permissions'] }
)

/** Who is paid, and what for. */
export const PAYEE: Creditor = { name: 'Wadi Books LLC', iban: 'AE070331234567890123456' }
export const PURPOSE = 'ACM'
export const REFERENCE = 'Wadi Budget'

const aed = (Amount: string): Money => ({ Amount, Currency: 'AED' })
/** Days of payments are those of the Emirates (tpp-api 2.7.1). */
const DUBAI_MS = 4 * 3_600_000
const today = (): string => new Date(Date.now() + DUBAI_MS).toISOString().slice(0, 10)

export const OFFERS: ReadonlyMap<string, Offer> = new Map<string, Offer>([
  ...[...PRESETS].map(([name, preset]) => [name, { kind: 'accounts', ...preset }] as const),
  [
    'pay-once',
    {
      kind: 'payments',
      label: 'One payment',
      about: `AED 25.00 to ${PAYEE.name}, once. Also from an account that you hold with others, when all of you agree.`,
      each: aed('25.00'),
      control: () => ({ ConsentSchedule: { SinglePayment: { Type: 'SingleInstantPayment', Amount: aed('25.00') } } }),
    },
  ],
  [
    'pay-often',
    {
      kind: 'payments',
      label: 'Payments when you ask',
      about: `AED 50.00 to ${PAYEE.name} whenever you press a button, up to AED 120.00 a month.`,
      each: aed('50.00'),
      control: () => ({
        ConsentSchedule: {
          MultiPayment: {
            MaximumCumulativeNumberOfPayments: 10,
            PeriodicSchedule: {
              Type: 'VariableOnDemand',
              PeriodType: 'Month',
              PeriodStartDate: today(),
              Controls: {
                MaximumIndividualAmount: aed('60.00'),
                MaximumCumulativeValueOfPaymentsPerPeriod: aed('120.00'),
              },
            },
          },
        },
      }),
    },
  ],
  [
    'insurance',
    {
      kind: 'insurance',
      label: 'Your insurance',
      about: 'Motor and home policies that you hold through the bank, with what they cost.',
      permissions: ['Motor', 'Home'].map((InsuranceType) => ({
        InsuranceType,
        Permissions: ['ReadInsurancePolicies', 'ReadInsurancePremium'],
      })),
    },
  ],
])

export const WORDS_FOR_KIND: Readonly<Record<ConsentKind, string>> = {
  accounts: 'Sharing of account data',
  payments: 'Payments',
  insurance: 'Sharing of insurance policies',
}
