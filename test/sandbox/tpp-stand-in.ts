/**
 * A trust framework and one LFI's hub for the sandbox TPP to talk to, over real mTLS. It is strict about what the TPP
 * sends and can be told to answer wrongly in one way at a time.
 */
import { createHash, createPublicKey, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { listenTls } from '../../sandbox/tls.ts'
import type { TppApplication } from '../../sandbox/tpp/settings.ts'
import { newRsaKey, openAuthority, pemOf } from '../../sandbox/trust-framework/pki.ts'

type Json = Record<string, unknown>

/** One way to be wrong; each is applied to an otherwise correct answer. */
export type Misbehaviour = {
  discovery?: (document: Json) => Json
  idTokenClaims?: (claims: JWTPayload) => JWTPayload
  /** Replaces the signed id_token. */
  idToken?: (claims: JWTPayload, correct: string) => string | Promise<string>
  token?: (body: Json) => Json
  /** OAuth errors to answer `/par` with before it works. */
  parErrors?: string[]
  parStatus?: number
  answer?: (body: Json) => Json
  signedAnswerClaims?: (claims: JWTPayload) => JWTPayload
}
export type StandIn = {
  readonly issuer: string
  readonly ca: string
  readonly caFile: string
  readonly folder: string
  readonly server: { readonly certFile: string; readonly keyFile: string }
  readonly application: TppApplication
  readonly seen: { par: number; token: number; resource: number; registration: number; refresh: number }
  /** Consents that the TPP has ended, with whom it named. */
  readonly ended: Map<string, unknown>
  misbehave(how: Misbehaviour): void
  /** What the LFI would send the browser back with, for the request behind this authorization URL. */
  approve(authorizationUrl: string): URLSearchParams
  /** The one element of authorization_details behind this authorization URL. */
  pushed(authorizationUrl: string): unknown
  /** As the LFI's hub signs. */
  sign(claims: JWTPayload): Promise<string>
  close(): Promise<void>
}

const ORGANISATION = '6d1c7e6b-3f0b-4b6a-9b50-52e2a5d0c1aa'
const CLIENT_ID = '0b7d9e4c-7d3f-4a4e-8f65-0c9f1b1f7a11'
const BASE = '/open-finance/account-information/v2.1'
export const REDIRECT_URI = 'https://localhost:8443/callback'

export async function startStandIn(): Promise<StandIn> {
  const folder = mkdtempSync(join(tmpdir(), 'falaj-tpp-'))
  const authority = await openAuthority(join(folder, 'ca'), 'Stand-in')
  const put = (name: string, content: string): string => {
    const file = join(folder, name)
    writeFileSync(file, content, { mode: 0o600 })
    return file
  }
  const subject = { organisation: 'Stand-in', organisationId: ORGANISATION }
  const [serverKey, transportKey, signingKey, hubKey] = await Promise.all([
    newRsaKey(),
    newRsaKey(),
    newRsaKey(),
    newRsaKey(),
  ])
  const serverPem = await authority.issue({ kind: 'server-transport', subject, key: serverKey })
  const transportPem = await authority.issue({
    kind: 'client-transport',
    subject: { ...subject, clientId: CLIENT_ID },
    key: transportKey,
  })
  const server = {
    certFile: put('server.pem', `${serverPem}${authority.chainPem}`),
    keyFile: put('server.key.pem', pemOf(serverKey)),
  }
  const application: TppApplication = {
    clientId: CLIENT_ID,
    redirectUri: REDIRECT_URI,
    transport: {
      certFile: put('transport.pem', `${transportPem}${authority.chainPem}`),
      keyFile: put('transport.key.pem', pemOf(transportKey)),
    },
    signing: { kid: 'tpp-signing', keyFile: put('signing.key.pem', pemOf(signingKey)) },
  }

  const state = {
    seen: { par: 0, token: 0, resource: 0, registration: 0, refresh: 0 },
    how: {} as Misbehaviour,
    requests: new Map<string, JWTPayload>(),
    codes: new Map<string, JWTPayload>(),
    refreshTokens: new Map<string, JWTPayload>(),
    issuer: '',
    ended: new Map<string, unknown>(),
  }
  const tppKey = createPublicKey(signingKey)
  const hubJwk = { ...(await exportJWK(createPublicKey(hubKey))), kid: 'hub-1', use: 'sig', alg: 'PS256' }
  const sign = (claims: JWTPayload): Promise<string> =>
    new SignJWT(claims).setProtectedHeader({ alg: 'PS256', kid: 'hub-1' }).sign(hubKey)

  const checkAssertion = async (form: URLSearchParams): Promise<void> => {
    const { payload, protectedHeader } = await jwtVerify(form.get('client_assertion') ?? '', tppKey, {
      algorithms: ['PS256'],
      issuer: CLIENT_ID,
      subject: CLIENT_ID,
      requiredClaims: ['jti', 'iat', 'exp'],
    })
    if (payload.aud !== state.issuer) throw new Error('the assertion must name the issuer, as one string')
    if (protectedHeader.kid !== 'tpp-signing') throw new Error('the assertion has no kid')
    if ((payload.exp ?? 0) - (payload.iat ?? 0) > 300) throw new Error('the assertion lives too long')
  }

  const par = async (form: URLSearchParams): Promise<Answer> => {
    state.seen.par += 1
    await checkAssertion(form)
    const error = state.how.parErrors?.shift()
    if (error !== undefined) return { status: 400, body: { error, error_description: 'not yet' } }
    const { payload } = await jwtVerify(form.get('request') ?? '', tppKey, { algorithms: ['PS256'] })
    checkRequestObject(payload, state.issuer)
    const uri = `urn:ietf:params:oauth:request-uri:${randomUUID()}`
    state.requests.set(uri, payload)
    return { status: state.how.parStatus ?? 201, body: { request_uri: uri, expires_in: 90 } }
  }

  const token = async (form: URLSearchParams): Promise<Answer> => {
    await checkAssertion(form)
    if (form.get('grant_type') === 'client_credentials') {
      return { status: 200, body: { access_token: randomUUID(), token_type: 'Bearer', expires_in: 600 } }
    }
    const refreshing = form.get('grant_type') === 'refresh_token'
    state.seen[refreshing ? 'refresh' : 'token'] += 1
    const asked = refreshing
      ? state.refreshTokens.get(form.get('refresh_token') ?? '')
      : state.codes.get(form.get('code') ?? '')
    if (asked === undefined) return { status: 400, body: { error: 'invalid_grant' } }
    if (!refreshing) checkVerifier(form, asked)
    const refreshToken = randomUUID()
    state.refreshTokens.set(refreshToken, asked)
    const now = Math.floor(Date.now() / 1000)
    const correct: JWTPayload = {
      iss: state.issuer,
      aud: CLIENT_ID,
      sub: 'psu-1',
      iat: now,
      exp: now + 600,
      ...(refreshing ? {} : { nonce: asked['nonce'] }),
    }
    const claims = state.how.idTokenClaims?.(correct) ?? correct
    const signed = await sign(claims)
    const body: Json = {
      access_token: randomUUID(),
      token_type: 'Bearer',
      expires_in: 600,
      ...(refreshing ? {} : { refresh_token: refreshToken }),
      id_token: (await state.how.idToken?.(claims, signed)) ?? signed,
      authorization_details: details(asked),
    }
    return { status: 200, body: state.how.token?.(body) ?? body }
  }

  const consent = (request: IncomingMessage, id: string, sent: string): Answer => {
    if (request.method !== 'PATCH') {
      const Status = state.ended.has(id) ? 'Revoked' : 'Authorized'
      return { status: 200, body: { Data: { ConsentId: id, Status, Permissions: ['ReadBalances'] } } }
    }
    state.ended.set(id, (JSON.parse(sent) as { readonly Data: Json }).Data['RevokedBy'])
    return { status: 204 }
  }

  const resource = async (request: IncomingMessage, path: string, sent: string): Promise<Answer> => {
    const [, consentId] = /^\/account-access-consents\/([^/]+)$/.exec(path) ?? []
    if (consentId !== undefined) return consent(request, consentId, sent)
    state.seen.resource += 1
    const correct: Json = {
      Data: { Account: [{ AccountId: 'acc-1', Nickname: '<script>alert(1)</script>', Currency: 'AED' }] },
      Links: { Self: `${state.issuer}${BASE}/accounts` },
      Meta: { TotalPages: 1 },
    }
    const body = state.how.answer?.(correct) ?? correct
    if (request.headers.accept !== 'application/jwt') return { status: 200, body }
    const now = Math.floor(Date.now() / 1000)
    const claims: JWTPayload = {
      iss: state.issuer,
      aud: [CLIENT_ID],
      nbf: now,
      iat: now,
      exp: now + 300,
      message: body,
    }
    return { status: 200, jws: await sign(state.how.signedAnswerClaims?.(claims) ?? claims) }
  }

  const route = async (request: IncomingMessage): Promise<Answer> => {
    const { pathname } = new URL(request.url ?? '/', state.issuer)
    const sent = await textOf(request)
    const form = new URLSearchParams(sent)
    if (pathname === '/participants') return { status: 200, body: participants(state.issuer) }
    if (pathname === '/.well-known/openid-configuration') {
      const document = discovery(state.issuer)
      return { status: 200, body: state.how.discovery?.(document) ?? document }
    }
    if (pathname === '/jwks') return { status: 200, body: { keys: [hubJwk] } }
    if (pathname === '/par') return par(form)
    if (pathname === '/token') return token(form)
    if (pathname === '/tpp-registration') {
      state.seen.registration += 1
      return { status: 204 }
    }
    if (pathname.startsWith(BASE)) return resource(request, pathname.slice(BASE.length), sent)
    return { status: 404 }
  }

  const listening = await listenTls({ port: 0, server, clientCaFile: authority.bundleFile }, (request, response) => {
    route(request).then(
      (answer) => send(request, response, answer),
      (error: unknown) =>
        send(request, response, { status: 400, body: { error: 'invalid_request', error_description: String(error) } }),
    )
  })
  state.issuer = `https://localhost:${listening.port}`

  return {
    issuer: state.issuer,
    ca: readFileSync(authority.bundleFile, 'utf8'),
    caFile: authority.bundleFile,
    folder,
    server,
    application,
    seen: state.seen,
    ended: state.ended,
    misbehave: (how) => {
      state.how = how
    },
    approve: (authorizationUrl) => {
      const asked = state.requests.get(new URL(authorizationUrl).searchParams.get('request_uri') ?? '')
      if (asked === undefined) throw new Error('nothing was pushed under this request_uri')
      const code = randomUUID()
      state.codes.set(code, asked)
      return new URLSearchParams({ code, state: String(asked['state']), iss: state.issuer })
    },
    pushed: (authorizationUrl) => {
      const asked = state.requests.get(new URL(authorizationUrl).searchParams.get('request_uri') ?? '')
      return (asked?.['authorization_details'] as readonly unknown[] | undefined)?.[0]
    },
    sign,
    close: async () => {
      await listening.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Answer = { readonly status: number; readonly body?: unknown; readonly jws?: string }

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const id = request.headers['x-fapi-interaction-id']
  if (typeof id === 'string') response.setHeader('x-fapi-interaction-id', id)
  if (answer.jws !== undefined) response.writeHead(answer.status, { 'content-type': 'application/jwt' }).end(answer.jws)
  else if (answer.body === undefined) response.writeHead(answer.status).end()
  else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body))
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of request) text += String(part)
  return text
}

