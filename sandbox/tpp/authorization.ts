/**
 * Getting and keeping tokens: pushed authorization request, callback, refresh, client credentials. Every check that
 * keeps a forged answer from becoming a used token is made here, before a token is returned to anyone.
 */
import { randomUUID } from 'node:crypto'
import * as oidc from 'openid-client'
import { untrusted } from './errors.ts'
import { asFault } from './oauth-faults.ts'
import type { Permission } from './permissions.ts'
import { REQUEST_OBJECT_SECONDS, type Server, type SigningKey } from './profile.ts'

export const ACCOUNT_ACCESS = 'urn:openfinanceuae:account-access-consent:v2.1'

export type ConsentAsk = {
  readonly permissions: readonly Permission[]
  readonly expiresAt: Date
  /** `date` (YYYY-MM-DD): the window of transactions and statements. */
  readonly from?: string
  readonly to?: string
  /** The root of the chain when this renews an earlier consent (tpp-api 4.5). */
  readonly baseConsentId?: string
  /** Where events of the consent are to go (tpp-api 2.9). */
  readonly webhookUrl?: string
}

/** What must be remembered, by this browser session only, until the callback. */
export type Pending = {
  readonly issuer: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  readonly consentId: string
  /** Of the consent that was asked for. */
  readonly consentType: string
}

export type Tokens = {
  readonly accessToken: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  readonly refreshToken: string | null
  readonly scope: string | null
  readonly subject: string | null
  readonly consentId: string | null
  readonly consentType: string | null
  readonly consentStatus: string | null
}

/** Used when a server leaves `expires_in` out, which RFC 6749 allows: short, so that a refresh comes early. */
const UNSTATED_LIFETIME_SECONDS = 60

export type Pushed = { readonly pending: Pending; readonly url: string }
/** One element of `authorization_details`, and the scope that it needs beside openid. */
export type Wanted = {
  readonly type: string
  readonly scope: string
  consent(consentId: string): Promise<object> | object
  readonly subscription?: object
}

export const accountAccess = (ask: ConsentAsk): Wanted => ({
  type: ACCOUNT_ACCESS,
  scope: 'accounts',
  consent: (consentId) => consentClaims(consentId, ask),
  ...subscriptionOf(ask),
})

export async function pushConsent(
  server: Server,
  signing: SigningKey,
  redirectUri: string,
  wanted: Wanted,
): Promise<Pushed> {
  const pending: Pending = {
    issuer: server.issuer,
    state: oidc.randomState(),
    nonce: oidc.randomNonce(),
    codeVerifier: oidc.randomPKCECodeVerifier(),
    consentId: randomUUID(),
    consentType: wanted.type,
  }
  const { type, scope, consent, subscription } = wanted
  const detail = { type, consent: await consent(pending.consentId) }
  const parameters = {
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: `openid ${scope}`,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pending.codeVerifier),
    code_challenge_method: 'S256',
    authorization_details: JSON.stringify([subscription === undefined ? detail : { ...detail, subscription }]),
  }
  const signed = await oidc.buildAuthorizationUrlWithJAR(server.config, parameters, signing, {
    [oidc.modifyAssertion]: (_header, claims) => {
      const now = Math.floor(Date.now() / 1000)
      claims['iat'] = now
      claims['nbf'] = now
      claims['exp'] = now + REQUEST_OBJECT_SECONDS
    },
  })
  const url = await asFault(oidc.buildAuthorizationUrlWithPAR(server.config, signed.searchParams))
  return { pending, url: url.href }
}

function consentClaims(consentId: string, ask: ConsentAsk): Readonly<Record<string, unknown>> {
  return {
    ConsentId: consentId,
    Permissions: ask.permissions,
    ExpirationDateTime: ask.expiresAt.toISOString(),
    ...(ask.from === undefined ? {} : { FromDate: ask.from }),
    ...(ask.to === undefined ? {} : { ToDate: ask.to }),
    ...(ask.baseConsentId === undefined ? {} : { BaseConsentId: ask.baseConsentId }),
    OpenFinanceBilling: { UserType: 'Retail', Purpose: 'BudgetingAnalysis' },
  }
}

