/** One bank's data behind questions that Ozone Connect and the pages ask. */
import { AURORA } from './aurora.ts'
import { balances, bookedBalance } from './balances.ts'
import { stamp, startOf } from './calendar.ts'
import type { Entry } from './entry.ts'
import { accountNumbers } from './identifiers.ts'
import { createLedgers } from './ledger.ts'
import { beneficiaries, directDebits, scheduledPayments, standingOrders } from './mandates.ts'
import { MERIDIAN } from './meridian.ts'
import type { Fils } from './money.ts'
import { accountName, accountParties, customer, latinName } from './parties.ts'
import { accountProducts, productOf } from './products.ts'
import type { AccountSpec, BankCode, BankSpec, UserSpec } from './spec.ts'
import { type Statement, statements } from './statements.ts'
import { isForeign, type Ties, transaction } from './transactions.ts'
import { windowUpTo } from './window.ts'

export const BANKS: Readonly<Record<BankCode, BankSpec>> = { aurora: AURORA, meridian: MERIDIAN }

export type Book = {
  readonly bank: BankSpec
  user(userId: string): UserSpec | null
  account(accountId: string): AccountSpec | null
  accountsOf(user: UserSpec): readonly AccountSpec[]
  balance(account: AccountSpec): Fils
  /** The number that the account is known by outside, for people to read. */
  number(account: AccountSpec): string
  accountView(account: AccountSpec): object
  balances(account: AccountSpec): readonly object[]
  beneficiaries(account: AccountSpec): readonly object[]
  directDebits(account: AccountSpec): readonly object[]
  products(account: AccountSpec): readonly object[]
  scheduledPayments(account: AccountSpec): readonly object[]
  standingOrders(account: AccountSpec): readonly object[]
  parties(account: AccountSpec): readonly object[]
  customer(user: UserSpec): object
  /** Newest first and without words, so that a page costs only its own rows. */
  entries(account: AccountSpec, filter: EntryFilter): readonly Entry[]
  transaction(entry: Entry, account: AccountSpec): object
  /** Newest first. */
  statements(account: AccountSpec): readonly Statement[]
}

export type EntryFilter = {
  readonly from: number | null
  readonly to: number | null
  readonly currency: 'all' | 'foreign'
}

/** The data shows the world as it was at the start of `asOfDay`. */
export function createBook(code: BankCode, options: { readonly seed: string; readonly asOfDay: number }): Book {
  const bank = BANKS[code]
  const window = windowUpTo(options.asOfDay)
  const accounts = new Map(bank.accounts.map((account) => [account.id, account]))
  const users = new Map(bank.users.map((user) => [user.userId, user]))
  const find = (id: string): AccountSpec => {
    const account = accounts.get(id)
    if (account === undefined) throw new Error(`no account ${id}`)
    return account
  }
  const ties: Ties = { bank, window, find }
  const ledgers = createLedgers(options.seed, window, find)
  const entries = (account: AccountSpec) => ledgers.of(account)

  return {
    bank,
    user: (userId) => users.get(userId) ?? null,
    account: (accountId) => accounts.get(accountId) ?? null,
    accountsOf: (user) => bank.accounts.filter(({ holders }) => holders.some(({ userId }) => userId === user.userId)),
    balance: (account) => bookedBalance(account, entries(account)),
    number: (account) => accountNumbers(account, bank)[0].identification,
    accountView: (account) => accountView(account, ties),
    balances: (account) => balances(account, entries(account), window),
    beneficiaries: (account) => beneficiaries(account, ties),
    directDebits: (account) => directDebits(account, entries(account)),
    products: (account) => accountProducts(account, window),
    scheduledPayments: (account) => scheduledPayments(account, ties),
    standingOrders: (account) => standingOrders(account, entries(account), ties),
    parties: (account) => accountParties(account, bank, window),
    customer: (user) => customer(user, window),
    entries: (account, { from, to, currency }) =>
      entries(account)
        .filter((entry) => (from === null || entry.at >= from) && (to === null || entry.at <= to))
        .filter((entry) => currency === 'all' || isForeign(entry))
        .toReversed(),
    transaction: (entry, account) => transaction(entry, account, ties),
    statements: (account) => statements(account, entries(account), window).toReversed(),
  }
}

function accountView(account: AccountSpec, { bank, window }: Ties) {
  const name = accountName(account, bank)
  const customers = account.holders.flatMap(({ userId }) => {
    const user = bank.users.find((known) => known.userId === userId)
    return user === undefined ? [] : [{ id: `cus-${userId}`, customerName: latinName(user.person) }]
  })
  const openedDay = window.asOfDay - account.openedDaysAgo
  return {
    id: account.id,
    product: { id: account.product, productName: productOf(account).name },
    multiAuth: false,
    ...(account.type === 'Retail'
      ? { customers }
      : { businessCustomer: account.holders.map(({ userId }) => ({ id: `cus-${userId}-firm`, customerName: name })) }),
    accountHolderName: name,
    accountHolderShortName: name.split(/[ /]/)[0] ?? name,
    status: account.status,
    statusUpdateDateTime: stamp(startOf(account.status === 'Active' ? openedDay : window.asOfDay - 14)),
    currency: account.currency,
    accountType: account.type,
    accountSubType: account.subType,
    description: account.description,
    nickName: account.nickname,
    openingDate: stamp(startOf(openedDay)),
    accountNumbers: accountNumbers(account, bank).map((number) => ({ ...number, name })),
    servicer: { schemeName: 'BICFI', identification: bank.bic },
    isShariaCompliant: bank.sharia,
  }
}