/** tpp-api 2.3, as a server of the profile would hold the TPP to it. */
function checkRequestObject(claims: JWTPayload, issuer: string): void {
  const required = [
    'iss',
    'aud',
    'exp',
    'nbf',
    'iat',
    'jti',
    'client_id',
    'response_type',
    'redirect_uri',
    'scope',
    'state',
    'nonce',
    'code_challenge',
    'code_challenge_method',
    'authorization_details',
  ]
  const names = Object.keys(claims)
  const wrong = [
    ...required.filter((name) => !names.includes(name)),
    ...names.filter((name) => !required.includes(name)),
  ]
  if (wrong.length > 0) throw new Error(`request object claims missing or unknown: ${wrong.join(', ')}`)
  if (claims.aud !== issuer || claims.iss !== CLIENT_ID) throw new Error('request object iss or aud')
  if ((claims.exp ?? 0) - (claims.nbf ?? 0) > 300) throw new Error('the request object lives too long')
  if (claims['code_challenge_method'] !== 'S256') throw new Error('PKCE is not S256')
}

function checkVerifier(form: URLSearchParams, asked: JWTPayload): void {
  const digest = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url')
  if (digest !== asked['code_challenge']) throw new Error('the verifier does not fit')
  if (form.get('redirect_uri') !== asked['redirect_uri']) throw new Error('another redirect_uri')
}

