/**
 * The period that a call asks for, checked (lfi-api 3.4) and narrowed to what the consent lets the client see. The
 * published filter is a UTC date-time whose zone the LFI ignores, so a value with a zone is passed on as the UTC
 * moment it names: otherwise a zone would carry the LFI's reading of it past the edge of the consent.
 */
import type { Instant } from '../clock.ts'
import { HubError } from '../errors.ts'

/** Names of the two query parameters, the same at the TPP and at the LFI. */
export type PeriodKind = 'booking' | 'statement'
export const PERIOD_PARAMETERS = {
  booking: ['fromBookingDateTime', 'toBookingDateTime'],
  statement: ['fromStatementDate', 'toStatementDate'],
} as const satisfies Record<PeriodKind, readonly [string, string]>

/** As sent to the LFI; null where that end is open. */
export type Period = { readonly from: string | null; readonly to: string | null }
export const OPEN_PERIOD: Period = { from: null, to: null }
/** `FromDate` and `ToDate` of the consent: dates, both days included. */
export type Window = { readonly fromDate: string | null; readonly toDate: string | null }

const DATE = /^\d{4}-\d{2}-\d{2}$/
const DATE_TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(Z|[+-]\d{2}:\d{2})?$/

type End = { readonly wire: string; readonly at: number }

export function narrowPeriod(
  kind: PeriodKind,
  asked: { readonly from: string | undefined; readonly to: string | undefined },
  window: Window,
  now: Instant,
): Period {
  const [fromName, toName] = PERIOD_PARAMETERS[kind]
  const read = kind === 'booking' ? readMoment : readDate
  const from = asked.from === undefined ? null : read(asked.from, fromName)
  const to = asked.to === undefined ? null : read(asked.to, toName)
  if (from !== null && to !== null && from.at > to.at) {
    throw new HubError('Resource.InvalidFormat', {
      rule: 'query.period',
      reason: `${fromName} is later than ${toName}`,
      path: fromName,
    })
  }
  if (to !== null && to.at > now) {
    throw new HubError('Resource.InvalidFormat', {
      rule: 'query.period',
      reason: `${toName} is in the future`,
      path: toName,
    })
  }
  const narrowed = {
    from: later(from, window.fromDate === null ? null : firstOf(kind, window.fromDate)),
    to: earlier(to, window.toDate === null ? null : lastOf(kind, window.toDate)),
  }
  if (narrowed.from !== null && narrowed.to !== null && narrowed.from.at > narrowed.to.at) {
    throw new HubError('Resource.InvalidFormat', {
      rule: 'consent.period',
      reason: 'The period asked for lies outside the period of the consent',
      path: from !== null ? fromName : toName,
    })
  }
  return { from: narrowed.from?.wire ?? null, to: narrowed.to?.wire ?? null }
}

function readMoment(text: string, name: string): End {
  const wire = DATE.test(text) ? `${text}T00:00:00Z` : text
  const [, local, zone] = DATE_TIME.exec(wire) ?? []
  if (local === undefined || !isOnCalendar(local)) throw unparsable(name)
  const at = Date.parse(`${local}${zone ?? 'Z'}`)
  if (Number.isNaN(at)) throw unparsable(name)
  if (zone !== undefined && zone !== 'Z') return { wire: new Date(at).toISOString(), at }
  return { wire: `${local}Z`, at }
}

function readDate(text: string, name: string): End {
  const midnight = `${text}T00:00:00`
  if (!DATE.test(text) || !isOnCalendar(midnight)) throw unparsable(name)
  return { wire: text, at: Date.parse(`${midnight}Z`) }
}

/** The 30th of February would be read as a day in March. */
function isOnCalendar(local: string): boolean {
  const at = Date.parse(`${local}Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(local.slice(0, 10))
}

const unparsable = (name: string): HubError =>
  new HubError('Resource.InvalidFormat', {
    rule: 'query.period',
    reason: `${name} is not a date or date-time`,
    path: name,
  })

const firstOf = (kind: PeriodKind, date: string): End =>
  edge(kind === 'booking' ? `${date}T00:00:00Z` : date, `${date}T00:00:00Z`)
const lastOf = (kind: PeriodKind, date: string): End =>
  edge(kind === 'booking' ? `${date}T23:59:59Z` : date, `${date}T23:59:59Z`)
const edge = (wire: string, moment: string): End => ({ wire, at: Date.parse(moment) })

const later = (one: End | null, other: End | null): End | null =>
  one !== null && other !== null ? (one.at >= other.at ? one : other) : (one ?? other)
const earlier = (one: End | null, other: End | null): End | null =>
  one !== null && other !== null ? (one.at <= other.at ? one : other) : (one ?? other)
