/** Each habit turned into movements. Pure: the same account, seed and window give the same list. */
import { at, DAY_MS, dayIn, firstDay, lastDay } from './calendar.ts'
import { CUSTOMERS, MERCHANTS, RATES, SHOPS_ABROAD } from './counterparties.ts'
import type { Draft, Entry } from './entry.ts'
import type { Fils } from './money.ts'
import type { Random } from './random.ts'
import type { AccountSpec, Foreign, Habit } from './spec.ts'
import { monthStart, occurrences, type Window } from './window.ts'

export type Scene = {
  readonly account: AccountSpec
  readonly random: Random
  readonly window: Window
  /** What the earlier habits of the same account made. */
  readonly before: readonly Draft[]
  readonly ledger: (accountId: string) => readonly Entry[]
}

const BATCH = 6 * 60
const OPENS = 8 * 60
const CLOSES = 22 * 60 - 1
/** Part of the amount that leaves the account. */
const REMITTANCE_CHARGE = 1_500

export function runHabit(habit: Habit, scene: Scene): readonly Draft[] {
  const { random, window } = scene
  const amount = (range: { readonly min: Fils; readonly max: Fils }) => random.int(range.min, range.max)
  const monthly = (day: number, minute: number, draft: () => Omit<Draft, 'at' | 'status'>): Draft[] =>
    occurrences(window, day, minute).map((moment) => ({ at: moment, status: 'Booked', ...draft() }))
  const scattered = (perMonth: number, draft: () => Omit<Draft, 'at' | 'status'>): Draft[] =>
    someMoments(scene, perMonth).map((moment) => ({ at: moment, status: 'Booked', ...draft() }))

  switch (habit.does) {
    case 'earn':
      return monthly(habit.day, BATCH, () => ({ kind: 'salary', fils: habit.fils, with: habit.from }))
    case 'standing-order':
      return monthly(habit.day, BATCH + 10, () => ({
        kind: habit.kind,
        fils: -habit.fils,
        with: habit.payee,
        mandate: habit.mandate,
      }))
    case 'direct-debit':
      return monthly(habit.day, BATCH + 20, () => ({
        kind: 'direct-debit',
        fils: -amount(habit),
        with: habit.biller,
        mandate: habit.mandate,
      }))
    case 'pay-bills':
      return monthly(habit.day, OPENS + 75, () => ({ kind: 'bill', fils: -amount(habit), with: habit.biller }))
    case 'spend':
      return scattered(habit.perMonth, () => ({
        kind: 'purchase',
        fils: -amount(habit),
        with: random.pick(MERCHANTS).name,
      }))
    case 'shop-abroad':
      return scattered(habit.perMonth, () => abroad(habit.currency, amount(habit)))
    case 'withdraw':
      // Machines hand out whole notes.
      return scattered(habit.perMonth, () => ({
        kind: 'cash',
        fils: -Math.ceil(amount(habit) / 10_000) * 10_000,
        with: random.pick(MERCHANTS).name,
      }))
    case 'remit':
      return monthly(habit.day, OPENS + 90, () => ({
        kind: 'remittance',
        fils: -habit.fils,
        with: habit.payee,
        charge: REMITTANCE_CHARGE,
        foreign: { currency: habit.currency, minor: convert(habit.fils - REMITTANCE_CHARGE, habit.currency) },
      }))
    case 'sell':
      return scattered(habit.perMonth, () => ({ kind: 'sale', fils: amount(habit), with: random.pick(CUSTOMERS) }))
    case 'fee':
      return monthly(habit.day, BATCH + 30, () => ({ kind: 'fee', fils: -habit.fils, with: habit.text }))
    case 'return':
      return monthly(habit.day, BATCH + 40, () => ({ kind: returnKind(scene.account), fils: amount(habit), with: '' }))
    case 'charge':
      return monthly(habit.day, BATCH, () => ({ kind: returnKind(scene.account), fils: -habit.fils, with: '' }))
    case 'settle-card':
      return settleCard(habit.day, habit.from, scene)
    case 'mirror':
      return scene
        .ledger(habit.account)
        .filter((entry) => entry.mandate === habit.mandate)
        .map(({ at: moment, kind, fils, mandate }) => ({
          at: moment,
          kind,
          fils: -fils,
          status: 'Booked',
          with: habit.account,
          ...(mandate === undefined ? {} : { mandate }),
        }))
    case 'stream':
      return stream(habit.count, scene)
    case 'pending':
      return unsettled(habit.count, habit.status, scene)
    default:
      return never(habit)
  }
}

const convert = (fils: Fils, currency: Foreign): number => Math.round((fils * 10_000) / RATES[currency])

const abroad = (currency: Foreign, fils: Fils): Omit<Draft, 'at' | 'status'> => ({
  kind: 'foreign-purchase',
  fils: -fils,
  with: SHOPS_ABROAD[currency].name,
  foreign: { currency, minor: convert(fils, currency) },
})

/** A sharia product earns or charges profit, any other interest. */
const returnKind = (account: AccountSpec): 'profit' | 'interest' =>
  account.product.startsWith('sharia') ? 'profit' : 'interest'

function someMoments({ random, window }: Scene, perMonth: number): number[] {
  const moments: number[] = []
  for (let month = window.firstMonth; month <= window.thisMonth; month++) {
    for (let count = 0; count < perMonth; count++) {
      const moment = at(random.int(firstDay(month), lastDay(month)), random.int(OPENS, CLOSES))
      if (moment < window.asOf) moments.push(moment)
    }
  }
  return moments
}

function settleCard(day: number, from: string, { account, before, window }: Scene): Draft[] {
  const spentIn = (month: number): Fils =>
    before
      .filter((draft) => draft.status === 'Booked' && draft.at >= monthStart(month) && draft.at < monthStart(month + 1))
      .reduce((sum, draft) => sum + draft.fils, 0)
  const payments: Draft[] = []
  for (let month = window.firstMonth; month <= window.thisMonth; month++) {
    const owed = month === window.firstMonth ? account.opening : spentIn(month - 1)
    const moment = at(dayIn(month, day), BATCH + 50)
    if (owed >= 0 || moment >= window.asOf) continue
    payments.push({ at: moment, kind: 'card-payment', fils: -owed, status: 'Booked', with: from, mandate: account.id })
  }
  return payments
}

/** Evenly spread small movements: the n-th lies in the n-th slice of the window, so order needs no sorting out. */
function stream(count: number, { random, window }: Scene): Draft[] {
  const start = monthStart(window.firstMonth)
  const slice = (window.asOf - start) / count
  return Array.from({ length: count }, (_, index) => {
    const moment = Math.floor(start + index * slice + (random.int(0, 999) / 1000) * slice)
    const pays = index % 25 !== 0
    return {
      at: moment - (moment % 1000),
      kind: pays ? 'purchase' : 'sale',
      fils: pays ? -random.int(300, 9_500) : random.int(117_000, 124_000),
      status: 'Booked',
      with: pays ? random.pick(MERCHANTS).name : random.pick(CUSTOMERS),
    }
  })
}

function unsettled(count: number, status: 'Pending' | 'Rejected', { random, window }: Scene): Draft[] {
  return Array.from({ length: count }, () => ({
    at: window.asOf - random.int(60, DAY_MS / 60_000 - 60) * 60_000,
    kind: 'purchase',
    fils: -random.int(1_500, 25_000),
    status,
    with: random.pick(MERCHANTS).name,
  }))
}

function never(value: never): never {
  throw new Error(`unreachable: ${String(value)}`)
}
