/**
 * What a call was made of, told to a collector of OpenTelemetry (OTLP over HTTP, JSON) where the configuration names
 * one. The hub measures its calls anyway, so that a span is written down when its call is over; nothing here runs while
 * one is at work. The packages of OpenTelemetry are not used: they bring contexts and a wire format of their own for what
 * is a page of JSON, and their queue does not tell how much it has dropped.
 */
import { setTimeout as later } from 'node:timers'
import type { Config, TracingConfig } from './config.ts'
import type { CorrelationId, TenantId } from './ids.ts'
import type { Log } from './log.ts'
import { type Part, type Span, spanOf, written } from './spans/otlp.ts'
import { send } from './spans/send.ts'
import type { Sampler, Trace } from './trace.ts'

export type { Part } from './spans/otlp.ts'

/** A request that is over. Nothing else of it leaves the hub this way: no client, no consent, no user, no payload. */
export type TracedCall = {
  readonly trace: Trace
  readonly interactionId: CorrelationId
  readonly door: string
  readonly operation: string | null
  readonly status: number
  /** Monotonic, in milliseconds. */
  readonly startedAt: number
  readonly endedAt: number
  readonly parts: readonly Part[]
}
/** Of one tenant. */
export type SpanSink = { readonly sampler: Sampler; take(call: TracedCall): void }
export type SpanCounts = { readonly exported: number; readonly dropped: number }
export type SpanExport = {
  of(tenantId: TenantId): SpanSink
  counts(): SpanCounts
  /** Tries once more to bring what waits. */
  close(): Promise<void>
}

const BATCH_MAX = 512
const EVERY_MS = 1_000

export function createSpanExport(deps: {
  readonly tracing: TracingConfig
  readonly environment: Config['environment']
  readonly log: Log
}): SpanExport {
  const { tracing, environment, log } = deps
  const queue: Span[] = []
  let [exported, dropped] = [0, 0]
  let sending: Promise<void> | null = null
  let timer: NodeJS.Timeout | null = null
  let isReported = false

  const bring = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = queue.splice(0, BATCH_MAX)
      const why = await send(tracing, written(batch, environment))
      if (why === null) exported += batch.length
      // Not kept for another try: what a collector misses while it is away is not worth a place in memory.
      else dropped += batch.length
      if (why !== null && !isReported) log.warn({ why }, 'the collector of traces has not taken spans')
      isReported = why !== null
    }
  }
  const flush = (): Promise<void> => {
    sending ??= bring().finally(() => {
      sending = null
    })
    return sending
  }
  const soon = (): void => {
    timer ??= later(() => {
      timer = null
      void flush()
    }, EVERY_MS).unref()
  }

  return {
    of: (tenantId) => ({
      sampler: ratioSampler(tracing.ratio),
      take(call) {
        const spans = spansOf(call, tenantId)
        if (queue.length + spans.length > tracing.queueMax) {
          dropped += spans.length
          return
        }
        queue.push(...spans)
        if (queue.length >= BATCH_MAX) void flush()
        else soon()
      },
    }),
    counts: () => ({ exported, dropped }),
    close: async () => {
      if (timer !== null) clearTimeout(timer)
      await flush()
    },
  }
}

/** By the id alone, so that every node and every service with the same ratio keeps the same traces. */
function ratioSampler(ratio: number): Sampler {
  const HEX_DIGITS = 13
  const kept = ratio * 16 ** HEX_DIGITS
  return (traceId) => Number.parseInt(traceId.slice(-HEX_DIGITS), 16) < kept
}

function spansOf(call: TracedCall, tenantId: TenantId): readonly Span[] {
  const { trace, operation, status, startedAt: from, endedAt: to } = call
  // The clock of durations begins with the process, and that of a span with the epoch.
  const epoch = Date.now() - performance.now()
  const common = { 'falaj.tenant': tenantId, 'falaj.interaction_id': call.interactionId }
  const whole: Part = {
    name: operation ?? call.door,
    kind: 'server',
    spanId: trace.spanId,
    parentId: trace.parentId,
    from,
    to,
    operation,
    status,
    isError: status >= 500,
  }
  return [whole, ...call.parts].map((part) => spanOf(part, trace.traceId, epoch, common))
}
