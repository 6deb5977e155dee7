/** The data-sharing operations: what each reads, once the account has been admitted. */

import type { Book } from '../data/book.ts'
import { parseDate } from '../data/calendar.ts'
import type { AccountSpec, AccountStatus, UserSpec } from '../data/spec.ts'
import { statementSpan } from '../data/statements.ts'
import { invalid, Refusal } from './refusal.ts'
import { paged, type Query, readDate, readMoment, readPage, single } from './request.ts'

export type Ask = {
  readonly book: Book
  readonly account: AccountSpec
  readonly query: Query
  /** From header `o3-fx-transactions`. */
  readonly show: 'all' | 'foreign'
}

type Operation = { readonly path: string; readonly read: (ask: Ask) => object }

const list =
  (rows: (book: Book, account: AccountSpec) => readonly object[]) =>
  ({ book, account, query }: Ask): object => {
    const { rows: data, meta } = paged(rows(book, account), readPage(query))
    return { data, meta }
  }

/** These exist for current and savings accounts only (lfi-api 3.7); other accounts have none rather than fail. */
const depositsOnly = (rows: (book: Book, account: AccountSpec) => readonly object[]) =>
  list((book, account) =>
    account.subType === 'CurrentAccount' || account.subType === 'Savings' ? rows(book, account) : [],
  )

export const ACCOUNT_OPERATIONS: readonly Operation[] = [
  { path: '/accounts/:accountId', read: ({ book, account }) => ({ data: book.accountView(account), meta: {} }) },
  { path: '/accounts/:accountId/balances', read: list((book, account) => book.balances(account)) },
  { path: '/accounts/:accountId/beneficiaries', read: depositsOnly((book, account) => book.beneficiaries(account)) },
  { path: '/accounts/:accountId/direct-debits', read: depositsOnly((book, account) => book.directDebits(account)) },
  { path: '/accounts/:accountId/products', read: list((book, account) => book.products(account)) },
  {
    path: '/accounts/:accountId/scheduled-payments',
    read: depositsOnly((book, account) => book.scheduledPayments(account)),
  },
  { path: '/accounts/:accountId/standing-orders', read: depositsOnly((book, account) => book.standingOrders(account)) },
  { path: '/accounts/:accountId/customer', read: list((book, account) => book.parties(account)) },
  { path: '/accounts/:accountId/transactions', read: transactions },
  { path: '/accounts/:accountId/statements', read: statements },
]

function transactions({ book, account, query, show }: Ask): object {
  const from = readMoment(query, 'fromBookingDateTime')
  const to = readMoment(query, 'toBookingDateTime')
  const { rows, meta, paginated } = paged(book.entries(account, { from, to, currency: show }), readPage(query))
  return { data: rows.map((entry) => book.transaction(entry, account)), meta: { paginated, ...meta } }
}

function statements({ book, account, query }: Ask): object {
  const from = readDate(query, 'fromStatementDate')
  const to = readDate(query, 'toStatementDate')
  const all = book.statements(account)
  // Both ends filter on the opening date of a statement.
  const wanted = all.filter(({ OpeningDate }) => {
    const day = parseDate(OpeningDate) ?? 0
    return (from === null || day >= from) && (to === null || day <= to)
  })
  const { rows, meta } = paged(wanted, readPage(query))
  return {
    data: { AccountId: account.id, AccountSubType: account.subType, Statements: rows },
    meta: { ...meta, ...statementSpan(all.toReversed()) },
  }
}

/** `GET /accounts`: the only operation that shows an account whatever its status. */
export function accountList(book: Book, user: UserSpec, query: Query): object {
  const page = readPage(query)
  const accounts = askedFor(query).map((id) => held(book, user, id))
  const { rows, meta } = paged(accounts, page)
  return { data: rows.map((account) => book.accountView(account)), meta }
}

export function askedFor(query: Query): readonly string[] {
  const ids = single(query, 'accountIds')?.split(',') ?? []
  if (ids.length === 0 || ids.includes('')) throw invalid('query parameter accountIds is not a list of account ids')
  return [...new Set(ids)]
}

/** The user's own account; another's is refused in the same words as one that does not exist. */
export function held(book: Book, user: UserSpec, accountId: string): AccountSpec {
  const account = book.account(accountId)
  if (account === null || !account.holders.some(({ userId }) => userId === user.userId)) {
    throw new Refusal(403, 'Consent.PermanentAccountAccessFailure', 'no such account of this user')
  }
  return account
}

const READABLE: Readonly<Record<AccountStatus, 'yes' | 'not now' | 'never'>> = {
  Active: 'yes',
  Inactive: 'yes',
  Dormant: 'yes',
  Suspended: 'not now',
  Closed: 'never',
  Deceased: 'never',
  Unclaimed: 'never',
}

/** lfi-api 6.4. */
export function readable(account: AccountSpec): AccountSpec {
  switch (READABLE[account.status]) {
    case 'yes':
      return account
    case 'not now':
      throw new Refusal(403, 'Consent.AccountTemporarilyBlocked', 'the account is frozen')
    case 'never':
      throw new Refusal(403, 'Consent.PermanentAccountAccessFailure', 'the account is no longer open')
  }
}
