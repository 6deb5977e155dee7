/** Monthly statements, made from the same entries as the transactions, so that they cannot disagree. */
import { dateText, dayIn, firstDay, lastDay, monthText, parseDate, stamp, startOf } from './calendar.ts'
import { balanceBefore, booked, type Entry } from './entry.ts'
import { kindRow } from './kinds.ts'
import { type Fils, indicator, Money } from './money.ts'
import type { AccountSpec } from './spec.ts'
import { monthStart, type Window } from './window.ts'

export type Statement = ReturnType<typeof statement>

export const statementId = (account: AccountSpec, month: number): string => `st-${monthText(month)}-${account.id}`

/** Whole months since the account was opened, oldest first. */
export function statements(account: AccountSpec, entries: readonly Entry[], window: Window) {
  const openedOn = window.asOfDay - account.openedDaysAgo
  const months: number[] = []
  for (let month = window.firstMonth; month < window.thisMonth; month++) {
    if (firstDay(month) >= openedOn) months.push(month)
  }
  return months.map((month) => statement(account, entries, month))
}

export function statementSpan(list: readonly Statement[]) {
  const first = list[0]
  const last = list.at(-1)
  if (first === undefined || last === undefined) return {}
  const start = (date: string) => stamp(startOf(parseDate(date) ?? 0))
  return { firstAvailableDateTime: start(first.OpeningDate), lastAvailableDateTime: start(last.ClosingDate) }
}

function statement(account: AccountSpec, entries: readonly Entry[], month: number) {
  const opening = balanceBefore(account.opening, entries, monthStart(month))
  const closing = balanceBefore(account.opening, entries, monthStart(month + 1))
  const within = booked(entries).filter((entry) => entry.at >= monthStart(month) && entry.at < monthStart(month + 1))
  return {
    StatementId: statementId(account, month),
    StatementDate: dateText(firstDay(month + 1)),
    OpeningDate: dateText(firstDay(month)),
    ClosingDate: dateText(lastDay(month)),
    ...(account.creditLimit === undefined ? {} : { CreditLine: Money(account.creditLimit, account.currency) }),
    OpeningBalance: { CreditDebitIndicator: indicator(opening), Amount: Money(opening, account.currency) },
    ClosingBalance: { CreditDebitIndicator: indicator(closing), Amount: Money(closing, account.currency) },
    Summary: summary(within, account.currency),
    ...(account.subType === 'CreditCard' && closing < 0
      ? {
          NextPayment: [
            { Date: dateText(dayIn(month + 1, 20)), Amount: Money(closing, account.currency), Type: 'Scheduled' },
            {
              Date: dateText(dayIn(month + 1, 20)),
              Amount: Money(minimum(closing), account.currency),
              Type: 'Minimum',
            },
          ],
        }
      : {}),
  }
}

/** Five in a hundred, and never less than a hundred units unless less is owed. */
const minimum = (closing: Fils): Fils => Math.max(closing, Math.min(Math.round(closing / 20), -10_000))

function summary(within: readonly Entry[], currency: string) {
  const groups = new Map<string, { entry: Entry; fils: Fils; count: number }>()
  for (const entry of within) {
    const row = kindRow(entry.kind)
    const key = `${indicator(entry.fils)} ${row.type} ${row.sub}`
    const group = groups.get(key) ?? { entry, fils: 0, count: 0 }
    groups.set(key, { entry, fils: group.fils + entry.fils, count: group.count + 1 })
  }
  return [...groups.values()].map(({ entry, fils, count }) => ({
    CreditDebitIndicator: indicator(entry.fils),
    TransactionType: kindRow(entry.kind).type,
    SubTransactionType: kindRow(entry.kind).sub,
    Amount: Money(fils, currency),
    Count: count,
  }))
}
