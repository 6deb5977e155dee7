/** Movements as Ozone Connect transactions (lfi-api 3.7). */
import { dayAt, monthOf, stamp } from './calendar.ts'
import { AGENTS, BILLERS, MERCHANTS, RATES, SHOPS_ABROAD } from './counterparties.ts'
import type { Entry } from './entry.ts'
import { iban } from './iban.ts'
import { type AccountNumber, accountNumbers, cardNumber } from './identifiers.ts'
import { kindRow } from './kinds.ts'
import { indicator, money } from './money.ts'
import type { AccountSpec, AgentKey, BankSpec, PayeeSpec } from './spec.ts'
import { statementId } from './statements.ts'
import type { Window } from './window.ts'

export type Ties = {
  readonly bank: BankSpec
  readonly window: Window
  readonly find: (accountId: string) => AccountSpec
}

export type Party = {
  readonly agent: { readonly schemeName: 'BICFI'; readonly identification: string; readonly name: string }
  readonly account: AccountNumber & { readonly name: string }
}

const PER_ACCOUNT_NUMBER = 10_000_000

export function transaction(entry: Entry, account: AccountSpec, ties: Ties) {
  const row = kindRow(entry.kind)
  const month = monthOf(dayAt(entry.at))
  const id = transactionId(entry, account)
  return {
    accountId: account.id,
    transactionId: id,
    transactionDateTime: stamp(entry.at),
    localTimeZone: 'UTC+04:00',
    ...(entry.status === 'Booked' && month < ties.window.thisMonth
      ? { statementReference: [statementId(account, month)] }
      : {}),
    transactionReference: `REF${id.replaceAll(/[^0-9]/g, '')}`,
    transactionType: row.type,
    subTransactionType: row.sub,
    ...(row.flags.length === 0 ? {} : { flags: [...row.flags] }),
    paymentModes: row.mode,
    creditDebitIndicator: indicator(entry.fils),
    status: entry.status,
    transactionMutability: entry.status === 'Pending' ? 'Mutable' : 'Immutable',
    bookingDateTime: stamp(entry.at),
    ...(entry.status === 'Booked' ? { valueDateTime: stamp(entry.at) } : {}),
    transactionInformation: words(entry, account, ties),
    amount: money(entry.fils, account.currency),
    ...(row.purpose === null ? {} : { paymentPurposeCode: row.purpose }),
    proprietaryBankTransactionCode: { code: row.sub.toUpperCase(), issuer: ties.bank.name },
    ...(entry.status === 'Booked'
      ? {
          balance: {
            creditDebitIndicator: indicator(entry.balance),
            balanceType: 'InterimBooked',
            amount: money(entry.balance, account.currency),
          },
        }
      : {}),
    ...charges(entry, account),
    ...exchange(entry, account),
    ...shop(entry, account),
    ...bill(entry),
    ...otherSide(entry, account, ties),
  }
}

export const transactionId = (entry: Entry, account: AccountSpec): string =>
  `${account.id}-t${String(entry.sequence).padStart(5, '0')}`

/** Movements that touch another currency; all that is shown under an FX-only permission. */
export const isForeign = (entry: Entry): boolean => entry.foreign !== undefined

function words(entry: Entry, account: AccountSpec, ties: Ties): string {
  const { text } = kindRow(entry.kind)
  const name = account.payees.find((payee) => payee.key === entry.with)?.name ?? BILLERS.get(entry.with)?.name
  switch (entry.kind) {
    case 'fee':
      return entry.with
    case 'interest':
    case 'profit':
      return `${text} ${entry.fils < 0 ? 'charged' : 'earned'}`
    case 'own-transfer':
    case 'card-payment':
    case 'instalment':
      return `${text} (${entry.fils < 0 ? 'to' : 'from'} ${ownName(entry, account, ties)})`
    default:
      return `${text} ${name ?? entry.with}`
  }
}

/** The other account of this bank, named by a payee key on the paying side and by its id on the receiving one. */
function ownAccount(entry: Entry, account: AccountSpec, ties: Ties): AccountSpec {
  const payee = account.payees.find(({ key }) => key === entry.with)
  return ties.find(payee !== undefined && 'own' in payee.to ? payee.to.own : entry.with)
}
const ownName = (entry: Entry, account: AccountSpec, ties: Ties): string => ownAccount(entry, account, ties).nickname

