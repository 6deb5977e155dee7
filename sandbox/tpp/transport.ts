/** mTLS with the transport certificate, a fresh interaction id on every call, and a note of each call made. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent, fetch as undiciFetch } from 'undici'
import { LfiFault } from './errors.ts'
import type { HttpCall, TppClientSettings } from './settings.ts'

export const INTERACTION_HEADER = 'x-fapi-interaction-id'
const RESPONSE_BYTES_MAX = 8 * 1024 * 1024

export type OutgoingRequest = {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | URLSearchParams | undefined
  readonly signal?: AbortSignal | undefined
}
export type Transport = {
  fetch(url: string, request?: OutgoingRequest): Promise<Response>
  close(): Promise<void>
}

/** Calls made inside `watching` are told to its observer too: that is how a page shows its own share. */
const observers = new AsyncLocalStorage<(call: HttpCall) => void>()
export const watching = <T>(observer: (call: HttpCall) => void, work: () => Promise<T>): Promise<T> =>
  observers.run(observer, work)

export function createTransport(settings: TppClientSettings): Transport {
  const timeoutMs = (settings.timeoutSeconds ?? 30) * 1000
  const agent = new Agent({
    connect: {
      ca: settings.ca,
      cert: readFileSync(settings.application.transport.certFile),
      key: readFileSync(settings.application.transport.keyFile),
      minVersion: 'TLSv1.2',
      timeout: 5_000,
    },
    connections: 8,
    maxResponseSize: RESPONSE_BYTES_MAX,
  })

  const tell = (call: HttpCall): void => {
    settings.onCall?.(call)
    observers.getStore()?.(call)
  }

  const send = async (url: string, request: OutgoingRequest = {}): Promise<Response> => {
    const headers = new Headers(request.headers)
    if (!headers.has(INTERACTION_HEADER)) headers.set(INTERACTION_HEADER, randomUUID())
    const sentId = headers.get(INTERACTION_HEADER)
    const at = Date.now()
    const startedAt = performance.now()
    const note = (status: number | null, interactionId: string | null): void =>
      tell({
        at,
        method: request.method ?? 'GET',
        url,
        status,
        milliseconds: Math.round(performance.now() - startedAt),
        interactionId,
      })
    try {
      const response = await undiciFetch(url, {
        method: request.method ?? 'GET',
        headers: Object.fromEntries(headers),
        // Text, not URLSearchParams: the platform's class and the package's own need not be the same one.
        body: request.body === undefined ? null : request.body.toString(),
        redirect: 'manual',
        signal: request.signal ?? AbortSignal.timeout(timeoutMs),
        dispatcher: agent,
      })
      note(response.status, response.headers.get(INTERACTION_HEADER) ?? sentId)
      // undici's Response is the platform's in all but its declared type.
      return response as unknown as Response
    } catch (error) {
      note(null, sentId)
      throw new LfiFault('unreachable', `no answer from ${new URL(url).host}: ${reason(error)}`, {
        cause: error,
        interactionId: sentId,
      })
    }
  }

  return { fetch: send, close: () => agent.close() }
}

/** undici hides the useful half of a network failure in `cause`. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure'
  const { cause } = error
  if (cause instanceof Error) {
    const code = 'code' in cause && typeof cause.code === 'string' ? `${cause.code}: ` : ''
    return `${code}${cause.message}`
  }
  return error.message
}
