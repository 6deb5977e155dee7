/** Spans in the JSON encoding of OTLP (opentelemetry-proto, trace/v1; enumerations are numbers, ids hexadecimal). */

export type Part = {
  readonly name: string
  readonly kind: 'server' | 'client' | 'internal'
  readonly spanId: string
  readonly parentId: string | null
  /** Monotonic, in milliseconds. */
  readonly from: number
  readonly to: number
  readonly operation: string | null
  /** Of HTTP, where there was an answer. */
  readonly status: number | null
  readonly isError: boolean
}

type Attribute = {
  readonly key: string
  readonly value: { readonly stringValue: string } | { readonly intValue: string }
}
export type Span = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly Attribute[]
  readonly status: { readonly code?: number }
}

const KINDS = { internal: 1, server: 2, client: 3 } as const
const FAILED = 2

export function spanOf(part: Part, traceId: string, epoch: number, common: Readonly<Record<string, string>>): Span {
  const { name, kind, spanId, parentId, from, to, operation, status, isError } = part
  return {
    traceId,
    spanId,
    ...(parentId === null ? {} : { parentSpanId: parentId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanoseconds(epoch + from),
    endTimeUnixNano: nanoseconds(epoch + Math.max(from, to)),
    attributes: [
      ...textAttributes(common),
      ...(operation === null ? [] : textAttributes({ 'falaj.operation': operation })),
      ...(status === null ? [] : [{ key: 'http.response.status_code', value: { intValue: String(status) } }]),
    ],
    status: isError ? { code: FAILED } : {},
  }
}

/** One request to the collector. */
export const written = (spans: readonly Span[], environment: string): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: {
          attributes: textAttributes({ 'service.name': 'falaj', 'deployment.environment.name': environment }),
        },
        scopeSpans: [{ scope: { name: 'falaj' }, spans }],
      },
    ],
  })

const textAttributes = (values: Readonly<Record<string, string>>): readonly Attribute[] =>
  Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }))

/** Beyond what a number holds exactly; durations are good to a microsecond. */
const nanoseconds = (ms: number): string => String(BigInt(Math.round(ms * 1_000)) * 1_000n)
