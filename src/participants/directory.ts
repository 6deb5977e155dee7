/**
 * The trust framework's API (tpp-api 9.4), asked over mutual TLS with the hub's own application. It is where the
 * operator's configuration says, and nowhere else: nothing that an answer names is fetched, and no redirect followed.
 */
import { Agent, request } from 'undici'
import type { Clock, Instant } from '../clock.ts'
import type { TrustFrameworkConfig } from '../config.ts'
import type { JWK } from '../jose.ts'
import type { Log } from '../log.ts'
import { TLS_PROFILE } from '../tls.ts'
import {
  type CertificateRecord,
  type OrganisationRecord,
  type Refuse,
  readCertificates,
  readOrganisation,
  readRoles,
  readStatements,
  type SoftwareStatementRecord,
} from './directory-records.ts'
import { readKeys } from './published-keys.ts'
import { createTurnstile } from './turnstile.ts'

/** Everything the directory says of one application at one moment. */
export type Vouched = {
  readonly organisation: OrganisationRecord
  readonly statement: SoftwareStatementRecord
  readonly roles: readonly string[]
  readonly certificates: readonly CertificateRecord[]
  readonly jwks: { readonly keys: readonly JWK[] }
}

export type Directory = {
  /** null: the directory knows no such application of that organisation. Throws when it cannot be asked. */
  vouch(organisationId: string, clientId: string): Promise<Vouched | null>
  /** Published keys at `<keystore>/<organisation>/<application>/application.jwks`; null when there is no such file. */
  keys(organisationId: string, application: string): Promise<readonly JWK[] | null>
  close(): Promise<void>
}

const BYTES_MAX = 1_048_576
/** Applications that are asked about at the same time, and that wait for it. */
const ASKED_AT_ONCE = 4
const WAITING_MAX = 200
/** What a token is believed to be good for at most, whatever the directory says. */
const TOKEN_SECONDS_MAX = 3600
/** Early enough that a token never runs out on the way. */
const TOKEN_MARGIN_MS = 15_000

type Question = { method?: 'GET' | 'POST'; headers?: Record<string, string>; body?: string }
/** A token asked for twice is no harm, and a record is only read. */
const BROKEN: ReadonlySet<string | undefined> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

export function createDirectory(config: TrustFrameworkConfig, clock: Clock, log: Log): Directory {
  const turnstile = createTurnstile(ASKED_AT_ONCE, WAITING_MAX)
  const agent = new Agent({
    connections: 4,
    headersTimeout: config.timeoutMs,
    bodyTimeout: config.timeoutMs,
    connect: {
      ...TLS_PROFILE,
      timeout: config.timeoutMs,
      cert: config.certificate,
      key: config.key.reveal(),
      ...(config.serverCa === null ? {} : { ca: config.serverCa }),
    },
  })
  let token: { readonly value: string; readonly goodUntil: Instant } | null = null

  const askOnce = async (url: string, init: Question) => {
    const response = await request(url, {
      method: init.method ?? 'GET',
      dispatcher: agent,
      headers: init.headers ?? {},
      body: init.body ?? null,
      // The agent's own limits are between two bytes; this one is for all of them.
      signal: AbortSignal.timeout(config.timeoutMs),
    })
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > BYTES_MAX) throw new Error('directory answer is too large')
      chunks.push(chunk)
    }
    return { status: response.statusCode, text: Buffer.concat(chunks).toString('utf8') }
  }

  /** A kept connection may have been closed by the other end just now: that is found out by asking. */
  const ask = async (url: string, init: Question = {}) => {
    try {
      return await askOnce(url, init)
    } catch (error) {
      if (!BROKEN.has((error as NodeJS.ErrnoException).code)) throw error
      return askOnce(url, init)
    }
  }

  const bearer = async (): Promise<string> => {
    if (token !== null && clock.now() < token.goodUntil) return token.value
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'directory:software',
      client_id: config.clientId,
    })
    const answer = await ask(config.tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
    })
    if (answer.status !== 200) throw new Error(`directory refused a token (${answer.status})`)
    const { access_token: value, expires_in: seconds } = JSON.parse(answer.text) as Readonly<Record<string, unknown>>
    // RFC 6750 2.1: nothing else goes into a header.
    if (typeof value !== 'string' || !/^[\w.~+/-]+=*$/.test(value)) throw new Error('the directory issued no token')
    const lifetime = typeof seconds === 'number' ? Math.min(seconds, TOKEN_SECONDS_MAX) : 0
    token = { value, goodUntil: (clock.now() + lifetime * 1000 - TOKEN_MARGIN_MS) as Instant }
    return value
  }

  /** undefined: there is no such thing. */
  const get = async (path: string): Promise<unknown> => {
    const authorized = async () =>
      ask(`${config.apiUrl}${path}`, { headers: { authorization: `Bearer ${await bearer()}` } })
    let answer = await authorized()
    if (answer.status === 401) {
      // The directory has forgotten a token that is not over, as after a restart.
      token = null
      answer = await authorized()
    }
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw new Error(`directory answered ${answer.status}`)
    return JSON.parse(answer.text)
  }

  const refusing =
    (organisationId: string, application: string): Refuse =>
    (what, why) =>
      log.warn({ organisationId, application, what, why }, 'record of the directory refused')

  const keys = async (organisationId: string, application: string): Promise<readonly JWK[] | null> => {
    const path = `/${encodeURIComponent(organisationId)}/${encodeURIComponent(application)}/application.jwks`
    const answer = await ask(`${config.keystoreUrl}${path}`)
    if (answer.status === 404) return null
    if (answer.status !== 200) throw new Error(`keystore answered ${answer.status}`)
    return readKeys(JSON.parse(answer.text), refusing(organisationId, application))
  }

  const vouch = async (organisationId: string, clientId: string): Promise<Vouched | null> => {
    const refuse = refusing(organisationId, clientId)
    const base = `/organisations/${encodeURIComponent(organisationId)}`
    const [organisation, statements] = await Promise.all([get(base), get(`${base}/softwarestatements`)])
    if (organisation === undefined || statements === undefined) return null
    const owner = readOrganisation(organisation, organisationId)
    const { records, lost } = readStatements(statements, organisationId, refuse)
    const statement = records.find((each) => each.ClientId === clientId)
    if (statement === undefined) {
      // It may be one of those that cannot be read, which is no reason to think that it is gone.
      if (lost > 0) throw new Error('the directory lists software statements that cannot be read')
      return null
    }
    const at = `${base}/softwarestatements/${encodeURIComponent(statement.SoftwareStatementId)}`
    const [certificates, roles, published] = await Promise.all([
      get(`${at}/certificates`),
      get(`${at}/roles`),
      keys(organisationId, clientId),
    ])
    return {
      organisation: owner,
      statement,
      roles: readRoles(roles ?? [], refuse),
      certificates: readCertificates(certificates ?? [], refuse),
      jwks: { keys: published ?? [] },
    }
  }

  return {
    keys: (organisationId, application) => turnstile.pass(() => keys(organisationId, application)),
    vouch: (organisationId, clientId) => turnstile.pass(() => vouch(organisationId, clientId)),
    close: () => agent.close(),
  }
}
