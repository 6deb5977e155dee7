/** Whole hundredths of a currency unit; sums stay far below 2^53, so they are exact. */
export type Fils = number

export const aed = (units: number): Fils => Math.round(units * 100)

/** Unsigned decimal text; the sign travels in the credit/debit indicator. */
export function amountText(fils: Fils): string {
  const size = Math.abs(fils)
  return `${Math.floor(size / 100)}.${String(size % 100).padStart(2, '0')}`
}

export const indicator = (fils: Fils): 'Credit' | 'Debit' => (fils < 0 ? 'Debit' : 'Credit')
export const money = (fils: Fils, currency: string) => ({ amount: amountText(fils), currency })
/** The same in the casing of the parts of Ozone Connect that already speak Pascal (statements, products). */
export const Money = (fils: Fils, currency: string) => ({ Amount: amountText(fils), Currency: currency })
