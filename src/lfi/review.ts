/** What comes of asking the LFI about a consent that is not stored yet, and on whose account it is asked. */
import type { Charge, ExchangeRate } from '../consent-store/index.ts'
import type { CorrelationId } from '../ids.ts'
import type { Trace } from '../trace.ts'
import type { Exchange } from './connector.ts'

/** What augment adds; only what the type of the consent has a place for is kept. */
export type Augmentation = {
  readonly Charges?: readonly Charge[]
  readonly ExchangeRate?: ExchangeRate
  readonly OpenFinanceBilling?: { readonly IsLargeCorporate: boolean }
}
/** One call; an answer that is not in the form of the contract is no answer. */
export type ReviewCall = Exchange & { readonly understood: boolean }
export type Review = { readonly calls: readonly ReviewCall[] } & (
  | { readonly ok: true; readonly added: Augmentation }
  | { readonly ok: false; readonly why: string }
)
export type Interaction = {
  readonly correlationId: CorrelationId
  readonly correlationGiven: boolean
  readonly trace: Trace
}
/** On whose account the LFI is asked, and whether they still wait for it. */
export type Occasion = { readonly interaction: Interaction; readonly gone: AbortSignal | null }
