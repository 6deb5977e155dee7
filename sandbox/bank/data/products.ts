/** Terms of the products behind the accounts: interest at one bank, profit at the other. */
import { dateText, dayIn } from './calendar.ts'
import { aed, type Fils, Money } from './money.ts'
import type { AccountSpec } from './spec.ts'
import type { Window } from './window.ts'

const CURRENCY = 'AED'
const charge = (Type: string, Name: string, Description: string, fils: Fils, Frequency: string) => ({
  Type,
  Name,
  Description,
  Charge: [{ Amount: Money(fils, CURRENCY) }],
  Frequency,
})

const BALANCE_FEE = charge(
  'BalanceFallBelow',
  'Low balance fee',
  'When the month averages under AED 3,000',
  aed(25),
  'Monthly',
)
const CHEQUE_BOOK = charge('ChequeBook', 'Cheque book', 'Twenty-five leaves', aed(30), 'Per request')
const LATE = charge('LatePayment', 'Late payment', 'When an instalment is missed', aed(150), 'Per event')
const CHARITY = { ...LATE, DonatedToCharity: true, Justification: 'Undertaking of the customer; given to charity' }

type Terms = (window: Window) => object

const deposit = (RateType: string, AnnualRate: number, CalculationMethod: string): object => ({
  DepositRates: {
    RateType,
    RateDetails: [
      {
        RateCategory: 'Applied',
        AnnualRate,
        CalculationMethod,
        CalculationFrequency: 'Daily',
        ApplicationFrequency: 'Monthly',
      },
    ],
  },
})

const collateral = (AssetType: string, Description: string, value: Fils, window: Window) => ({
  Type: 'Collateral',
  AssetType,
  Description,
  Valuation: [{ Date: dateText(dayIn(window.thisMonth - 30, 10)), Amount: Money(value, CURRENCY) }],
})

type Product = { readonly name: string; readonly terms: Terms }

