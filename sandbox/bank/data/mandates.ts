/** Payees and everything that is agreed for the future; each refers to the movements it has already caused. */
import { at, stamp } from './calendar.ts'
import { BILLERS } from './counterparties.ts'
import type { Entry } from './entry.ts'
import { money } from './money.ts'
import type { AccountSpec, Habit, PayeeSpec } from './spec.ts'
import { payeeParty, type Ties } from './transactions.ts'
import { nextOccurrence, type Window } from './window.ts'

export const beneficiaries = (account: AccountSpec, ties: Ties) =>
  account.payees.map((payee) => {
    const party = payeeParty(payee, ties)
    return {
      accountId: account.id,
      beneficiaryId: beneficiaryId(account, payee),
      beneficiaryType: payee.activated ? 'Activated' : 'NotActivated',
      addedViaOF: payee.viaOpenFinance,
      accountHolderName: payee.name,
      reference: payee.reference,
      servicer: party.agent,
      creditorAccount: creditor(payee, ties),
    }
  })

const beneficiaryId = (account: AccountSpec, payee: PayeeSpec): string => `ben-${account.number}-${payee.key}`

function creditor(payee: PayeeSpec, ties: Ties) {
  if ('agent' in payee.to && payee.to.scheme === 'MobileNumber') {
    return [{ schemeName: 'MobileNumber', identification: payee.to.number }]
  }
  const { schemeName, identification } = payeeParty(payee, ties).account
  // The list of schemes for creditors knows no finance references; there they are account numbers.
  const known = schemeName === 'MortgageReference' || schemeName === 'FinanceReference' ? 'AccountNumber' : schemeName
  return [{ schemeName: known, identification }]
}

function creditorOf(key: string, account: AccountSpec, ties: Ties) {
  const payee = account.payees.find((known) => known.key === key)
  if (payee === undefined) throw new Error(`${account.id} pays ${key}, who is not among its payees`)
  const { schemeName, identification } = payeeParty(payee, ties).agent
  return { payee, creditorAgent: { schemeName, identification }, creditorAccount: creditor(payee, ties) }
}

type StandingOrder = Extract<Habit, { does: 'standing-order' }>
type DirectDebit = Extract<Habit, { does: 'direct-debit' }>

export const standingOrders = (account: AccountSpec, entries: readonly Entry[], ties: Ties) =>
  account.habits
    .filter((habit): habit is StandingOrder => habit.does === 'standing-order')
    .map((habit) => {
      const paid = ofMandate(entries, habit.mandate)
      const { payee, ...creditorParts } = creditorOf(habit.payee, account, ties)
      const amount = money(habit.fils, account.currency)
      const first = paid[0]
      const last = paid.at(-1)
      const next = stamp(nextAt(ties.window, habit.day, 6 * 60 + 10))
      return {
        accountId: account.id,
        standingOrderId: `so-${account.number}-${habit.mandate}`,
        standingOrderType: habit.orderType,
        frequency: 'Monthly',
        creditorReference: payee.reference,
        purpose: habit.purpose,
        firstPaymentDateTime: first === undefined ? next : stamp(first.at),
        firstPaymentAmount: amount,
        nextPaymentDateTime: next,
        nextPaymentAmount: amount,
        ...(last === undefined ? {} : { lastPaymentDateTime: stamp(last.at), lastPaymentAmount: amount }),
        standingOrderStatusCode: 'Active',
        ...creditorParts,
      }
    })

export const directDebits = (account: AccountSpec, entries: readonly Entry[]) =>
  account.habits
    .filter((habit): habit is DirectDebit => habit.does === 'direct-debit')
    .map((habit) => {
      const last = ofMandate(entries, habit.mandate).at(-1)
      return {
        accountId: account.id,
        directDebitId: `dd-${account.number}-${habit.mandate}`,
        mandateIdentification: `M${account.number}-${habit.mandate}`,
        directDebitStatusCode: 'Active',
        name: BILLERS.get(habit.biller)?.name ?? habit.biller,
        frequency: 'Monthly',
        ...(last === undefined
          ? {}
          : { previousPaymentDateTime: stamp(last.at), previousPaymentAmount: money(last.fils, account.currency) }),
      }
    })

export const scheduledPayments = (account: AccountSpec, ties: Ties) =>
  account.scheduled.map((plan, index) => {
    const { payee, ...creditorParts } = creditorOf(plan.payee, account, ties)
    return {
      accountId: account.id,
      scheduledPaymentId: `sp-${account.number}-${index + 1}`,
      scheduledType: 'Execution',
      scheduledPaymentDateTime: stamp(at(ties.window.asOfDay + plan.inDays, 9 * 60)),
      creditorReference: plan.reference,
      debtorReference: payee.reference,
      instructedAmount: money(plan.fils, account.currency),
      ...creditorParts,
    }
  })

const ofMandate = (entries: readonly Entry[], mandate: string): readonly Entry[] =>
  entries.filter((entry) => entry.mandate === mandate && entry.status === 'Booked')

const nextAt = (window: Window, dayOfMonth: number, minute: number): number =>
  at(nextOccurrence(window, dayOfMonth), minute)
