/** The desk for new business: quotes, openings and leads, for as long as the bank runs. */
import { randomUUID } from 'node:crypto'
import { stamp } from './calendar.ts'
import { iban } from './iban.ts'
import { aed, type Fils, Money } from './money.ts'
import type { BankSpec } from './spec.ts'

/** Dirhams for one unit. Other currencies are not traded here. */
const RATES: ReadonlyMap<string, number> = new Map([
  ['USD', 3.6725],
  ['EUR', 4.01],
  ['GBP', 4.72],
  ['INR', 0.0438],
])
const QUOTE_MS = 15 * 60_000
const KEPT_MAX = 1_000
const COMMISSION = aed(12)

export type QuoteAsk = {
  readonly QuoteReference: string
  readonly UnitCurrency: string
  readonly QuotedCurrency: string
  readonly TradeAmount: { readonly Amount: string; readonly Currency: string }
}
export type OpeningAsk = { readonly Account?: { readonly Name?: string } }

export type Desk = {
  /** Null where the bank does not trade it. */
  quote(ask: QuoteAsk, client: string): object | null
  quoteOf(id: string, client: string): object | null
  accept(id: string, client: string): boolean
  open(ask: OpeningAsk, client: string): object
  openingOf(id: string, client: string): object | null
  lead(ask: object): object
}

type Quote = {
  readonly client: string
  readonly data: object
  readonly createdAt: number
  status: string
  changedAt: number
}
type Opening = { readonly client: string; readonly name: string; readonly number: string; readonly createdAt: number }

export function createDesk(bank: BankSpec, now: () => number): Desk {
  const quotes = new Map<string, Quote>()
  const openings = new Map<string, Opening>()
  const own = <T extends { readonly client: string }>(all: Map<string, T>, id: string, client: string): T | null => {
    const found = all.get(id)
    return found?.client === client ? found : null
  }
  return {
    quote(ask, client) {
      const data = quoteData(ask, now())
      if (data === null) return null
      keep(quotes, data.FxQuoteId, { client, data, createdAt: now(), status: 'Available', changedAt: now() })
      const policies = `https://${bank.code}.example/policies`
      return {
        data,
        links: { LiabilityPolicy: `${policies}/liability`, RefundCancellationPolicy: `${policies}/refund` },
      }
    },
    quoteOf(id, client) {
      const quote = own(quotes, id, client)
      return (
        quote && {
          data: {
            ...quote.data,
            QuoteStatus: quote.status,
            CreationDateTime: stamp(quote.createdAt),
            StatusUpdateDateTime: stamp(quote.changedAt),
          },
        }
      )
    },
    accept(id, client) {
      const quote = own(quotes, id, client)
      if (quote === null) return false
      quote.status = 'Accepted'
      quote.changedAt = now()
      return true
    },
    open(ask, client) {
      const AccountId = `acc-${randomUUID()}`
      const name = ask.Account?.Name ?? 'New customer'
      const number = String(7_000_000_000 + openings.size)
      keep(openings, AccountId, { client, name, number, createdAt: now() })
      return {
        data: { AccountId, OpeningStatus: 'AwaitingLFIProcesses', OpeningStatusUpdateDateTime: stamp(now()) },
        links: { Self: `https://${bank.code}.example/openings/${AccountId}` },
      }
    },
    /** A bank that never sleeps: whoever looks again finds the account open. */
    openingOf(id, client) {
      const opening = own(openings, id, client)
      if (opening === null) return null
      const { number, createdAt, name } = opening
      return {
        data: {
          AccountId: id,
          Currency: 'AED',
          AccountIdentifiers: [
            { SchemeName: 'IBAN', Identification: iban(bank.ibanBank, number), Name: name.slice(0, 70) },
          ],
          OpeningStatus: 'Completed',
          OpeningStatusUpdateDateTime: stamp(now()),
          CreationDateTime: stamp(createdAt),
        },
        links: { Self: `https://${bank.code}.example/openings/${id}` },
      }
    },
    lead: (ask) => ({ data: { LeadId: randomUUID(), ...ask } }),
  }
}

function quoteData(ask: QuoteAsk, at: number) {
  const rate = rateOf(ask)
  if (rate === null) return null
  const sell: Fils = Math.round(Number(ask.TradeAmount.Amount) * 100)
  const isUnit = ask.TradeAmount.Currency === ask.UnitCurrency
  const buy: Fils = Math.round(isUnit ? sell * rate : sell / rate)
  return {
    FxQuoteId: randomUUID(),
    QuoteReference: ask.QuoteReference,
    BuyAmount: Money(buy, isUnit ? ask.QuotedCurrency : ask.UnitCurrency),
    SellAmount: Money(sell, ask.TradeAmount.Currency),
    UnitCurrency: ask.UnitCurrency,
    QuotedCurrency: ask.QuotedCurrency,
    RateType: 'Actual',
    ExchangeRate: rate,
    UserIdentificationStatus: 'UserNotIdentified',
    ExpirationDateTime: stamp(at + QUOTE_MS),
    Commission: { CommissionAmount: Money(COMMISSION, 'AED'), PaymentMethod: 'DirectToTPP' },
  }
}

function rateOf({ UnitCurrency, QuotedCurrency, TradeAmount }: QuoteAsk): number | null {
  const rate = QuotedCurrency === 'AED' ? RATES.get(UnitCurrency) : undefined
  return rate !== undefined && [UnitCurrency, QuotedCurrency].includes(TradeAmount.Currency) ? rate : null
}

function keep<T>(all: Map<string, T>, id: string, made: T): void {
  const [oldest] = all.keys()
  if (all.size >= KEPT_MAX && oldest !== undefined) all.delete(oldest)
  all.set(id, made)
}