const charges = (entry: Entry, account: AccountSpec) =>
  entry.charge === undefined
    ? {}
    : {
        chargeAmount: { ...money(entry.charge, account.currency), chargeIncluded: true },
        chargeAmountVat: money(Math.round((entry.charge * 5) / 105), account.currency),
      }

const exchange = ({ foreign }: Entry, account: AccountSpec) =>
  foreign === undefined
    ? {}
    : {
        currencyExchange: {
          sourceCurrency: account.currency,
          targetCurrency: foreign.currency,
          unitCurrency: foreign.currency,
          exchangeRate: (RATES[foreign.currency] / 10_000).toFixed(4),
          instructedAmount: money(foreign.minor, foreign.currency),
        },
      }

function shop(entry: Entry, account: AccountSpec) {
  if (entry.kind !== 'purchase' && entry.kind !== 'foreign-purchase' && entry.kind !== 'cash') return {}
  const places = [...MERCHANTS, ...Object.values(SHOPS_ABROAD)]
  const index = places.findIndex(({ name }) => name === entry.with)
  const place = places[index]
  if (place === undefined) return {}
  return {
    // Digits only and short enough for a number: the TPP side carries both as integers.
    terminalId: String(50_000_000 + index),
    geoLocation: { latitude: place.latitude, longitude: place.longitude },
    cardInstrument: {
      cardSchemeName: 'VISA',
      instrumentType: entry.kind === 'foreign-purchase' ? 'Other' : 'Contactless',
      name: account.nickname,
      identification: cardNumber(account),
    },
    ...(entry.kind === 'cash'
      ? {}
      : {
          merchantDetails: {
            merchantId: String(70_000_000 + index),
            merchantName: place.name,
            merchantCategoryCode: place.category,
          },
        }),
  }
}

function bill(entry: Entry) {
  const biller = entry.kind === 'bill' || entry.kind === 'direct-debit' ? BILLERS.get(entry.with) : undefined
  return biller === undefined
    ? {}
    : { billDetails: { BillerID: biller.billerId, BillNumber: `B${entry.at / 1000}`, BillPaymentType: biller.payment } }
}

function otherSide(entry: Entry, account: AccountSpec, ties: Ties) {
  const other = counterparty(entry, account, ties)
  if (other === null) return {}
  return entry.fils < 0
    ? { creditorAgent: other.agent, creditorAccount: [other.account] }
    : { debtorAgent: other.agent, debtorAccount: other.account }
}

function counterparty(entry: Entry, account: AccountSpec, ties: Ties): Party | null {
  switch (entry.kind) {
    case 'own-transfer':
    case 'card-payment':
    case 'instalment':
      return ownParty(ownAccount(entry, account, ties), ties.bank)
    case 'standing-order':
    case 'remittance': {
      const payee = account.payees.find(({ key }) => key === entry.with)
      return payee === undefined ? null : payeeParty(payee, ties)
    }
    case 'salary':
    case 'sale':
      return outside(entry.with, 'palmCoast', String(6_000_000_000 + nameNumber(entry.with)), 'IBAN')
    default:
      return null
  }
}

const ownParty = (account: AccountSpec, bank: BankSpec): Party => ({
  agent: { schemeName: 'BICFI', identification: bank.bic, name: bank.name },
  account: { ...accountNumbers(account, bank)[0], name: account.nickname },
})

export function payeeParty(payee: PayeeSpec, ties: Ties): Party {
  if ('own' in payee.to) return ownParty(ties.find(payee.to.own), ties.bank)
  return outside(payee.name, payee.to.agent, payee.to.number, payee.to.scheme)
}

function outside(name: string, key: AgentKey, number: string, scheme: string): Party {
  const agent = AGENTS[key]
  return {
    agent: { schemeName: 'BICFI', identification: agent.bic, name: agent.name },
    account:
      agent.ibanBank === null || scheme !== 'IBAN'
        ? { schemeName: 'AccountNumber', identification: number, name }
        : { schemeName: 'IBAN', identification: iban(agent.ibanBank, number), name },
  }
}

/** A payer keeps the same account in every bank's books. */
function nameNumber(name: string): number {
  let sum = 0
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % PER_ACCOUNT_NUMBER
  return sum
}
