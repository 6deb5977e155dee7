/** Calls to the hub's headless authorization API and consent manager: mTLS with C3 and JWT Auth (lfi-api 1, 2, 4.3). */
import { randomUUID, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { importPKCS8, SignJWT } from 'jose'
import { Agent, request } from 'undici'
import { clientTls, holderOf } from '../../tls.ts'
import type { Log } from '../log.ts'
import type { BankSettings } from '../settings.ts'
import { type Consent, readConsent } from './consent.ts'
import { items, member, text } from './json.ts'

export type AuthOutcome =
  | { readonly kind: 'valid'; readonly interactionId: string; readonly consentId: string }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'refused'; readonly error: string; readonly description: string; readonly interactionId: string }

export type Hub = {
  /** The query exactly as the browser brought it. */
  auth(query: string): Promise<AuthOutcome>
  /** The address to send the browser to, which must not be altered. */
  confirm(interactionId: string): Promise<string>
  fail(interactionId: string, error: string, description: string): Promise<string>
  consent(consentId: string): Promise<Consent>
  consentsOf(userId: string): Promise<readonly Consent[]>
  patch(consentId: string, changes: object): Promise<void>
  revoke(consentId: string, userId: string): Promise<void>
  close(): Promise<void>
}

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
const PAGE_SIZE = 100
const PAGES_MAX = 10

type Call = {
  readonly route: string
  readonly method?: 'GET' | 'POST' | 'PATCH'
  readonly url: string
  readonly json?: object
  readonly form?: Readonly<Record<string, string>>
}
type Answer = {
  readonly status: number
  readonly location: string | null
  readonly body: unknown
  readonly interactionId: string
}

export async function createHub(
  settings: Pick<BankSettings, 'tls' | 'hubClient' | 'signingKey' | 'hub'>,
  log: Log,
  now: () => number,
): Promise<Hub> {
  const { hh, cm, audience } = settings.hub
  const dispatcher = new Agent({
    connect: clientTls(settings.tls.caFile, settings.hubClient),
    connectTimeout: TIMEOUT_MS,
  })
  const holder = holderOf(new X509Certificate(readFileSync(settings.hubClient.certFile)))
  if (holder === null) throw new Error('the certificate towards the hub does not name its holder')
  const key = await importPKCS8(readFileSync(settings.signingKey.keyFile, 'utf8'), 'PS256')

  const token = () => {
    const issuedAt = Math.floor(now() / 1000)
    return new SignJWT({})
      .setProtectedHeader({ alg: 'PS256', typ: 'JOSE', cty: 'json', kid: settings.signingKey.kid })
      .setIssuer(holder.organisation)
      .setSubject(holder.organisationId)
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + TOKEN_SECONDS)
      .setJti(randomUUID())
      .sign(key)
  }

  async function call({ route, method = 'GET', url, json, form }: Call): Promise<Answer> {
    const interactionId = randomUUID()
    const began = now()
    try {
      const answer = await request(url, {
        dispatcher,
        method,
        headers: {
          authorization: `Bearer ${await token()}`,
          accept: 'application/json',
          'x-fapi-interaction-id': interactionId,
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        },
        body:
          json === undefined
            ? form === undefined
              ? null
              : new URLSearchParams(form).toString()
            : JSON.stringify(json),
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: TIMEOUT_MS,
      })
      log({ surface: 'hub-call', method, route, status: answer.statusCode, ms: now() - began, interactionId })
      return {
        status: answer.statusCode,
        location: text(answer.headers['location']),
        body: parse(await answer.body.text()),
        interactionId: text(answer.headers['x-fapi-interaction-id']) ?? interactionId,
      }
    } catch (thrown) {
      log({ surface: 'hub-call', method, route, status: null, ms: now() - began, interactionId, reason: 'no answer' })
      throw new HubFailure(`${route} had no answer`, interactionId, thrown)
    }
  }

  async function redirectOf(asked: Call): Promise<string> {
    const answer = await call(asked)
    if (answer.status === 303 && answer.location !== null) return answer.location
    throw unexpected(asked, answer)
  }

  async function change(asked: Call): Promise<void> {
    const answer = await call(asked)
    if (answer.status !== 204) throw unexpected(asked, answer)
  }

  return {
    async auth(query) {
      const asked: Call = { route: 'GET /auth', url: `${hh}/auth${query === '' ? '' : `?${query}`}` }
      const answer = await call(asked)
      const interactionId = text(member(answer.body, 'interaction', 'interactionId'))
      const consentId = text(items(member(answer.body, 'interaction', 'consentIdsList'))[0])
      if (answer.status === 200 && interactionId !== null && consentId !== null) {
        return { kind: 'valid', interactionId, consentId }
      }
      if (answer.status === 303 && answer.location !== null) return { kind: 'redirect', location: answer.location }
      if (answer.status !== 400) throw unexpected(asked, answer)
      return {
        kind: 'refused',
        error: text(member(answer.body, 'error')) ?? 'server_error',
        description: text(member(answer.body, 'error_description')) ?? 'The request cannot be trusted.',
        interactionId: text(member(answer.body, 'interactionId')) ?? answer.interactionId,
      }
    },
    confirm: (id) =>
      redirectOf({
        route: 'POST doConfirm',
        method: 'POST',
        url: `${hh}/auth/${encodeURIComponent(id)}/doConfirm`,
        form: {},
      }),
    fail: (id, error, description) =>
      redirectOf({
        route: 'POST doFail',
        method: 'POST',
        url: `${hh}/auth/${encodeURIComponent(id)}/doFail`,
        form: { error, error_description: description },
      }),
    async consent(id) {
      const asked: Call = { route: 'GET consent', url: `${cm}/consents/${encodeURIComponent(id)}` }
      const answer = await call(asked)
      const consent = answer.status === 200 ? readConsent(member(answer.body, 'data')) : null
      if (consent === null) throw unexpected(asked, answer)
      return consent
    },
    async consentsOf(userId) {
      const found: Consent[] = []
      for (let page = 1; page <= PAGES_MAX; page++) {
        const url = `${cm}/psu/${encodeURIComponent(userId)}/consents?page=${page}&pageSize=${PAGE_SIZE}`
        const asked: Call = { route: 'GET consents of a user', url }
        const answer = await call(asked)
        if (answer.status !== 200) throw unexpected(asked, answer)
        for (const record of items(member(answer.body, 'data'))) {
          const consent = readConsent(record)
          if (consent !== null) found.push(consent)
        }
        const pages = member(answer.body, 'meta', 'totalPages')
        if (typeof pages !== 'number' || page >= pages) break
      }
      return found
    },
    patch: (id, changes) =>
      change({
        route: 'PATCH consent',
        method: 'PATCH',
        url: `${cm}/consents/${encodeURIComponent(id)}`,
        json: changes,
      }),
    revoke: (id, userId) =>
      change({
        route: 'POST revoke',
        method: 'POST',
        url: `${cm}/consents/${encodeURIComponent(id)}/action/revoke`,
        json: { revokedBy: 'LFI.InitiatedByUser', revokedByPsu: { userId } },
      }),
    close: () => dispatcher.close(),
  }
}

const unexpected = (asked: Call, answer: Answer): HubFailure =>
  new HubFailure(`${asked.route} answered ${answer.status}`, answer.interactionId)

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
