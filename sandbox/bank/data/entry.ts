/** A movement on an account, before it has words. */
import type { Kind } from './kinds.ts'
import type { Fils } from './money.ts'
import type { Foreign } from './spec.ts'

export type Draft = {
  /** When it was booked; the history runs up to, and never reaches, the as-of date. */
  readonly at: number
  readonly kind: Kind
  /** Positive is a credit. */
  readonly fils: Fils
  readonly status: 'Booked' | 'Pending' | 'Rejected'
  /** Merchant, biller, payee or payer by name or key; what it is follows from the kind. */
  readonly with: string
  readonly mandate?: string
  readonly foreign?: { readonly currency: Foreign; readonly minor: number }
  readonly charge?: Fils
}

export type Entry = Draft & {
  readonly sequence: number
  /** Booked balance after this entry. */
  readonly balance: Fils
}

export const booked = (entries: readonly Entry[]): readonly Entry[] =>
  entries.filter((entry) => entry.status === 'Booked')

/** Booked balance just before a moment. */
export function balanceBefore(opening: Fils, entries: readonly Entry[], moment: number): Fils {
  const last = entries.findLast((entry) => entry.at < moment)
  return last === undefined ? opening : last.balance
}
