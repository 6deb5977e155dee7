/** The stories as data: who banks here, what they hold, and what happens on each account. */
import type { Fils } from './money.ts'

export type BankCode = 'aurora' | 'meridian'

export type BankSpec = {
  readonly code: BankCode
  readonly name: string
  readonly bic: string
  /** Three digits inside every IBAN of this bank. */
  readonly ibanBank: string
  readonly sharia: boolean
  readonly users: readonly UserSpec[]
  readonly accounts: readonly AccountSpec[]
}

export type UserSpec = {
  readonly userId: string
  readonly username: string
  readonly password: string
  /** One sentence for the developer who picks a user. */
  readonly story: string
  readonly person: PersonSpec
  readonly business?: BusinessSpec
}

export type PersonSpec = {
  readonly salutation: string
  readonly given: string
  readonly family: string
  /** How the bank prints the name where the customer chose Arabic. */
  readonly arabic: string
  readonly prints: 'latin' | 'arabic'
  readonly born: string
  readonly nationality: string
  readonly emirate: Emirate
  readonly street: string
  readonly profession: string
  readonly employer: string
  readonly salary: number
  readonly marital: string
}

export type BusinessSpec = {
  readonly name: string
  readonly licence: string
  readonly taxNumber: string
  readonly since: string
  readonly industry: string
  readonly emirate: Emirate
  readonly street: string
  readonly website: string
}

export type Emirate = 'AbuDhabi' | 'Ajman' | 'Dubai' | 'Fujairah' | 'RasAlKhaimah' | 'Sharjah' | 'UmmAlQuwain'
export type AccountType = 'Retail' | 'SME' | 'Corporate'
export type AccountSubType = 'CurrentAccount' | 'Savings' | 'CreditCard' | 'Mortgage' | 'Finance'
export type AccountStatus = 'Active' | 'Inactive' | 'Dormant' | 'Unclaimed' | 'Deceased' | 'Suspended' | 'Closed'

export type Holder = {
  readonly userId: string
  readonly party: 'Sole' | 'Joint' | 'Delegate'
  readonly role: 'Principal' | 'SecondaryOwner' | 'Administrator'
}

export type AccountSpec = {
  readonly id: string
  readonly number: string
  readonly holders: readonly Holder[]
  readonly type: AccountType
  readonly subType: AccountSubType
  readonly description: string
  readonly nickname: string
  readonly status: AccountStatus
  readonly currency: string
  /** Days before the as-of date on which the account was opened. */
  readonly openedDaysAgo: number
  /** Booked balance when the history begins; debts are negative. */
  readonly opening: Fils
  readonly product: string
  /** Card limit or agreed overdraft. */
  readonly creditLimit?: Fils
  readonly payees: readonly PayeeSpec[]
  readonly habits: readonly Habit[]
  readonly scheduled: readonly ScheduledSpec[]
}

/** Somebody the account pays: a person or firm elsewhere, or another account of the same bank. */
export type PayeeSpec = {
  readonly key: string
  readonly name: string
  readonly reference: string
  readonly activated: boolean
  readonly viaOpenFinance: boolean
  readonly to:
    | { readonly own: string }
    | { readonly agent: AgentKey; readonly scheme: 'IBAN' | 'AccountNumber' | 'MobileNumber'; readonly number: string }
}

export type AgentKey = 'palmCoast' | 'northGulf' | 'harbour' | 'malabarExchange'

export type ScheduledSpec = {
  readonly payee: string
  readonly inDays: number
  readonly fils: Fils
  readonly reference: string
}

/** What keeps happening on an account. Everything that repeats monthly names its day of the month. */
export type Habit =
  | {
      readonly does: 'earn'
      readonly from: string
      readonly day: number
      readonly fils: Fils
    }
  | {
      readonly does: 'standing-order'
      readonly mandate: string
      readonly payee: string
      readonly day: number
      readonly fils: Fils
      readonly purpose: string
      readonly kind: 'standing-order' | 'own-transfer' | 'instalment'
      readonly orderType: 'BetweenMyAccounts' | 'SameBankTransfer' | 'LocalBankTransfer' | 'Charity'
    }
  | {
      readonly does: 'direct-debit'
      readonly mandate: string
      readonly biller: string
      readonly day: number
      readonly min: Fils
      readonly max: Fils
    }
  | {
      readonly does: 'pay-bills'
      readonly biller: string
      readonly day: number
      readonly min: Fils
      readonly max: Fils
    }
  | { readonly does: 'spend'; readonly perMonth: number; readonly min: Fils; readonly max: Fils }
  | {
      readonly does: 'shop-abroad'
      readonly perMonth: number
      readonly currency: Foreign
      readonly min: Fils
      readonly max: Fils
    }
  | { readonly does: 'withdraw'; readonly perMonth: number; readonly min: Fils; readonly max: Fils }
  | {
      readonly does: 'remit'
      readonly payee: string
      readonly day: number
      readonly fils: Fils
      readonly currency: Foreign
    }
  | { readonly does: 'sell'; readonly perMonth: number; readonly min: Fils; readonly max: Fils }
  | { readonly does: 'fee'; readonly day: number; readonly fils: Fils; readonly text: string }
  | { readonly does: 'return'; readonly day: number; readonly min: Fils; readonly max: Fils }
  | { readonly does: 'charge'; readonly day: number; readonly fils: Fils }
  /** The card's previous month is paid in full; the paying account mirrors it. */
  | { readonly does: 'settle-card'; readonly day: number; readonly from: string }
  /** The other end of the named movements of another account of this bank. */
  | { readonly does: 'mirror'; readonly account: string; readonly mandate: string }
  | { readonly does: 'stream'; readonly count: number }
  | { readonly does: 'pending'; readonly count: number; readonly status: 'Pending' | 'Rejected' }

export type Foreign = 'INR' | 'EUR'
