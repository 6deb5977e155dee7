/** What a data-sharing request must bring: the o3-* headers, the paging and the filters (lfi-api 3.2, 3.4). */
import type { IncomingHttpHeaders } from 'node:http'
import { parseDate, parseMoment } from '../data/calendar.ts'
import { invalid, Refusal } from './refusal.ts'

export const REQUIRED_HEADERS = [
  'o3-provider-id',
  'o3-aspsp-id',
  'o3-caller-org-id',
  'o3-caller-client-id',
  'o3-caller-software-statement-id',
  'o3-api-uri',
  'o3-api-operation',
  'o3-consent-id',
  'o3-ozone-interaction-id',
  'o3-psu-identifier',
] as const

/** Refuses what lacks a header or is meant for another bank; gives the user that the consent belongs to. */
export function readHeaders(
  headers: IncomingHttpHeaders,
  bank: string,
  method: 'GET' | 'POST' = 'GET',
): { readonly userId: string } {
  const value = valueIn(headers)
  for (const name of REQUIRED_HEADERS) value(name)
  ownBank(value, bank)
  if (value('o3-api-operation') !== method) throw invalid('header o3-api-operation is not the method')
  return { userId: userIdOf(value('o3-psu-identifier')) }
}

/** The same without a user, who is not known before a consent is authorized (lfi-api 5.1). */
export function readConsentHeaders(headers: IncomingHttpHeaders, bank: string): { readonly consentId: string } {
  const value = valueIn(headers)
  for (const name of REQUIRED_HEADERS) if (name !== 'o3-psu-identifier') value(name)
  ownBank(value, bank)
  return { consentId: value('o3-consent-id') }
}

const valueIn =
  (headers: IncomingHttpHeaders) =>
  (name: string): string => {
    const found = headers[name]
    if (typeof found !== 'string' || found === '') throw invalid(`header ${name} is missing`)
    return found
  }

function ownBank(value: (name: string) => string, bank: string): void {
  if (value('o3-provider-id') !== bank) throw invalid('header o3-provider-id names another bank')
  if (value('o3-aspsp-id') !== bank) throw invalid('header o3-aspsp-id names another bank')
}

const SERVICE_HEADERS = REQUIRED_HEADERS.filter(
  (name) => !['o3-aspsp-id', 'o3-consent-id', 'o3-psu-identifier'].includes(name),
)
export type ServiceNeeds = { readonly aspsp: boolean; readonly customerIp: boolean }

/** The same without a consent; gives the client that asks, whose quotes and openings are its own. */
export function readServiceHeaders(
  headers: IncomingHttpHeaders,
  bank: string,
  method: string,
  needs: ServiceNeeds,
): { readonly client: string } {
  const value = (name: string): string => {
    const found = headers[name]
    if (typeof found !== 'string' || found === '') throw invalid(`header ${name} is missing`)
    return found
  }
  for (const name of SERVICE_HEADERS) value(name)
  if (value('o3-provider-id') !== bank) throw invalid('header o3-provider-id names another bank')
  if (needs.aspsp && value('o3-aspsp-id') !== bank) throw invalid('header o3-aspsp-id names another bank')
  if (value('o3-api-operation') !== method) throw invalid('header o3-api-operation is not the method')
  if (needs.customerIp) value('x-fapi-customer-ip-address')
  return { client: value('o3-caller-client-id') }
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** Standard base64 of the JSON of the consent's `psuIdentifiers`. */
function userIdOf(header: string): string {
  const unknown = () => new Refusal(400, 'Consent.InvalidUserIdentifier', 'header o3-psu-identifier names no user')
  if (!BASE64.test(header)) throw unknown()
  try {
    const parsed: unknown = JSON.parse(Buffer.from(header, 'base64').toString('utf8'))
    const userId = typeof parsed === 'object' && parsed !== null && 'userId' in parsed ? parsed.userId : undefined
    if (typeof userId === 'string') return userId
  } catch {
    throw unknown()
  }
  throw unknown()
}

export type Query = Readonly<Record<string, string | string[] | undefined>>
export type Page = { readonly number: number; readonly size: number }

const PAGE_SIZE_MAX = 100

export function readPage(query: Query): Page {
  return { number: whole(query, 'page', 1_000_000), size: whole(query, 'page-size', PAGE_SIZE_MAX) }
}

function whole(query: Query, name: string, max: number): number {
  const text = single(query, name)
  if (text === null) throw invalid(`query parameter ${name} is missing`)
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > max) throw invalid(`query parameter ${name} is not between 1 and ${max}`)
  return value
}

export function single(query: Query, name: string): string | null {
  const value = query[name]
  if (value === undefined || value === '') return null
  if (typeof value !== 'string') throw invalid(`query parameter ${name} is given twice`)
  return value
}

export function readMoment(query: Query, name: string): number | null {
  const text = single(query, name)
  if (text === null) return null
  const moment = parseMoment(text)
  if (moment === null) throw invalid(`query parameter ${name} is not a date-time`)
  return moment
}

export function readDate(query: Query, name: string): number | null {
  const text = single(query, name)
  if (text === null) return null
  const day = parseDate(text)
  if (day === null) throw invalid(`query parameter ${name} is not a date`)
  return day
}

export function paged<T>(items: readonly T[], page: Page) {
  const totalPages = Math.ceil(items.length / page.size)
  const start = (page.number - 1) * page.size
  return {
    rows: items.slice(start, start + page.size),
    meta: { totalPages, totalRecords: items.length },
    paginated: totalPages > 1,
  }
}
