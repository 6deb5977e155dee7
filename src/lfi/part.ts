import type { Part } from '../spans.ts'
import type { Exchange } from './connector.ts'

/** A call to the LFI as a trace shows it, under the id that the LFI was told. */
export function lfiPart(exchange: Exchange, parentId: string | null = exchange.trace.parentId): Part {
  const { operationId, startedAt, lfiMs, trace, attempt } = exchange
  return {
    name: operationId,
    kind: 'client',
    spanId: trace.spanId,
    parentId,
    from: startedAt,
    to: startedAt + lfiMs,
    operation: operationId,
    status: attempt.status,
    isError: attempt.outcome !== 'answered' || attempt.status >= 500,
  }
}