function details(asked: JWTPayload): unknown {
  const [detail] = asked['authorization_details'] as { type: string; consent: Json }[]
  return [{ type: detail?.type, consent: { Data: { ...detail?.consent, Status: 'Authorized' }, Links: {} } }]
}

const participants = (issuer: string): unknown => [
  {
    OrganisationId: ORGANISATION,
    Status: 'Active',
    OrganisationName: 'Aurora Bank',
    AuthorisationServers: [
      {
        CustomerFriendlyName: 'Aurora Bank',
        Issuer: issuer,
        OpenIDDiscoveryDocument: `${issuer}/.well-known/openid-configuration`,
        ApiResources: [
          {
            ApiFamilyType: 'account-information',
            ApiDiscoveryEndpoints: [{ ApiEndpoint: `${issuer}${BASE}/accounts` }],
          },
        ],
      },
    ],
  },
]

const discovery = (issuer: string): Json => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  pushed_authorization_request_endpoint: `${issuer}/par`,
  registration_endpoint: `${issuer}/tpp-registration`,
  jwks_uri: `${issuer}/jwks`,
  authorization_response_iss_parameter_supported: true,
  require_pushed_authorization_requests: true,
  tls_client_certificate_bound_access_tokens: true,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  token_endpoint_auth_methods_supported: ['private_key_jwt'],
  token_endpoint_auth_signing_alg_values_supported: ['PS256'],
  request_object_signing_alg_values_supported: ['PS256'],
  id_token_signing_alg_values_supported: ['PS256'],
  code_challenge_methods_supported: ['S256'],
})
