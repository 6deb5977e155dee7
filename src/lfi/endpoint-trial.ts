/**
 * An address of the LFI is tried before anybody may propose or approve it. One person alone can have it tried, so
 * nothing is shown there that is a secret: no token, no API key, no client secret.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import type { EndpointName } from '../endpoints/index.ts'
import type { FetchGuard } from '../fetch-guard.ts'
import { createWire, type Question } from './exchange.ts'

/** What is there to see, in words for whoever approves. */
export type Trial = { readonly ok: boolean; readonly said: string }
export type TryEndpoint = (
  name: EndpointName,
  url: string,
  /** The configuration names it, wherever it leads to. */
  isConfigured: boolean,
) => Promise<Trial>

type Attempt = {
  readonly question: Pick<Question, 'method' | 'target' | 'headers' | 'body'>
  readonly asBrowser: boolean
  /** Which answers say that the right thing is there. */
  readonly isGood: (status: number) => boolean
  readonly wants: string
}

/** Its connection check (lfi-api 4.4), which has to be answered with mutual TLS. */
const OZONE_CONNECT: Attempt = {
  question: { method: 'GET', target: '/hello-mtls', headers: { accept: 'application/json' } },
  asBrowser: false,
  isGood: (status) => status === 200,
  wants: '200',
}
/** A request that nobody made: the page says so to the person, in whatever way it does (lfi-api 1.3.2). */
const authorization = (): Attempt => ({
  question: {
    method: 'GET',
    target: `?${new URLSearchParams({ client_id: randomUUID(), request_uri: `urn:ietf:params:oauth:request_uri:${randomUUID()}` })}`,
    headers: { accept: 'text/html' },
  },
  asBrowser: true,
  isGood: (status) => status < 500 && status !== 404 && status !== 405,
  wants: 'a page',
})
/** Without a client there is no token (RFC 6749 5.2). */
const TOKEN: Attempt = {
  question: {
    method: 'POST',
    target: '',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials',
  },
  asBrowser: false,
  isGood: (status) => status === 400 || status === 401,
  wants: '400 or 401, for no client was named',
}

export function createTryEndpoint({
  tenant: { lfi },
  clock,
  guard,
}: {
  readonly tenant: TenantConfig
  readonly clock: Clock
  readonly guard: FetchGuard
}): TryEndpoint {
  return async (name, url, isConfigured) => {
    const attempts = { 'ozone-connect': OZONE_CONNECT, authorization: authorization(), token: TOKEN }
    const { question, asBrowser, isGood, wants } = attempts[name]
    const startedAt = performance.now()
    const limits = { connections: 1, timeoutMs: lfi.timeoutMs }
    const { origin, pathname } = new URL(url)
    const wire = createWire(lfi, { baseUrl: origin, guard: isConfigured ? null : guard, asBrowser }, limits, clock)
    const path = name === 'ozone-connect' ? pathname.replace(/\/$/, '') : pathname
    try {
      const answer = await wire.exchange({ ...question, target: `${path}${question.target}` }, null)
      const ms = Math.round(performance.now() - startedAt)
      const asked = `${question.method} ${path}${question.target.split('?', 1)[0]}`
      if (answer.outcome !== 'answered') return { ok: false, said: `${asked}: ${answer.outcome}, ${answer.why}` }
      const { status } = answer
      const said = `${asked} answered ${status} in ${ms} ms`
      return isGood(status) ? { ok: true, said } : { ok: false, said: `${said}, and ${wants} was expected` }
    } finally {
      await wire.close()
    }
  }
}