export const PRODUCTS: ReadonlyMap<string, Product> = new Map<string, Product>([
  [
    'current',
    {
      name: 'Everyday Current',
      terms: () => ({ Charges: [BALANCE_FEE, CHEQUE_BOOK], IsSecured: false, IsSalaryTransferRequired: false }),
    },
  ],
  ['savings', { name: 'Rainy Day Saver', terms: () => deposit('VariableInterest', 2.1, 'AverageDailyBalance') }],
  [
    'card',
    {
      name: 'Dawn Card',
      terms: () => ({
        Charges: [charge('CashAdvance', 'Cash advance', 'Cash on the card', aed(99), 'Per event'), LATE],
        FinanceRates: {
          RateType: 'VariableInterest',
          Rate: 35.88,
          CalculationFrequency: 'Daily',
          ApplicationFrequency: 'Monthly',
          InterestCalculationMethod: 'OutstandingBalance',
        },
        RewardsBenefits: [
          {
            Type: 'Cashback',
            Name: 'Dawn cashback',
            Description: 'One in a hundred of card spending',
            RewardBasis: ['1% of purchases'],
            FrequencyPaid: 'Monthly',
          },
        ],
        IsSecured: false,
      }),
    },
  ],
  [
    'business',
    {
      name: 'Trader Current',
      terms: () => ({
        Charges: [charge('MonthlyFees', 'Account fee', 'Running of the account', aed(75), 'Monthly'), CHEQUE_BOOK],
        IsSecured: false,
      }),
    },
  ],
  [
    'mortgage',
    {
      name: 'Home Loan',
      terms: (window) => ({
        Charges: [
          LATE,
          charge('EarlySettlement', 'Early settlement', 'Repaid before its term', aed(10_000), 'Per event'),
        ],
        FinanceRates: {
          RateType: 'VariableInterest',
          Rate: 4.99,
          BenchMark: 'Three-month interbank rate',
          BenchMarkRate: 3.74,
          Margin: 1.25,
          RateReviewFrequency: 'P3M',
          RateReviewNextDate: dateText(dayIn(window.thisMonth + 2, 1)),
          CalculationFrequency: 'Daily',
          ApplicationFrequency: 'Monthly',
          InterestCalculationMethod: 'OutstandingBalance',
        },
        IsSecured: true,
        IsSalaryTransferRequired: true,
        Tenor: { OriginalTenor: 'P25Y', RemainingTenor: 'P21Y4M' },
        AssetBacked: [collateral('Property', 'Apartment, Al Reem', aed(1_450_000), window)],
      }),
    },
  ],
  [
    'finance',
    {
      name: 'Personal Loan',
      terms: (window) => ({
        Charges: [LATE],
        FinanceRates: {
          RateType: 'FixedInterest',
          Rate: 7.25,
          FixedRateEndDate: dateText(dayIn(window.thisMonth + 30, 5)),
          CalculationFrequency: 'Daily',
          ApplicationFrequency: 'Monthly',
          InterestCalculationMethod: 'OutstandingBalance',
        },
        IsSecured: false,
        IsSalaryTransferRequired: true,
        Tenor: { OriginalTenor: 'P4Y', RemainingTenor: 'P2Y6M' },
      }),
    },
  ],
  [
    'sharia-current',
    {
      name: 'Amanah Current',
      terms: () => ({ Charges: [CHEQUE_BOOK], IsSecured: false, IsSalaryTransferRequired: false }),
    },
  ],
  [
    'sharia-savings',
    { name: 'Mudaraba Savings', terms: () => deposit('VariableProfit', 1.9, 'MinimumMonthlyBalance') },
  ],
  [
    'sharia-card',
    {
      name: 'Oasis Card',
      terms: () => ({
        ShariaStructure: 'Tawarruq',
        Charges: [CHARITY],
        FinanceRates: {
          RateType: 'FixedProfit',
          Rate: 32.4,
          CalculationFrequency: 'Monthly',
          ApplicationFrequency: 'Monthly',
          ProfitCalculationMethod: 'OutstandingBalance',
        },
        RewardsBenefits: [
          {
            Type: 'Points',
            Name: 'Oasis points',
            PointsType: 'Oasis',
            Balance: '8400',
            RewardBasis: ['1 point for each AED 5'],
          },
        ],
        IsSecured: false,
      }),
    },
  ],
  [
    'sharia-business',
    {
      name: 'Tajir Current',
      terms: () => ({
        Charges: [charge('MonthlyFees', 'Account fee', 'Running of the account', aed(60), 'Monthly')],
        IsSecured: false,
      }),
    },
  ],
  [
    'sharia-mortgage',
    {
      name: 'Ijara Home Finance',
      terms: (window) => ({
        ShariaStructure: 'Ijara',
        Charges: [CHARITY],
        FinanceRates: {
          RateType: 'VariableProfit',
          Rate: 5.15,
          BenchMark: 'Three-month interbank rate',
          BenchMarkRate: 3.74,
          Margin: 1.41,
          RateReviewFrequency: 'P6M',
          RateReviewNextDate: dateText(dayIn(window.thisMonth + 4, 1)),
          CalculationFrequency: 'Monthly',
          ApplicationFrequency: 'Monthly',
          ProfitCalculationMethod: 'OutstandingBalance',
        },
        IsSecured: true,
        IsSalaryTransferRequired: true,
        Tenor: { OriginalTenor: 'P20Y', RemainingTenor: 'P17Y2M' },
        AssetBacked: [
          {
            Type: 'OwnershipTransfer',
            AssetType: 'Property',
            Description: 'Villa, Al Jurf',
            OwnershipTransfer: {
              Type: 'TokenPurchase',
              Method: 'EndOfLease',
              TokenPurchaseAmount: Money(aed(1), CURRENCY),
              TransferConditions: ['AllLeasePaymentsCompleted'],
            },
          },
        ],
      }),
    },
  ],
  [
    'sharia-finance',
    {
      name: 'Murabaha Auto Finance',
      terms: (window) => ({
        ShariaStructure: 'Murabaha',
        Charges: [CHARITY],
        FinanceRates: {
          RateType: 'FixedProfit',
          Rate: 3.49,
          FixedRateEndDate: dateText(dayIn(window.thisMonth + 28, 5)),
          CalculationFrequency: 'Monthly',
          ApplicationFrequency: 'Monthly',
          ProfitCalculationMethod: 'InitialDrawdownAmount',
        },
        IsSecured: true,
        IsSalaryTransferRequired: false,
        Tenor: { OriginalTenor: 'P5Y', RemainingTenor: 'P2Y4M' },
        AssetBacked: [collateral('Vehicle', 'Four-door car', aed(98_000), window)],
      }),
    },
  ],
])

export function productOf(account: AccountSpec) {
  const product = PRODUCTS.get(account.product)
  if (product === undefined) throw new Error(`${account.id} names an unknown product`)
  return product
}

export const accountProducts = (account: AccountSpec, window: Window) => [
  { AccountId: account.id, ...productOf(account).terms(window) },
]
