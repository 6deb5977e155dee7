/**
 * Calls for whoever looks for one of them, the latest first, and all that is recorded under one interaction id. Entries
 * are bytes and have no index but by id and interaction id: a search reads back from a moment, portion by portion, and
 * stops at a full page, at the beginning of the period, or when it has read as much as one search may.
 */
import { type Accepted, type AuditReader, type EntryId, toEntryId } from '../audit/index.ts'
import { type Instant, toInstant } from '../clock.ts'
import type { CorrelationId } from '../ids.ts'
import { groupOf } from '../measure.ts'
import { type RecordedCall, recordedCallOf } from './call.ts'

export type CallFilter = {
  readonly clientId: string | null
  /** Published name of an operation, or a part of its route. */
  readonly operation: string | null
  /** `404`, or a group as `4xx`. */
  readonly status: string | null
  readonly isRefused: boolean
  /** Of the record, which is made when a call is answered. */
  readonly from: Instant | null
  readonly to: Instant | null
}
export type FoundCall = RecordedCall & {
  readonly entryId: EntryId
  /** Its place in the log; null for the first two seconds. */
  readonly index: number | null
  readonly recordedAt: Instant
}
export type CallPage = {
  readonly calls: readonly FoundCall[]
  /** Where the next page begins; null: there is nothing more in the period. */
  readonly next: EntryId | null
  /** How far back it was read. */
  readonly readTo: Instant | null
  /** It stopped because it had read enough, not because the page was full. */
  readonly isCut: boolean
}

/** One entry under an interaction id: what may be shown of it. */
export type TraceRecord = {
  readonly entryId: EntryId
  readonly index: number | null
  readonly kind: string
  readonly at: string
  readonly recordedAt: Instant
  readonly facts: readonly (readonly [name: string, value: string])[]
}
export type Trace = { readonly records: readonly TraceRecord[]; readonly calls: readonly FoundCall[] }

export type CallLog = {
  search(filter: CallFilter, before: string | null): Promise<CallPage>
  trace(id: CorrelationId): Promise<Trace>
}

export const CALLS_PER_PAGE = 50
/** Entries that one search reads at most, of any kind. */
export const CALLS_READ_MAX = 10_000
const PORTION = 500
/** Entries that were accepted at once may have their ids in another order. */
const SLACK_MS = 5_000

export function createCallLog(reader: AuditReader): CallLog {
  return {
    search: async (filter, before) => {
      const begin = toEntryId(before) ?? (await beginOf(reader, filter.to))
      return search(reader, filter, begin)
    },
    trace: async (id) => {
      const found = await reader.findByInteraction(id)
      return { records: found.flatMap(recordOf), calls: found.flatMap(callIn) }
    },
  }
}

/** null: from the end. */
const beginOf = async (reader: AuditReader, to: Instant | null): Promise<EntryId | null> =>
  to === null ? null : reader.firstSince(new Date(to + SLACK_MS))

async function search(reader: AuditReader, filter: CallFilter, begin: EntryId | null): Promise<CallPage> {
  const calls: FoundCall[] = []
  let [at, readTo, read] = [begin, null as Instant | null, 0]
  while (read < CALLS_READ_MAX) {
    const portion = await reader.before(at, PORTION)
    for (const each of portion) {
      readTo = toInstant(each.acceptedAt)
      if (filter.from !== null && readTo < filter.from - SLACK_MS) return { calls, next: null, readTo, isCut: false }
      at = each.entryId
      calls.push(...callIn(each).filter((call) => matches(call, filter)))
      if (calls.length === CALLS_PER_PAGE) return { calls, next: at, readTo, isCut: false }
    }
    if (portion.length < PORTION) return { calls, next: null, readTo, isCut: false }
    read += portion.length
  }
  return { calls, next: at, readTo, isCut: true }
}

function matches(call: FoundCall, filter: CallFilter): boolean {
  const { clientId, operation, status, isRefused, from, to } = filter
  return (
    (clientId === null || call.clientId === clientId || call.organisationId === clientId) &&
    (operation === null || call.operationId === operation || (call.route?.includes(operation) ?? false)) &&
    (status === null || String(call.status) === status || groupOf(call.status) === status) &&
    (!isRefused || call.status >= 400) &&
    (from === null || call.recordedAt >= from) &&
    (to === null || call.recordedAt < to)
  )
}

function callIn({ entryId, index, acceptedAt, entry }: Accepted): readonly FoundCall[] {
  const call = recordedCallOf(entry)
  return call === null ? [] : [{ ...call, entryId, index, recordedAt: toInstant(acceptedAt) }]
}

/** Members that name operations, outcomes and times; whatever a later release may add is not among them. */
const SHOWN = [
  'surface',
  'operationId',
  'method',
  'route',
  'status',
  'errorCode',
  'outcome',
  'clientId',
  'callerClientId',
  'organisationId',
  'consentId',
  'hubMs',
  'lfiMs',
  'lfiStatus',
  'records',
  'step',
  'error',
  'resource',
  'change',
  'from',
  'to',
  'revision',
  'by',
  'eventId',
  'attempt',
  'act',
  'parentInteractionId',
] as const

function recordOf({ entryId, index, acceptedAt, entry }: Accepted): readonly TraceRecord[] {
  if (entry === null) return []
  const facts = SHOWN.flatMap((name) => {
    const value = entry[name]
    if (typeof value === 'string') return [[name, value] as const]
    return typeof value === 'number' ? [[name, String(Math.round(value * 10) / 10)] as const] : []
  })
  return [{ entryId, index, kind: entry.kind, at: entry.at, recordedAt: toInstant(acceptedAt), facts }]
}
