/**
 * Money, exact. An amount is what the wire says: decimal text with at most five places (tpp-api, notation: AMT2, AMT5).
 * It is never a floating-point number, and amounts of different currencies are neither compared nor added.
 */
import type { Brand } from './ids.ts'

export type Decimal = Brand<string, 'Decimal'>
/** ISO 4217. */
export type Currency = Brand<string, 'Currency'>
export type Money = { readonly amount: Decimal; readonly currency: Currency }
/** How documents write it. */
export type WireMoney = { readonly Amount: string; readonly Currency: string }

const DECIMAL = /^\d{1,16}(?:\.\d{1,5})?$/
const CURRENCY = /^[A-Z]{3}$/
const PLACES = 5

/** null: no amount of money. */
export function toMoney(raw: unknown): Money | null {
  const { Amount, Currency } = (raw ?? {}) as Partial<Record<keyof WireMoney, unknown>>
  if (typeof Amount !== 'string' || !DECIMAL.test(Amount)) return null
  if (typeof Currency !== 'string' || !CURRENCY.test(Currency)) return null
  return { amount: Amount as Decimal, currency: Currency as Currency }
}

export const toWireMoney = ({ amount, currency }: Money): WireMoney => ({ Amount: amount, Currency: currency })

export const isSameCurrency = (a: Money, b: Money): boolean => a.currency === b.currency

/** Below zero, zero, above zero, as `a` is less than, equal to, more than `b`. @throws RangeError for two currencies */
export function compareMoney(a: Money, b: Money): -1 | 0 | 1 {
  requireSame(a, b)
  const [left, right] = [unitsOf(a.amount), unitsOf(b.amount)]
  return left < right ? -1 : left > right ? 1 : 0
}

/** Equal in value and currency: 1.5 and 1.50 are the same amount. */
export const isSameMoney = (a: Money, b: Money): boolean => isSameCurrency(a, b) && compareMoney(a, b) === 0

/** With as many places as the finer of the two. @throws RangeError for two currencies, or a sum that no text can hold */
export function addMoney(a: Money, b: Money): Money {
  requireSame(a, b)
  const places = Math.max(placesOf(a.amount), placesOf(b.amount))
  return { amount: textOf(unitsOf(a.amount) + unitsOf(b.amount), places), currency: a.currency }
}

/** @throws RangeError for two currencies, or where more is taken than there is */
export function subtractMoney(a: Money, b: Money): Money {
  requireSame(a, b)
  const places = Math.max(placesOf(a.amount), placesOf(b.amount))
  return { amount: textOf(unitsOf(a.amount) - unitsOf(b.amount), places), currency: a.currency }
}

export const sumMoney = (first: Money, ...more: readonly Money[]): Money => more.reduce(addMoney, first)

/** Nothing, to begin a sum with: two places, as amounts of payments have. */
export const noMoney = (currency: Currency): Money => ({ amount: '0.00' as Decimal, currency })

const placesOf = (amount: Decimal): number => amount.split('.')[1]?.length ?? 0

/** In the smallest units that any amount can have. */
function unitsOf(amount: Decimal): bigint {
  const [whole = '', places = ''] = amount.split('.')
  return BigInt(whole + places.padEnd(PLACES, '0'))
}

function textOf(units: bigint, places: number): Decimal {
  const digits = units.toString().padStart(PLACES + 1, '0')
  const whole = digits.slice(0, -PLACES)
  const fraction = digits.slice(-PLACES).slice(0, places)
  const text = fraction === '' ? whole : `${whole}.${fraction}`
  if (!DECIMAL.test(text)) throw new RangeError('an amount of money that cannot be written')
  return text as Decimal
}

function requireSame(a: Money, b: Money): void {
  if (!isSameCurrency(a, b)) throw new RangeError('amounts of two currencies')
}
