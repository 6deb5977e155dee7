/**
 * The raw API log (lfi-api 7.6): one row per call, read from the audit log in its order. The table is the dictionary
 * too: what a column is called, what it holds, and where it comes from are one row.
 */
import type { AuditReader } from '../audit/index.ts'
import { iso, toInstant } from '../clock.ts'
import { groupOf } from '../measure.ts'
import type { Span } from './calendar.ts'
import { type Call, callOf, lfiGroupOf } from './call.ts'

type Value = string | number | boolean | null
type Column = { readonly name: string; readonly type: string; readonly meaning: string; of(call: Call): Value }

export function rawColumns(lfiId: string): readonly Column[] {
  // biome-ignore format: a table reads by its columns
  return [
    { name: 'Timestamp', type: 'date-time, UTC', meaning: 'when the request was received', of: (call) => iso(toInstant(call.at)) },
    { name: 'LfiId', type: 'uuid', meaning: 'organisation of the LFI in the trust framework', of: () => lfiId },
    { name: 'TppId', type: 'uuid', meaning: 'organisation of the TPP, as its certificate or client says; empty before it is known', of: (call) => call.organisationId },
    { name: 'TppClientId', type: 'text', meaning: 'client of the TPP; at doors of the LFI, of the LFI', of: (call) => call.clientId },
    { name: 'TppSoftwareStatementId', type: 'text', meaning: 'software statement of the client', of: (call) => call.softwareStatementId },
    { name: 'ApiSet', type: 'text', meaning: 'group of interfaces, as in reports to TPPs; empty outside of them', of: (call) => call.apiSet },
    { name: 'HttpMethod', type: 'text', meaning: 'method of the request', of: (call) => call.method },
    { name: 'UrlTemplate', type: 'text', meaning: 'path of the operation with its placeholders, never the URL; empty for what is no operation', of: (call) => call.route },
    { name: 'TppResponseCodeGroup', type: '2xx|4xx|5xx', meaning: 'group of the status that the caller got', of: (call) => groupOf(call.status) },
    { name: 'ExecutionTime', type: 'integer, ms', meaning: 'from receipt to the answer', of: (call) => Math.round(call.totalUs / 1000) },
    { name: 'InteractionId', type: 'uuid', meaning: 'x-fapi-interaction-id of the answer', of: (call) => call.interactionId },
    { name: 'ResourceName', type: 'text', meaning: 'what the operation is about', of: (call) => call.resource },
    { name: 'LfiResponseCodeGroup', type: '2xx|4xx|5xx', meaning: 'group of the status of the LFI, 5xx where it gave none; empty where it was not called', of: (call) => lfiGroupOf(call.lfi) },
    { name: 'IsAttended', type: 'boolean', meaning: 'whether x-fapi-customer-ip-address was sent', of: (call) => call.attended },
    { name: 'Records', type: 'integer', meaning: 'records in the answer; empty where counting means nothing', of: (call) => call.records },
    { name: 'PaymentType', type: 'text', meaning: 'OpenFinanceBilling.Type of a payment', of: (call) => call.paymentType },
    { name: 'MerchantId', type: 'text', meaning: 'OpenFinanceBilling.MerchantId of a payment', of: (call) => call.merchantId },
    { name: 'Door', type: 'as|rs|hh|cm|admin', meaning: 'door of the hub at which the call came in', of: (call) => call.door },
    { name: 'Status', type: 'integer', meaning: 'status that the caller got; 499 where it had hung up', of: (call) => call.status },
    { name: 'ErrorCode', type: 'text', meaning: 'code of the error that the caller got', of: (call) => call.errorCode },
    { name: 'Rule', type: 'text', meaning: 'rule by which the hub refused', of: (call) => call.rule },
    { name: 'LfiStatus', type: 'integer', meaning: 'status of the LFI', of: (call) => call.lfi?.status ?? null },
    { name: 'LfiOutcome', type: 'text', meaning: 'how the call to the LFI ended', of: (call) => call.lfi?.outcome ?? null },
    { name: 'HubInMicroseconds', type: 'integer, µs', meaning: 'from receipt to the call to the LFI', of: (call) => call.hubInUs },
    { name: 'LfiMicroseconds', type: 'integer, µs', meaning: 'from the call to the LFI to its whole answer', of: (call) => call.lfi?.us ?? null },
    { name: 'HubOutMicroseconds', type: 'integer, µs', meaning: 'from the answer of the LFI to ours', of: (call) => call.hubOutUs },
    { name: 'LogSequence', type: 'integer', meaning: 'index of the entry in the audit log, where it can be verified', of: (call) => call.seq },
  ]
}

const PORTION = 500

/** Calls of the span in the order of the log; never more than a portion in memory. */
export async function* callsIn(reader: AuditReader, span: Span): AsyncGenerator<Call, void, undefined> {
  for (let from = 0; ; ) {
    const accepted = await reader.range(from, PORTION)
    for (const each of accepted) {
      const call = callOf(each)
      if (call !== null && call.at >= span.from && call.at < span.to) yield call
    }
    const last = accepted.at(-1)?.index
    if (last === undefined || last === null || accepted.length < PORTION) return
    from = last + 1
  }
}

export type Format = 'csv' | 'ndjson'
export const MEDIA_TYPES: Readonly<Record<Format, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson',
}

export async function* rawLog(
  reader: AuditReader,
  lfiId: string,
  span: Span,
  format: Format,
): AsyncGenerator<string, void, undefined> {
  const columns = rawColumns(lfiId)
  if (format === 'csv') yield csvLine(columns.map(({ name }) => name))
  for await (const call of callsIn(reader, span)) {
    if (format === 'csv') yield csvLine(columns.map(({ of }) => of(call)))
    else yield `${JSON.stringify(Object.fromEntries(columns.map(({ name, of }) => [name, of(call)])))}\n`
  }
}

/** RFC 4180. What a spreadsheet would take for a formula gets an apostrophe in front. */
export const csvLine = (values: readonly Value[]): string => `${values.map(csvValue).join(',')}\r\n`

function csvValue(value: Value): string {
  if (value === null) return ''
  const written = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value)
  return /[",\r\n]/.test(written) ? `"${written.replaceAll('"', '""')}"` : written
}

export const csvOf = (rows: readonly Readonly<Record<string, Value>>[]): string =>
  rows[0] === undefined ? '' : [Object.keys(rows[0]), ...rows.map((row) => Object.values(row))].map(csvLine).join('')
