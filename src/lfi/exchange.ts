/** One HTTP exchange with the LFI over a pooled, mutually authenticated connection. The home of undici in this room. */
import { rootCertificates } from 'node:tls'
import { type Dispatcher, errors, Pool } from 'undici'
import type { Clock } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import { type FetchGuard, ForbiddenDestination } from '../fetch-guard.ts'
import { TLS_PROFILE } from '../tls.ts'
import { retryAfterSeconds } from './retry-after.ts'

export type Method = 'GET' | 'POST' | 'PATCH'
export type Question = {
  readonly method: Method
  /** Path and query below the base URL. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Instead of the wire's own, and not longer. */
  readonly timeoutMs?: number
}
export type Answered = {
  readonly outcome: 'answered'
  readonly status: number
  readonly contentType: string
  readonly retryAfterSeconds: number | null
  readonly body: Buffer
}
export type Failed = {
  readonly outcome: 'timeout' | 'unreachable' | 'cancelled' | 'invalid-response'
  readonly status: number | null
  /** For the log. */
  readonly why: string
  /** It was not even tried, and may be tried again then. */
  readonly retryAfterSeconds?: number
}
export type Attempt = Answered | Failed

export type Wire = {
  exchange(question: Question, gone: AbortSignal | null): Promise<Attempt>
  close(): Promise<void>
}

/** Idle connections are given up before most servers do, so that a request seldom meets one that is being closed. */
const IDLE_MS = 4_000
const HEADERS_MAX_BYTES = 16_384
/** Calls that may wait for each connection: an LFI that hangs must not gather the whole hub behind it. */
const WAITING_MAX = 32

export type WireLimits = {
  readonly connections: number
  /** Of a whole call, waiting for a connection included. */
  readonly timeoutMs: number
}

export type Destination = {
  /** Ozone Connect, the LFI's own authorization server, or its page. */
  readonly baseUrl: string
  /** null: the operator's own file names it, and is believed. */
  readonly guard: FetchGuard | null
  /** As a person's browser would, which shows no certificate and believes other authorities as well. */
  readonly asBrowser?: boolean
}

export function createWire(lfi: TenantConfig['lfi'], to: Destination, own: WireLimits, clock: Clock): Wire {
  const base = new URL(to.baseUrl)
  const prefix = base.pathname.replace(/\/$/, '')
  const connect = {
    ...TLS_PROFILE,
    ...(to.asBrowser === true
      ? { ca: [lfi.ca, ...rootCertificates] }
      : { ca: lfi.ca, cert: lfi.certificate, key: lfi.key.reveal() }),
    timeout: lfi.connectTimeoutMs,
  }
  const pool = new Pool(base.origin, {
    connections: own.connections,
    pipelining: 1,
    keepAliveTimeout: IDLE_MS,
    maxHeaderSize: HEADERS_MAX_BYTES,
    // The deadline of the whole call is kept below; these only end what it has missed.
    headersTimeout: own.timeoutMs + 1_000,
    bodyTimeout: own.timeoutMs + 1_000,
    connect: to.guard === null ? connect : to.guard(connect),
  })
  const underWayMax = own.connections * (1 + WAITING_MAX)
  let underWay = 0
  return {
    async exchange(question, gone) {
      if (underWay >= underWayMax) return { outcome: 'unreachable', status: null, why: 'too many calls are waiting' }
      underWay += 1
      try {
        const timeoutMs = Math.min(question.timeoutMs ?? own.timeoutMs, own.timeoutMs)
        const limits = { timeoutMs, bytesMax: lfi.responseBytesMax, clock }
        return await dispatch(pool, { ...question, target: prefix + question.target }, gone, limits)
      } finally {
        underWay -= 1
      }
    },
    close: () => pool.destroy(),
  }
}

type Limits = { readonly timeoutMs: number; readonly bytesMax: number; readonly clock: Clock }

/** Resolves in every case; a caller that has gone or a deadline that has passed ends the exchange on the wire too. */
function dispatch(pool: Pool, question: Question, gone: AbortSignal | null, limits: Limits): Promise<Attempt> {
  const { promise, resolve } = Promise.withResolvers<Attempt>()
  let controller: Dispatcher.DispatchController | null = null
  let settled = false
  let started: Pick<Answered, 'status' | 'contentType' | 'retryAfterSeconds'> | null = null
  const chunks: Buffer[] = []
  let size = 0
  let resent = false

  const settle = (attempt: Attempt): void => {
    if (settled) return
    settled = true
    clearTimeout(deadline)
    gone?.removeEventListener('abort', cancel)
    resolve(attempt)
  }
  const stop = (failed: Failed): void => {
    settle(failed)
    controller?.abort(new Error(failed.why))
  }
  const cancel = (): void => stop({ outcome: 'cancelled', status: started?.status ?? null, why: 'the caller has gone' })
  const deadline = setTimeout(() => {
    stop({ outcome: 'timeout', status: started?.status ?? null, why: `no answer in ${limits.timeoutMs} ms` })
  }, limits.timeoutMs)

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(own) {
      controller = own
      if (settled) own.abort(new Error('no longer wanted'))
    },
    onResponseStart(_own, status, headers) {
      if (status < 200) return
      started = {
        status,
        contentType: single(headers['content-type']) ?? '',
        retryAfterSeconds: retryAfterSeconds(single(headers['retry-after']), limits.clock.now()),
      }
      if (Number(headers['content-length'] ?? 0) > limits.bytesMax) stop(tooLarge(status))
    },
    onResponseData(_own, chunk) {
      size += chunk.length
      if (size > limits.bytesMax) stop(tooLarge(started?.status ?? null))
      else chunks.push(chunk)
    },
    onResponseEnd() {
      if (started === null) return settle({ outcome: 'invalid-response', status: null, why: 'ended before it began' })
      settle({
        outcome: 'answered',
        ...started,
        body: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks),
      })
    },
    onResponseError(_own, error) {
      if (settled) return
      // A GET changes nothing, so one that met a dying connection may go out once more (never anything else).
      if (question.method === 'GET' && started === null && !resent && isConnectionFailure(error)) {
        resent = true
        send()
        return
      }
      settle(failureOf(error, started?.status ?? null))
    },
  }
  const send = (): void => {
    const { method, target, body = null } = question
    const headers = { ...question.headers }
    pool.dispatch({ method, path: target, headers, body, idempotent: method === 'GET' }, handler)
  }

  if (gone?.aborted === true) cancel()
  else {
    gone?.addEventListener('abort', cancel, { once: true })
    send()
  }
  return promise
}

const single = (value: string | string[] | undefined): string | null =>
  typeof value === 'string' ? value : (value?.[0] ?? null)

const tooLarge = (status: number | null): Failed => ({ outcome: 'invalid-response', status, why: 'too large' })

const CONNECTION_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT'])
const codeOf = (error: Error): string => ('code' in error ? String(error.code) : error.name)
const isConnectionFailure = (error: Error): boolean => CONNECTION_CODES.has(codeOf(error))

function failureOf(error: Error, status: number | null): Failed {
  if (error instanceof ForbiddenDestination) return { outcome: 'unreachable', status, why: error.message }
  const why = codeOf(error)
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) {
    return { outcome: 'timeout', status, why }
  }
  if (error instanceof errors.HTTPParserError || error instanceof errors.HeadersOverflowError) {
    return { outcome: 'invalid-response', status, why }
  }
  return { outcome: 'unreachable', status, why }
}
