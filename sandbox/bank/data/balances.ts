/** Booked and available balances, and for finance what the debt is made of. */
import { stamp } from './calendar.ts'
import { booked, type Entry } from './entry.ts'
import { type Fils, indicator, Money, money } from './money.ts'
import type { AccountSpec } from './spec.ts'
import type { Window } from './window.ts'

export function bookedBalance(account: AccountSpec, entries: readonly Entry[]): Fils {
  return booked(entries).at(-1)?.balance ?? account.opening
}

export function balances(account: AccountSpec, entries: readonly Entry[], window: Window) {
  const now = bookedBalance(account, entries)
  const pending = entries.reduce((sum, { status, fils }) => (status === 'Pending' ? sum + fils : sum), 0)
  const limit = account.creditLimit ?? 0
  const balance = (balanceType: string, fils: Fils, more: object = {}) => ({
    accountId: account.id,
    creditDebitIndicator: indicator(fils),
    balanceType,
    timestamp: stamp(window.asOf),
    amount: money(fils, account.currency),
    ...more,
  })
  if (account.subType === 'Mortgage' || account.subType === 'Finance') {
    return [balance('InterimBooked', now, { components: components(account, entries, now) })]
  }
  return [
    balance('ClosingBooked', now),
    balance('InterimBooked', now, creditLine(account, 'excluded')),
    balance('InterimAvailable', now + pending + limit, creditLine(account, 'included')),
  ]
}

const creditLine = (account: AccountSpec, within: 'included' | 'excluded') =>
  account.creditLimit === undefined
    ? {}
    : {
        creditLines: [
          {
            included: within === 'included',
            creditType: account.subType === 'CreditCard' ? 'Credit' : 'Pre-Agreed',
            amount: money(account.creditLimit, account.currency),
          },
        ],
      }

/** What was charged since the last instalment is not yet part of the principal. */
function components(account: AccountSpec, entries: readonly Entry[], now: Fils) {
  const lastInstalment = entries.findLastIndex(({ kind }) => kind === 'instalment')
  const accrued = entries.slice(lastInstalment + 1).reduce((sum, { fils }) => sum + fils, 0)
  const category = account.product.startsWith('sharia') ? 'Profit' : 'Interest'
  return [
    { BalanceCategory: 'Principal', Amount: Money(now - accrued, account.currency) },
    ...(accrued === 0 ? [] : [{ BalanceCategory: category, Amount: Money(accrued, account.currency) }]),
  ]
}
