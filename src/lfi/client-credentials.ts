/** Tokens of the LFI's own authorization server for the hub's calls (lfi-api 4.2, RFC 6749 4.4). */
import { type Clock, type Instant, plus, toMilliseconds } from '../clock.ts'
import type { LfiAuthentication, TenantConfig } from '../config.ts'
import type { FetchGuard } from '../fetch-guard.ts'
import type { LfiAuthorization } from './authorization.ts'
import { type Attempt, createWire, type Failed } from './exchange.ts'

type Token = { readonly value: string; readonly goodUntil: Instant }

/** Early enough that a token never runs out on the way. */
const MARGIN_MS = 15_000
/** RFC 6749 5.1 leaves `expires_in` out where it is documented elsewhere; this is short enough for any. */
const LIFETIME_SECONDS = 60
const TOKEN_LENGTH_MAX = 16_384
/** RFC 6750 2.1: what may stand behind `Bearer`, and so no line of its own in a header. */
const TOKEN = /^[\w.~+/-]+=*$/

/** One request at a time, shared by everybody who waits for its token; kept until it runs out or is refused. */
export function createClientCredentials(
  authentication: Extract<LfiAuthentication, { type: 'client-credentials' }>,
  lfi: TenantConfig['lfi'],
  { clock, guard }: { readonly clock: Clock; readonly guard: FetchGuard | null },
): LfiAuthorization {
  const { pathname, search } = new URL(authentication.tokenUrl)
  const limits = { connections: 2, timeoutMs: lfi.timeoutMs }
  const wire = createWire(lfi, { baseUrl: new URL(authentication.tokenUrl).origin, guard }, limits, clock)
  let known: Token | null = null
  let asking: Promise<string | Failed> | null = null

  const ask = async (): Promise<string | Failed> => {
    const { scope, clientId, clientSecret } = authentication
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) })
    const attempt = await wire.exchange(
      {
        method: 'POST',
        target: `${pathname}${search}`,
        headers: {
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `Basic ${basic(clientId, clientSecret.reveal())}`,
        },
        body: form.toString(),
      },
      null,
    )
    const token = tokenIn(attempt, clock.now())
    if ('outcome' in token) return token
    known = token
    return `Bearer ${token.value}`
  }

  return {
    value: () => {
      if (known !== null && clock.now() < known.goodUntil) return `Bearer ${known.value}`
      asking ??= ask().finally(() => {
        asking = null
      })
      return asking
    },
    refused: (value) => {
      if (known !== null && value === `Bearer ${known.value}`) known = null
      return true
    },
    close: () => wire.close(),
  }
}

/** RFC 6749 2.3.1: each half is form-encoded before they are joined. */
const basic = (id: string, secret: string): string =>
  Buffer.from(`${formEncoded(id)}:${formEncoded(secret)}`).toString('base64')
const formEncoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)

function tokenIn(attempt: Attempt, now: Instant): Token | Failed {
  const failed = (why: string): Failed => ({ outcome: 'unreachable', status: null, why: `no access token: ${why}` })
  if (attempt.outcome !== 'answered') return failed(attempt.why)
  if (attempt.status !== 200) return failed(`answered ${attempt.status}`)
  const { access_token: value, expires_in: seconds } = objectIn(attempt.body)
  if (typeof value !== 'string' || value.length > TOKEN_LENGTH_MAX || !TOKEN.test(value)) {
    return failed('the answer holds none')
  }
  const lifetime = typeof seconds === 'number' && seconds > 0 ? seconds : LIFETIME_SECONDS
  return { value, goodUntil: plus(now, toMilliseconds(lifetime * 1000 - MARGIN_MS)) }
}

function objectIn(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const said: unknown = JSON.parse(body.toString('utf8'))
    return typeof said === 'object' && said !== null ? (said as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}
