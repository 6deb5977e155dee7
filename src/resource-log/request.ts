/**
 * What a TPP asked of the LFI outside of any consent: an account opening, an FX quote, an insurance quote (lfi-api
 * 2.9). Its content is the LFI's; here is who asked, whom to tell, and how far it got. Pure.
 */
import type { Instant } from '../clock.ts'
import type { JsonObject, Subscription } from '../consent-store/index.ts'
import type { ClientId, OrganisationId } from '../ids.ts'

type Lifecycle = {
  /** The member of a body that holds the status. Which there are is said by the documents. */
  readonly member: 'OpeningStatus' | 'QuoteStatus'
  /** Nothing follows these. */
  readonly ends: readonly string[]
  /** Words about the status that are kept here, because the LFI's answers about the resource cannot hold them. */
  readonly keptWords: 'AdditionalStatusInformation' | null
}

export const LIFECYCLES = {
  'account-opening': { member: 'OpeningStatus', ends: ['Completed', 'Rejected'], keptWords: null },
  'fx-quote': {
    member: 'QuoteStatus',
    ends: ['Completed', 'Cancelled', 'Expired', 'Rejected'],
    keptWords: 'AdditionalStatusInformation',
  },
  'insurance-quote': {
    member: 'QuoteStatus',
    ends: ['Completed', 'Expired', 'Rejected', 'CustomerCancelled', 'LFICancelled'],
    keptWords: null,
  },
} as const satisfies Record<string, Lifecycle>
export type RequestKind = keyof typeof LIFECYCLES

export type NewRequest = {
  readonly kind: RequestKind
  /** AccountId, FxQuoteId or QuoteId, as the LFI gave it. */
  readonly resourceId: string
  readonly clientId: ClientId
  readonly organisationId: OrganisationId
  /** The status that the LFI answered with. */
  readonly status: string
  readonly subscription: Subscription | null
  /** Members that every notice repeats: LinkedOperations of an account opening. */
  readonly echoed: JsonObject
}
export type ServiceRequest = NewRequest & {
  readonly logId: string
  /** What the LFI said about this status, where it is kept. */
  readonly words: string | null
  readonly createdAt: Instant
  readonly statusChangedAt: Instant
  readonly updatedAt: Instant
  readonly revision: number
}

/** May the LFI say this of a request that has this status? A repeated status brings further words about it. */
export const mayBecome = (kind: RequestKind, from: string, to: string): boolean =>
  from === to || !(LIFECYCLES[kind].ends as readonly string[]).includes(from)
