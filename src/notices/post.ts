/** One POST to an address that a TPP has named: guarded, short, and read no further than its status. */
import { Agent, request } from 'undici'
import type { WebhooksConfig } from '../config.ts'
import { type FetchGuard, ForbiddenDestination } from '../fetch-guard.ts'
import { TLS_PROFILE } from '../tls.ts'

export type Posted =
  | { readonly outcome: 'answered'; readonly status: number; readonly retryAfterSeconds: number | null }
  | { readonly outcome: 'timeout' | 'unreachable' | 'forbidden'; readonly why: string }

export type Post = {
  send(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<Posted>
  close(): Promise<void>
}

const HEADERS_MAX_BYTES = 16_384
/** An acknowledgement has no body; this much of one is read so that the connection can be used again. */
const BODY_MAX_BYTES = 4_096
const IDLE_MS = 4_000

export function createPost(guard: FetchGuard, config: WebhooksConfig): Post {
  const agent = new Agent({
    // Each receiver has its own connections: one that hangs keeps nobody else's.
    connections: config.perReceiver,
    pipelining: 1,
    keepAliveTimeout: IDLE_MS,
    maxHeaderSize: HEADERS_MAX_BYTES,
    headersTimeout: config.timeoutMs,
    bodyTimeout: config.timeoutMs,
    connect: guard({ ...TLS_PROFILE, timeout: config.timeoutMs, ...(config.ca === null ? {} : { ca: config.ca }) }),
  })
  return {
    send: async (url, headers, body) => {
      try {
        // Whole, from the connection to the last byte. A redirect is an answer like any other, and not followed.
        const signal = AbortSignal.timeout(config.timeoutMs)
        const answer = await request(url, { method: 'POST', dispatcher: agent, headers, body, signal })
        await answer.body.dump({ limit: BODY_MAX_BYTES, signal }).catch(() => {})
        return {
          outcome: 'answered',
          status: answer.statusCode,
          retryAfterSeconds: secondsIn(answer.headers['retry-after']),
        }
      } catch (thrown) {
        return failureOf(thrown)
      }
    },
    close: () => agent.destroy(),
  }
}

const secondsIn = (header: string | string[] | undefined): number | null =>
  typeof header === 'string' && /^\d{1,6}$/.test(header) ? Number(header) : null

const TIMEOUTS: ReadonlySet<string> = new Set([
  'TimeoutError',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
])

function failureOf(thrown: unknown): Posted {
  if (thrown instanceof ForbiddenDestination) return { outcome: 'forbidden', why: thrown.message }
  const error = thrown as Error & { readonly code?: unknown }
  const why = typeof error.code === 'string' ? error.code : error.name
  return { outcome: TIMEOUTS.has(why) ? 'timeout' : 'unreachable', why }
}
