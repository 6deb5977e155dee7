import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addMoney,
  type Currency,
  compareMoney,
  type Decimal,
  isSameMoney,
  type Money,
  noMoney,
  sumMoney,
  toMoney,
  toWireMoney,
} from '../../src/money.ts'

const aed = (amount: string): Money => ({ amount: amount as Decimal, currency: 'AED' as Currency })
const usd = (amount: string): Money => ({ amount: amount as Decimal, currency: 'USD' as Currency })
const fils = fc.bigInt({ min: 0n, max: 10n ** 17n })
const textOf = (units: bigint): string => `${units / 100n}.${(units % 100n).toString().padStart(2, '0')}`

describe('money', () => {
  it.each([
    [{ Amount: '100.00', Currency: 'AED' }, true],
    [{ Amount: '0.00', Currency: 'AED' }, true],
    [{ Amount: '9999999999999999.99', Currency: 'USD' }, true],
    [{ Amount: '1.23456', Currency: 'KWD' }, true],
    [{ Amount: '7', Currency: 'JPY' }, true],
    [{ Amount: '1.234567', Currency: 'AED' }, false],
    [{ Amount: '12345678901234567.00', Currency: 'AED' }, false],
    [{ Amount: '-1.00', Currency: 'AED' }, false],
    [{ Amount: '1,00', Currency: 'AED' }, false],
    [{ Amount: '1.', Currency: 'AED' }, false],
    [{ Amount: '1e3', Currency: 'AED' }, false],
    [{ Amount: 1, Currency: 'AED' }, false],
    [{ Amount: '1.00', Currency: 'aed' }, false],
    [{ Amount: '1.00' }, false],
    [null, false],
  ])('%o is read: %s', (raw, readable) => {
    expect(toMoney(raw) !== null).toBe(readable)
  })

  it('is written as it was read', () => {
    expect(toWireMoney(aed('007.10'))).toEqual({ Amount: '007.10', Currency: 'AED' })
  })

  it('adds and compares without a loss where floating point has one', () => {
    expect(addMoney(aed('0.10'), aed('0.20'))).toEqual(aed('0.30'))
    expect(addMoney(aed('9007199254740993.01'), aed('0.01'))).toEqual(aed('9007199254740993.02'))
    expect(compareMoney(aed('9007199254740992.01'), aed('9007199254740992.02'))).toBe(-1)
    expect(compareMoney(aed('10.00'), aed('9.00'))).toBe(1)
    expect(addMoney(aed('1.5'), aed('2.25'))).toEqual(aed('3.75'))
    expect(isSameMoney(aed('1.5'), aed('1.50'))).toBe(true)
    expect(isSameMoney(aed('1.50'), usd('1.50'))).toBe(false)
    expect(sumMoney(noMoney('AED' as Currency), aed('1.01'), aed('2.02'))).toEqual(aed('3.03'))
  })

  it('agrees with whole numbers of the smallest unit', () => {
    fc.assert(
      fc.property(fils, fils, (a, b) => {
        const [x, y] = [aed(textOf(a)), aed(textOf(b))]
        expect(addMoney(x, y)).toEqual(aed(textOf(a + b)))
        expect(compareMoney(x, y)).toBe(a < b ? -1 : a > b ? 1 : 0)
      }),
    )
  })

  it('refuses two currencies, and a sum that no document can hold', () => {
    expect(() => compareMoney(aed('1.00'), usd('1.00'))).toThrow(RangeError)
    expect(() => addMoney(aed('1.00'), usd('1.00'))).toThrow(RangeError)
    expect(() => addMoney(aed('9999999999999999.99'), aed('0.01'))).toThrow(RangeError)
  })
})
