/** One row per resource: which table its records follow, and how they lie in the bodies of both sides (lfi-api 3.7). */
import { listedAccount, singleAccount } from './accounts.ts'
import { balance } from './balances.ts'
import { accountParty, party } from './parties.ts'
import { product } from './products.ts'
import type { Members } from './shape.ts'
import { beneficiary, directDebit, scheduledPayment, standingOrder } from './standing-payments.ts'
import { statement } from './statements.ts'
import { transaction } from './transactions.ts'

export type Resource = {
  readonly members: Members
  /** Name of the records under `Data`. */
  readonly name: string
  /** `each`: records with their own account; `of`: records of one account; the others lie as their name says. */
  readonly layout: 'each-account' | 'one-account' | 'of-account' | 'statements' | 'one-party'
  /** Where the LFI says which account a record is of; null where it does not. */
  readonly accountAt: string | null
}

export const RESOURCES = {
  accounts: { members: listedAccount, name: 'Account', layout: 'each-account', accountAt: 'id' },
  account: { members: singleAccount, name: 'Account', layout: 'one-account', accountAt: 'id' },
  balances: { members: balance, name: 'Balance', layout: 'of-account', accountAt: 'accountId' },
  beneficiaries: { members: beneficiary, name: 'Beneficiary', layout: 'of-account', accountAt: 'accountId' },
  directDebits: { members: directDebit, name: 'DirectDebit', layout: 'of-account', accountAt: 'accountId' },
  products: { members: product, name: 'Product', layout: 'of-account', accountAt: 'AccountId' },
  scheduledPayments: {
    members: scheduledPayment,
    name: 'ScheduledPayment',
    layout: 'of-account',
    accountAt: 'accountId',
  },
  standingOrders: { members: standingOrder, name: 'StandingOrder', layout: 'of-account', accountAt: 'accountId' },
  statements: { members: statement, name: 'Statements', layout: 'statements', accountAt: 'AccountId' },
  transactions: { members: transaction, name: 'Transaction', layout: 'of-account', accountAt: 'accountId' },
  accountParties: { members: accountParty, name: 'Party', layout: 'of-account', accountAt: null },
  parties: { members: party, name: 'Party', layout: 'one-party', accountAt: null },
} as const satisfies Record<string, Resource>
export type ResourceName = keyof typeof RESOURCES
