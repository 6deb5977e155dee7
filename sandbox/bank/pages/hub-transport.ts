/** One call to the hub: mTLS with C3, JWT Auth with Sig4 (lfi-api 1.1, 4.3). */
import { randomUUID, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { importPKCS8, SignJWT } from 'jose'
import { Agent, request } from 'undici'
import { clientTls, holderOf } from '../../tls.ts'
import type { Log } from '../log.ts'
import type { BankSettings } from '../settings.ts'
import { text } from './json.ts'

export type Call = {
  /** For the log: without identifiers. */
  readonly route: string
  readonly method?: 'GET' | 'POST' | 'PATCH'
  readonly url: string
  readonly send?: { readonly json: object } | { readonly form: Readonly<Record<string, string>> }
}

export type Answer = {
  readonly status: number
  readonly location: string | null
  /** `undefined` when it is not JSON. */
  readonly body: unknown
  readonly interactionId: string
}

export type Transport = { call(call: Call): Promise<Answer>; close(): Promise<void> }

/** The hub did not answer, or not as the contract says. */
export class HubFailure extends Error {
  readonly interactionId: string

  constructor(what: string, interactionId: string, cause?: unknown) {
    super(what, cause === undefined ? undefined : { cause })
    this.name = 'HubFailure'
    this.interactionId = interactionId
  }
}

const TIMEOUT_MS = 10_000
const TOKEN_SECONDS = 20

export type TransportSettings = Pick<BankSettings, 'tls' | 'hubClient' | 'signingKey' | 'hub'>

export async function createTransport(settings: TransportSettings, log: Log, now: () => number): Promise<Transport> {
  const connect = clientTls(settings.tls.caFile, settings.hubClient)
  const dispatcher = new Agent({ connect, connectTimeout: TIMEOUT_MS })
  const token = await createTokens(settings, now)

  return {
    async call({ route, method = 'GET', url, send }) {
      const interactionId = randomUUID()
      const began = now()
      const done = { surface: 'hub-call', method, route, interactionId } as const
      const { type, body } = encode(send)
      try {
        const answer = await request(url, {
          dispatcher,
          method,
          headers: {
            authorization: `Bearer ${await token()}`,
            accept: 'application/json',
            'x-fapi-interaction-id': interactionId,
            ...(type === null ? {} : { 'content-type': type }),
          },
          body,
          headersTimeout: TIMEOUT_MS,
          bodyTimeout: TIMEOUT_MS,
        })
        const received = parse(await answer.body.text())
        log({ ...done, status: answer.statusCode, ms: now() - began })
        return {
          status: answer.statusCode,
          location: text(answer.headers['location']),
          body: received,
          interactionId: text(answer.headers['x-fapi-interaction-id']) ?? interactionId,
        }
      } catch (thrown) {
        log({ ...done, status: null, ms: now() - began, reason: 'no answer' })
        throw new HubFailure(`${route} had no answer`, interactionId, thrown)
      }
    },
    close: () => dispatcher.close(),
  }
}

/** A fresh token for every call: each may be used once. */
async function createTokens(settings: TransportSettings, now: () => number): Promise<() => Promise<string>> {
  const holder = holderOf(new X509Certificate(readFileSync(settings.hubClient.certFile)))
  if (holder === null) throw new Error('the certificate towards the hub does not name its holder')
  const key = await importPKCS8(readFileSync(settings.signingKey.keyFile, 'utf8'), 'PS256')
  return () => {
    const issuedAt = Math.floor(now() / 1000)
    return new SignJWT({})
      .setProtectedHeader({ alg: 'PS256', typ: 'JOSE', cty: 'json', kid: settings.signingKey.kid })
      .setIssuer(holder.organisation)
      .setSubject(holder.organisationId)
      .setAudience(settings.hub.audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + TOKEN_SECONDS)
      .setJti(randomUUID())
      .sign(key)
  }
}

function encode(send: Call['send']): { readonly type: string | null; readonly body: string | null } {
  if (send === undefined) return { type: null, body: null }
  return 'json' in send
    ? { type: 'application/json', body: JSON.stringify(send.json) }
    : { type: 'application/x-www-form-urlencoded', body: new URLSearchParams(send.form).toString() }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
