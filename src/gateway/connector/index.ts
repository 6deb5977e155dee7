/** The connector to one LFI: asks its operations and reports how that went. */
import type { Clock } from '../../clock.ts'
import type { TenantConfig } from '../../config.ts'
import { type Answered, type Attempt, createWire, type Failed } from './exchange.ts'
import type { Headers } from './headers.ts'
import { createLfiAuthorization } from './lfi-auth.ts'

export { lfiHeaders } from './headers.ts'
export { LFI_CODES, toTppError } from './lfi-errors.ts'

export type LfiCall = {
  readonly operationId: string
  readonly method: 'GET'
  /** Path as documented, for the records. */
  readonly route: string
  readonly target: string
  readonly headers: Headers
}
/** One call and its outcome; kept for the audit entry whatever comes after it. */
export type Exchange = {
  readonly operationId: string
  readonly method: string
  readonly route: string
  readonly lfiMs: number
  readonly attempt: Attempt
}
/** An answer with data in it. */
export type LfiReply = { readonly body: unknown }

export type Connector = {
  /** Never rejects for what the LFI does. `gone` cancels the call. */
  ask(call: LfiCall, gone: AbortSignal | null): Promise<Exchange>
  /** Whether the LFI answers over mutual TLS (lfi-api 4.4). No TPP is involved, so nothing is audited. */
  hello(): Promise<{ readonly ok: boolean; readonly ms: number; readonly detail: string | null }>
  close(): Promise<void>
}

export function createConnector(deps: { readonly tenant: TenantConfig; readonly clock: Clock }): Connector {
  const wire = createWire(deps.tenant.lfi)
  const authorization = createLfiAuthorization(deps.tenant.lfi, deps.clock)
  return {
    async ask(call, gone) {
      const value = authorization()
      const proof = value instanceof Promise ? await value : value
      const startedAt = performance.now()
      const headers = proof === null ? call.headers : { ...call.headers, authorization: proof }
      const attempt = await wire.exchange({ method: call.method, target: call.target, headers }, gone)
      const { operationId, method, route } = call
      return { operationId, method, route, lfiMs: performance.now() - startedAt, attempt }
    },
    async hello() {
      const startedAt = performance.now()
      const attempt = await wire.exchange(
        { method: 'GET', target: '/hello-mtls', headers: { accept: 'application/json' } },
        null,
      )
      const detail = unhealthy(attempt)
      return { ok: detail === null, ms: performance.now() - startedAt, detail }
    },
    close: () => wire.close(),
  }
}

function unhealthy(attempt: Answered | Failed): string | null {
  if (attempt.outcome !== 'answered') return `${attempt.outcome}: ${attempt.why}`
  return attempt.status === 200 ? null : `answered ${attempt.status}`
}