export const subscriptionOf = ({ webhookUrl }: Pick<ConsentAsk, 'webhookUrl'>): { readonly subscription?: object } =>
  webhookUrl === undefined ? {} : { subscription: { Webhook: { Url: webhookUrl, IsActive: true } } }

/** `query` is what the browser brought to the redirect URI, untouched. */
export async function redeemCallback(
  server: Server,
  redirectUri: string,
  query: URLSearchParams,
  pending: Pending,
): Promise<Tokens> {
  // RFC 9207: a callback meant for another server must not have its code sent to this one.
  if (pending.issuer !== server.issuer) throw untrusted('the callback belongs to another authorization server')
  const url = new URL(redirectUri)
  url.search = query.toString()
  const answer = await asFault(
    oidc.authorizationCodeGrant(server.config, url, {
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.codeVerifier,
      idTokenExpected: true,
    }),
  )
  const { consentId, consentType } = pending
  return toTokens(server, answer, { consentId, consentType, refreshToken: null, subject: null })
}

export async function refresh(server: Server, tokens: Tokens): Promise<Tokens> {
  if (tokens.refreshToken === null || tokens.consentId === null) throw untrusted('there is no refresh token to use')
  const answer = await asFault(oidc.refreshTokenGrant(server.config, tokens.refreshToken))
  return toTokens(server, answer, {
    consentId: tokens.consentId,
    consentType: tokens.consentType ?? ACCOUNT_ACCESS,
    refreshToken: tokens.refreshToken,
    subject: tokens.subject,
  })
}

export async function clientCredentials(server: Server, scope: string): Promise<Tokens> {
  const answer = await asFault(oidc.clientCredentialsGrant(server.config, { scope }))
  requireBearer(answer)
  return {
    accessToken: answer.access_token,
    expiresAt: endOf(answer),
    refreshToken: null,
    scope: answer.scope ?? null,
    subject: null,
    consentId: null,
    consentType: null,
    consentStatus: null,
  }
}

type TokenAnswer = oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers
type Expected = {
  readonly consentId: string
  readonly consentType: string
  readonly refreshToken: string | null
  readonly subject: string | null
}

function toTokens(server: Server, answer: TokenAnswer, expected: Expected): Tokens {
  requireBearer(answer)
  const subject = checkIdToken(server, answer, expected.subject)
  const consent = checkDetails(answer.authorization_details, expected)
  return {
    accessToken: answer.access_token,
    expiresAt: endOf(answer),
    // tpp-api 3.2: the hub does not rotate, so the first one stays in use unless another comes.
    refreshToken: answer.refresh_token ?? expected.refreshToken,
    scope: answer.scope ?? null,
    subject: subject ?? expected.subject,
    consentId: expected.consentId,
    consentType: expected.consentType,
    consentStatus: consent,
  }
}

function requireBearer(answer: TokenAnswer): void {
  if (answer.token_type.toLowerCase() !== 'bearer') throw untrusted('the token is not a bearer token')
}

/** On top of the library's checks: nobody else may be in `aud`, whatever `azp` says. */
function checkIdToken(server: Server, answer: TokenAnswer, subject: string | null): string | null {
  const claims = answer.claims()
  if (claims === undefined) return null
  const audience = Array.isArray(claims.aud) ? claims.aud : [claims.aud]
  if (audience.length !== 1 || audience[0] !== server.config.clientMetadata().client_id) {
    throw untrusted('the id_token is meant for others as well')
  }
  if (subject !== null && claims.sub !== subject) throw untrusted('the id_token is about another person')
  return claims.sub
}

/** RFC 9396 section 7: what was granted must be what was asked for, not another consent. */
function checkDetails(
  details: readonly oidc.AuthorizationDetails[] | undefined,
  { consentId, consentType }: Expected,
): string | null {
  const [detail, more] = details ?? []
  if (detail === undefined || more !== undefined || detail.type !== consentType) {
    throw untrusted('the token does not carry the one consent that was asked for')
  }
  const data = member(member(detail, 'consent'), 'Data')
  if (member(data, 'ConsentId') !== consentId) throw untrusted('the token is for another consent')
  const status = member(data, 'Status')
  return typeof status === 'string' ? status : null
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined

const endOf = (answer: TokenAnswer): number => Date.now() + (answer.expires_in ?? UNSTATED_LIFETIME_SECONDS) * 1000
