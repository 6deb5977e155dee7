/**
 * W3C Trace Context, the part that a hub between two parties needs: it takes the caller's trace or begins one, and gives
 * its own request a span id, and each call to the LFI one below it, which the LFI is told. The ids are on every log line
 * and join them with the traces of either side; what is exported is in spans.ts. `tracestate` belongs to vendors and is
 * not passed across the border.
 */
import { randomUUID } from 'node:crypto'

export type Trace = {
  readonly traceId: string
  readonly spanId: string
  /** Whoever sent the request; null where it began the trace. */
  readonly parentId: string | null
  readonly flags: '00' | '01'
}
/** Whether a trace that begins here is one of those that are kept. */
export type Sampler = (traceId: string) => boolean

export const TRACE_HEADER = 'traceparent'
/** Of a later version the first four fields are read as if they were of this one (W3C Trace Context 3.2.4). */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const NONE: Sampler = () => false

export function traceOf(header: string, sampler: Sampler = NONE): Trace {
  const [, version, traceId, parentId, flags, rest] = TRACEPARENT.exec(header) ?? []
  const malformed = version === '00' && rest !== undefined
  if (traceId === undefined || parentId === undefined || flags === undefined || malformed) return newTrace(sampler)
  // Of the flags only `sampled` has a meaning.
  const isSampled = (Number.parseInt(flags, 16) & 1) === 1
  return { traceId, spanId: newSpanId(), parentId, flags: isSampled ? '01' : '00' }
}

export function newTrace(sampler: Sampler = NONE): Trace {
  const traceId = randomUUID().replaceAll('-', '')
  return { traceId, spanId: newSpanId(), parentId: null, flags: sampler(traceId) ? '01' : '00' }
}

/** A part of it with an id of its own. */
export const childOf = (trace: Trace): Trace => ({ ...trace, spanId: newSpanId(), parentId: trace.spanId })

/** The first and the last eight digits of a UUID are all chance; Node draws many UUIDs' worth of it at a time. */
export const newSpanId = (): string => {
  const uuid = randomUUID()
  return uuid.slice(0, 8) + uuid.slice(-8)
}
export const traceparent = ({ traceId, spanId, flags }: Trace): string => `00-${traceId}-${spanId}-${flags}`
