/** The trust framework's API (tpp-api 9.4), asked over mutual TLS with the hub's own application. */
import { Agent, request } from 'undici'
import type { Clock, Instant } from '../clock.ts'
import type { TrustFrameworkConfig } from '../config.ts'
import type { JWK } from '../jose.ts'
import { TLS_PROFILE } from '../tls.ts'

export type OrganisationRecord = {
  readonly OrganisationId: string
  readonly OrganisationName: string
  readonly Status: string
}
export type SoftwareStatementRecord = {
  readonly SoftwareStatementId: string
  readonly OrganisationId: string
  readonly ClientId: string
  readonly ClientName: string
  readonly Status: string
  readonly RedirectUri?: readonly string[]
  readonly ApiWebhookUri?: readonly string[]
  readonly LogoUri?: string
  readonly ClientUri?: string
}
export type CertificateRecord = { readonly kid: string; readonly Status: string; readonly x5thashS256?: string }
type RoleRecord = { readonly AuthorisationDomainRoleName: string; readonly Status?: string }

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
/** Early enough that a token never runs out on the way. */
const TOKEN_MARGIN_MS = 15_000

export function createDirectory(config: TrustFrameworkConfig, clock: Clock): Directory {
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

  const ask = async (
    url: string,
    init: { method?: 'GET' | 'POST'; headers?: Record<string, string>; body?: string } = {},
  ) => {
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
    const issued = JSON.parse(answer.text) as { access_token: string; expires_in: number }
    token = {
      value: issued.access_token,
      goodUntil: (clock.now() + issued.expires_in * 1000 - TOKEN_MARGIN_MS) as Instant,
    }
    return token.value
  }

  const get = async <T>(path: string): Promise<T | null> => {
    const authorized = async () =>
      ask(`${config.apiUrl}${path}`, { headers: { authorization: `Bearer ${await bearer()}` } })
    let answer = await authorized()
    if (answer.status === 401) {
      // The directory has forgotten a token that is not over, as after a restart.
      token = null
      answer = await authorized()
    }
    if (answer.status === 404) return null
    if (answer.status !== 200) throw new Error(`directory answered ${answer.status}`)
    return JSON.parse(answer.text) as T
  }

  const keys: Directory['keys'] = async (organisationId, application) => {
    const path = `/${encodeURIComponent(organisationId)}/${encodeURIComponent(application)}/application.jwks`
    const answer = await ask(`${config.keystoreUrl}${path}`)
    if (answer.status === 404) return null
    if (answer.status !== 200) throw new Error(`keystore answered ${answer.status}`)
    return (JSON.parse(answer.text) as { keys: JWK[] }).keys
  }

  return {
    keys,
    vouch: async (organisationId, clientId) => {
      const base = `/organisations/${encodeURIComponent(organisationId)}`
      const [organisation, statements] = await Promise.all([
        get<OrganisationRecord>(base),
        get<readonly SoftwareStatementRecord[]>(`${base}/softwarestatements`),
      ])
      const statement = statements?.find((each) => each.ClientId === clientId)
      if (organisation === null || statement === undefined) return null
      const at = `${base}/softwarestatements/${encodeURIComponent(statement.SoftwareStatementId)}`
      const [certificates, roles, published] = await Promise.all([
        get<readonly CertificateRecord[]>(`${at}/certificates`),
        get<readonly RoleRecord[]>(`${at}/roles`),
        keys(organisationId, clientId),
      ])
      return {
        organisation,
        statement,
        roles: (roles ?? [])
          .filter((role) => role.Status !== 'Inactive')
          .map((role) => role.AuthorisationDomainRoleName),
        certificates: certificates ?? [],
        jwks: { keys: published ?? [] },
      }
    },
    close: () => agent.close(),
  }
}
