/**
 * Asks the LFI's operations and reports how that went. Each class of operations has connections, time and a breaker of
 * its own: what makes payments and what serves reads are different systems of a bank, and the one that is dead must
 * neither hold the connections of the other nor have it left alone.
 */
import { digestOf } from '../body.ts'
import type { Clock } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import type { Consent } from '../consent-store/index.ts'
import { fixedEndpoints } from '../endpoints/index.ts'
import { createFetchGuard } from '../fetch-guard.ts'
import { LFI_CLASSES, LFI_OPERATIONS, type LfiClass, type LfiOperation } from '../lfi-operations.ts'
import { childOf, newTrace, TRACE_HEADER, type Trace, traceparent } from '../trace.ts'
import type { Health, Standing } from './breaker.ts'
import { timeoutOf } from './budget.ts'
import { createConnectTokens } from './connect-token.ts'
import type { Answered, Attempt, Failed, Method } from './exchange.ts'
import type { Headers } from './headers.ts'
import { createPlaces, type Line, type Place, type PlacesDeps } from './place.ts'

export type LfiCall = {
  readonly operationId: LfiOperation
  readonly method: Method
  /** Path as documented, for the records. */
  readonly route: string
  readonly target: string
  readonly headers: Headers
  /** Of which the call is a part. */
  readonly trace: Trace
  /** The consent that the call is made under, where there is one. */
  readonly under: Consent | null
  /** Already written out. */
  readonly body?: string | Buffer
  /** Of the body; JSON where it is not said. */
  readonly contentType?: string
  /** Shorter than the operation's own time. */
  readonly timeoutMs?: number
}
/** One call and its outcome; kept for the audit entry whatever comes after it. */
export type Exchange = {
  readonly operationId: string
  readonly method: string
  readonly route: string
  /** Monotonic, in milliseconds. */
  readonly startedAt: number
  readonly lfiMs: number
  /** The span that the LFI was told. */
  readonly trace: Trace
  readonly attempt: Attempt
  /** Of the body as it was sent. */
  readonly requestDigest: string | null
}
/** An answer with data in it, or a 204, which has none. */
export type LfiReply = { readonly status: number; readonly body: unknown }

export type Connector = {
  /** Never rejects for what the LFI does. `gone` cancels the call. */
  ask(call: LfiCall, gone: AbortSignal | null): Promise<Exchange>
  /** Whether the LFI answers over mutual TLS (lfi-api 4.4). No TPP is involved, so nothing is audited. */
  hello(
    path?: '/hello' | '/hello-mtls',
  ): Promise<{ readonly ok: boolean; readonly ms: number; readonly detail: string | null }>
  /** Of the breaker of each class, in this process. */
  standing(): Readonly<Record<LfiClass, Standing>>
  close(): Promise<void>
}

export type ConnectorDeps = {
  readonly tenant: TenantConfig
  readonly clock: Clock
  /** Absent: the LFI is where the configuration says. */
  readonly moves?: Pick<PlacesDeps, 'endpoints' | 'guard'>
}

export function createConnector({ tenant, clock, moves }: ConnectorDeps): Connector {
  const { lfi } = tenant
  const { endpoints, guard } = moves ?? { endpoints: fixedEndpoints(tenant), guard: createFetchGuard([]) }
  const places = createPlaces({ tenant, clock, endpoints, guard })
  const connectTokens = createConnectTokens(tenant)

  const askOnce = ({ wire }: Line, call: LfiCall, proof: string | null, gone: AbortSignal | null): Promise<Attempt> => {
    const { operationId, route: _, under: __, trace, contentType = 'application/json', ...question } = call
    const own = timeoutOf(lfi, operationId)
    const timeoutMs = Math.min(call.timeoutMs ?? own, own)
    const headers = {
      ...call.headers,
      [TRACE_HEADER]: traceparent(trace),
      ...(call.body === undefined ? {} : { 'content-type': contentType }),
      ...(proof === null ? {} : { authorization: proof }),
    }
    return wire.exchange({ ...question, headers, timeoutMs }, gone)
  }

  const attemptOf = async (place: Place, call: LfiCall, gone: AbortSignal | null): Promise<Attempt> => {
    const line = lineOf(place, call)
    const { authorization } = place
    const connectToken = connectTokens.proof(call.operationId, call.under)
    // Refused, it is not made up for with what the hub itself may do.
    if (connectToken !== null) return askOnce(line, call, connectToken, gone)
    const given = authorization.value()
    const proof = given instanceof Promise ? await given : given
    if (proof !== null && typeof proof !== 'string') return proof
    const attempt = await askOnce(line, call, proof, gone)
    // The LFI has refused a token that was kept: it did nothing, so that the call may go out again with a new one.
    if (attempt.status !== 401 || proof === null || !authorization.refused(proof)) return attempt
    const renewed = await authorization.value()
    return typeof renewed === 'string' ? askOnce(line, call, renewed, gone) : attempt
  }

  const guarded = async ({ breaker }: Line, work: () => Promise<Attempt>): Promise<Attempt> => {
    const wait = breaker.admit()
    if (wait !== null) {
      return { outcome: 'unreachable', status: null, why: 'the LFI is left alone to recover', retryAfterSeconds: wait }
    }
    const attempt = await work()
    breaker.note(healthIn(attempt))
    return attempt
  }

  return {
    async ask(asked, gone) {
      const startedAt = performance.now()
      const trace = childOf(asked.trace)
      const call = { ...asked, trace }
      const attempt = await places.during((place) => guarded(lineOf(place, call), () => attemptOf(place, call, gone)))
      const { operationId, method, route } = call
      const lfiMs = performance.now() - startedAt
      return { operationId, method, route, startedAt, lfiMs, trace, attempt, requestDigest: digestOf(call.body) }
    },
    async hello(target = '/hello-mtls') {
      const startedAt = performance.now()
      const asked = {
        method: 'GET',
        target,
        headers: { accept: 'application/json', [TRACE_HEADER]: traceparent(newTrace()) },
        timeoutMs: lfi.timeoutMs,
      } as const
      const attempt = await places.during(({ lines }) => lines.read.wire.exchange(asked, null))
      const detail = unhealthy(attempt)
      return { ok: detail === null, ms: performance.now() - startedAt, detail }
    },
    standing: () => {
      const { lines } = places.now()
      const all = LFI_CLASSES.map((named) => [named, lines[named].breaker.standing()])
      return Object.fromEntries(all) as Record<LfiClass, Standing>
    },
    close: () => places.close(),
  }
}

const lineOf = ({ lines }: Place, { operationId }: LfiCall): Line => lines[LFI_OPERATIONS[operationId]]

/** What its application answers says that the LFI is there, whatever it answers. */
const AWAY: ReadonlySet<number> = new Set([502, 503, 504])

function healthIn({ outcome, status }: Attempt): Health {
  if (outcome === 'cancelled') return 'unknown'
  return outcome === 'timeout' || outcome === 'unreachable' || AWAY.has(status ?? 0) ? 'ill' : 'well'
}

function unhealthy(attempt: Answered | Failed): string | null {
  if (attempt.outcome !== 'answered') return `${attempt.outcome}: ${attempt.why}`
  return attempt.status === 200 ? null : `answered ${attempt.status}`
}
