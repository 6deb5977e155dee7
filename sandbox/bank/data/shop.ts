/** What the bank shows to everybody: its cash machines, and what it offers to new customers. */
import { stamp, startOf } from './calendar.ts'
import { aed, Money } from './money.ts'
import type { BankSpec } from './spec.ts'

const PLACES = [
  ['Marina branch', '2 Harbour Walk', 'Dubai', 25.0803, 55.1403],
  ['Corniche', '18 Corniche Street', 'AbuDhabi', 24.4765, 54.3459],
  ['Souk', '5 Pearl Lane', 'Sharjah', 25.3573, 55.3892],
] as const

export function cashMachines({ code }: BankSpec, asOfDay: number) {
  const data = PLACES.map(([name, street, emirate, latitude, longitude], at) => ({
    LFIId: code,
    LFIBrandId: code,
    ATMId: `${code}-atm-${at + 1}`,
    SupportedLanguages: ['ar', 'en'],
    Services: at === 0 ? ['CashWithdrawal', 'CashDeposits', 'Balance'] : ['CashWithdrawal', 'Balance'],
    Accessibility: ['WheelchairAccess', 'AudioCashMachine'],
    IsAccess24Hour: at !== 2,
    SupportedCurrencies: at === 0 ? ['AED', 'USD'] : ['AED'],
    MinimumPossibleAmount: Money(aed(100), 'AED'),
    MaximumPossibleAmount: Money(aed(5_000), 'AED'),
    Location: {
      LocationCategory: [at === 0 ? 'BranchExternal' : 'RemoteUnit'],
      Site: { Identification: `site-${at + 1}`, Name: name },
      PostalAddress: { AddressLine: [street], CountrySubDivision: emirate, Country: 'AE' },
      GeoLocation: { Latitude: String(latitude), Longitude: String(longitude) },
    },
  }))
  return { data, meta: { LastUpdatedDateTime: stamp(startOf(asOfDay)), TotalRecords: data.length } }
}

export type Offer = {
  readonly ProductId: string
  readonly ProductName: string
  readonly ProductCategory: 'SavingsAccount' | 'CurrentAccount' | 'CreditCard' | 'Finance' | 'Mortgage'
  readonly Description: string
  readonly LastUpdatedDateTime: string
  readonly IsShariaCompliant: boolean
  readonly IsSalaryTransferRequired: boolean
}

const OFFERS = [
  ['current', 'CurrentAccount', 'Everyday Current', 'For salary and daily payments', true],
  ['savings', 'SavingsAccount', 'Rainy Day Saver', 'Pays more the longer it rests', false],
  ['card', 'CreditCard', 'Dawn Card', 'One in a hundred comes back', false],
  ['home', 'Mortgage', 'Home', 'Up to twenty-five years', true],
  ['car', 'Finance', 'Car', 'New and used, up to five years', true],
] as const

export const offers = ({ code, sharia }: BankSpec, asOfDay: number): readonly Offer[] =>
  OFFERS.map(([id, ProductCategory, ProductName, Description, IsSalaryTransferRequired], at) => ({
    ProductId: `${code}-${id}`,
    ProductName,
    ProductCategory,
    Description,
    LastUpdatedDateTime: stamp(startOf(asOfDay - 10 * at)),
    IsShariaCompliant: sharia,
    IsSalaryTransferRequired,
  }))
