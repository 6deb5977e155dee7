/**
 * W3C Trace Context, the part that a hub between two parties needs: it takes the caller's trace or begins one, gives
 * its own request a span id, and tells the LFI both. Nothing is exported from here: the ids are on every log line and
 * join them with the traces of either side. `tracestate` belongs to vendors and is not passed across the border.
 */
import { randomBytes } from 'node:crypto'

export type Trace = { readonly traceId: string; readonly spanId: string; readonly flags: string }

export const TRACE_HEADER = 'traceparent'
/** Of a later version the first four fields are read as if they were of this one (W3C Trace Context 3.2.4). */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?$/

export function traceOf(header: string): Trace {
  const [, version, traceId, flags, rest] = TRACEPARENT.exec(header) ?? []
  const spanId = randomBytes(8).toString('hex')
  if (traceId === undefined || flags === undefined || (version === '00' && rest !== undefined)) {
    return { traceId: randomBytes(16).toString('hex'), spanId, flags: '00' }
  }
  // Of the flags only `sampled` has a meaning.
  return { traceId, spanId, flags: (Number.parseInt(flags, 16) & 1) === 1 ? '01' : '00' }
}

export const traceparent = ({ traceId, spanId, flags }: Trace): string => `00-${traceId}-${spanId}-${flags}`
