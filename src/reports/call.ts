/** A call as the audit log tells of it: the one place that reads the entries which the reports are made of. */
import type { Accepted, StoredEntry } from '../audit/index.ts'
import { groupOf, type ResponseGroup } from '../measure.ts'

export type Call = RecordedCall & { readonly seq: number }
/** Of an entry that may not have its place in the log yet. */
export type RecordedCall = {
  readonly at: number
  readonly interactionId: string | null
  readonly door: string
  readonly apiSet: string | null
  readonly operationId: string | null
  readonly method: string
  readonly route: string | null
  readonly resource: string | null
  readonly organisationId: string | null
  readonly clientId: string | null
  readonly softwareStatementId: string | null
  readonly status: number
  readonly errorCode: string | null
  readonly rule: string | null
  readonly attended: boolean
  readonly records: number | null
  readonly totalUs: number
  readonly hubInUs: number | null
  readonly hubOutUs: number | null
  readonly lfi: LfiPart | null
  readonly paymentType: string | null
  readonly merchantId: string | null
}
export type LfiPart = { readonly us: number; readonly status: number | null; readonly outcome: string | null }

/** Null for what is no call. Entries of earlier releases lack members that later ones have. */
export function callOf({ index, entry }: Accepted): Call | null {
  const call = recordedCallOf(entry)
  return index === null || call === null ? null : { seq: index, ...call }
}

export function recordedCallOf(entry: StoredEntry | null): RecordedCall | null {
  if (entry === null || (entry.kind !== 'tpp-call' && entry.kind !== 'lfi-request')) return null
  const { lfiMs, hubMs } = entry
  const hubUs = us(hubMs) ?? 0
  const lfiUs = us(lfiMs)
  return {
    at: Date.parse(entry.at),
    interactionId: entry.interactionId,
    door: text(entry, 'surface') ?? '',
    apiSet: text(entry, 'apiSet'),
    operationId: text(entry, 'operationId'),
    method: text(entry, 'method') ?? '',
    route: text(entry, 'route'),
    resource: text(entry, 'resource'),
    organisationId: text(entry, 'organisationId'),
    clientId: text(entry, 'clientId') ?? text(entry, 'callerClientId'),
    softwareStatementId: text(entry, 'softwareStatementId'),
    status: number(entry, 'status') ?? 0,
    errorCode: text(entry, 'errorCode'),
    rule: text(entry, 'rule'),
    attended: entry['attended'] === true,
    records: number(entry, 'records'),
    totalUs: hubUs + (lfiUs ?? 0),
    hubInUs: us(entry['hubInMs']),
    hubOutUs: us(entry['hubOutMs']),
    lfi: lfiUs === null ? null : { us: lfiUs, status: number(entry, 'lfiStatus'), outcome: text(entry, 'lfiOutcome') },
    paymentType: text(entry, 'paymentType'),
    merchantId: text(entry, 'merchantId'),
  }
}

/**
 * Whether the LFI failed (lfi-api 8): a 5xx, no connection, no answer in time, or an answer that is none of the
 * contract's. Not decided where the caller hung up first. Any other answer, also a 4xx, is one of an LFI that is up.
 */
export function judgeLfi(lfi: LfiPart | null): 'up' | 'down' | null {
  if (lfi === null || lfi.outcome === 'cancelled') return null
  if (lfi.status !== null && lfi.status >= 500) return 'down'
  return lfi.outcome === null || lfi.outcome === 'answered' ? 'up' : 'down'
}

/** Whether the hub failed: it answered 5xx and the LFI was not the reason. */
export function judgeHub({ status, lfi }: Call): 'up' | 'down' | null {
  if (status < 500) return 'up'
  return judgeLfi(lfi) === 'down' ? null : 'down'
}

/** The LFI's group of status; a call that got no answer counts as the failure that it was. */
export function lfiGroupOf(lfi: LfiPart | null): ResponseGroup | null {
  if (lfi === null) return null
  if (lfi.status !== null) return groupOf(lfi.status)
  return lfi.outcome === 'cancelled' ? null : '5xx'
}

/** The moment at which the LFI had answered or was given up. */
export const lfiAnsweredAt = ({ at, hubInUs, lfi }: Call): number =>
  at + Math.floor(((hubInUs ?? 0) + (lfi?.us ?? 0)) / 1000)
export const answeredAt = ({ at, totalUs }: Call): number => at + Math.floor(totalUs / 1000)

const text = (entry: StoredEntry, name: string): string | null => {
  const value = entry[name]
  return typeof value === 'string' ? value : null
}
const number = (entry: StoredEntry, name: string): number | null => {
  const value = entry[name]
  return typeof value === 'number' ? value : null
}
const us = (ms: unknown): number | null => (typeof ms === 'number' ? Math.round(ms * 1000) : null)
