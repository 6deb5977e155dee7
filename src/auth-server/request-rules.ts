/**
 * The rules of FAPI 2.0 and of the UAE profile on the two JWTs that a client signs. Setting these hooks replaces the
 * engine's own FAPI checks in them, so those are repeated here (authorization-server 6.2).
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { type Clock, epochSeconds } from '../clock.ts'
import { toClientId } from '../ids.ts'
import { isCompact } from '../jose.ts'
import type { Participants } from '../participants/index.ts'
import type { ClientProfile, ProfileOf } from '../profiles.ts'
import { isStorable } from '../storable.ts'
import type { PeerCertificate } from '../tls.ts'
import { certificateFault } from './sender-rule.ts'

/** FAPI 2.0 SP 5.3.2.1-13: up to 10 s ahead is accepted, more than 60 s never. */
export const SKEW_SECONDS = 10
const ASSERTION_LIFETIME_MAX_SECONDS = 300
const REQUEST_LIFETIME_MAX_SECONDS = 600
const REQUEST_AGE_MAX_SECONDS = 600
const MAX_AGE_MAX_SECONDS = 3600

export type Claims = Readonly<Record<string, unknown>>

/** tpp-api 2.2. @throws InvalidClientAuth; its detail reaches the client only over its own certificate. */
export function assertionRule(deps: {
  readonly issuer: string
  readonly clock: Clock
  readonly participants: Participants
  readonly peerOf: (ctx: KoaContextWithOIDC) => PeerCertificate | null
  readonly profileOf?: ProfileOf
}) {
  return async (ctx: KoaContextWithOIDC, claims: Claims, header: Claims): Promise<void> => {
    const refuse = (why: string): never => {
      throw new errors.InvalidClientAuth(why)
    }
    const now = epochSeconds(deps.clock.now())
    const { aud, iat, exp, nbf, iss, sub } = claims
    const fault = formFault(ctx.oidc.params?.['client_assertion'], header)
    if (fault !== null) refuse(fault)
    // Issuer-only string audience, against audience injection (FAPI 2.0 SP 5.3.2.1-8).
    if (aud !== deps.issuer) refuse('aud must be the issuer, as one string')
    if (sub !== iss) refuse('sub must equal iss')
    if (typeof header['kid'] !== 'string') refuse('the header must name a kid')
    if (typeof iat !== 'number') return refuse('iat is required')
    if (iat > now + SKEW_SECONDS) refuse('iat is in the future')
    if (typeof nbf === 'number' && nbf > now + SKEW_SECONDS) refuse('nbf is in the future')
    if (typeof exp !== 'number' || exp - iat > ASSERTION_LIFETIME_MAX_SECONDS || exp <= iat) {
      refuse(`exp must be within ${ASSERTION_LIFETIME_MAX_SECONDS} seconds of iat`)
    }
    await certificateRule(deps, deps.peerOf(ctx), String(iss))
  }
}

/**
 * What the engine's verification lets pass: a JWS written otherwise than in the one way there is, and a header that asks
 * for an encoding of the payload (RFC 7797) without saying that it must be understood.
 */
const formFault = (jws: unknown, header: Claims): string | null => {
  if (header['crit'] !== undefined || header['b64'] !== undefined) return 'crit and b64 are not supported'
  return typeof jws === 'string' && isCompact(jws) ? null : 'not a compact JWS'
}

/**
 * RFC 8705 for a client that signs its assertions: the certificate is the client's own all the same. Where it need not
 * be shown, it still has to be the right one when it is.
 */
async function certificateRule(
  { participants, profileOf }: { readonly participants: Participants; readonly profileOf?: ProfileOf },
  peer: PeerCertificate | null,
  clientId: string,
): Promise<void> {
  if (peer === null && profileOf?.(clientId)?.transportCertificate === 'optional') return
  if (peer === null) throw withoutCertificate()
  const id = toClientId(clientId)
  const fault = await certificateFault(participants, id === null ? null : await participants.client(id), peer)
  if (fault !== null) throw new errors.InvalidClientAuth(fault)
}

/** Told to everybody: nothing about the client is in it. */
const withoutCertificate = (): errors.InvalidClientAuth =>
  Object.assign(new errors.InvalidClientAuth('a transport certificate is required'), {
    error_description: 'a transport certificate is required on this host',
  })

type Kind = 'text' | 'number' | 'one-element'

/** tpp-api 2.3. The published schema is closed; iat and jti are let in beside it. */
const REQUEST_CLAIMS: ReadonlyMap<string, Kind> = new Map([
  ['iss', 'text'],
  ['aud', 'text'],
  ['iat', 'number'],
  ['nbf', 'number'],
  ['exp', 'number'],
  ['jti', 'text'],
  ['client_id', 'text'],
  ['response_type', 'text'],
  ['redirect_uri', 'text'],
  ['scope', 'text'],
  ['state', 'text'],
  ['nonce', 'text'],
  ['max_age', 'number'],
  ['login_hint', 'text'],
  ['code_challenge', 'text'],
  ['code_challenge_method', 'text'],
  ['authorization_details', 'one-element'],
])
const REQUIRED_CLAIMS = ['aud', 'exp', 'nbf', 'redirect_uri', 'authorization_details'] as const

/** What FAPI 2.0 adds for clients that may use it: JARM, and naming the DPoP key (RFC 9449 10). */
const furtherClaims = (profile: ClientProfile | null): ReadonlySet<string> =>
  new Set([
    ...(profile?.jarm === true ? ['response_mode'] : []),
    ...(profile?.senderConstraint === 'dpop' ? ['dpop_jkt'] : []),
  ])

/**
 * Runs at push and again at GET /auth: age is only judged at push. The engine itself judges iss, client_id and PKCE.
 * It keeps an unsigned push as an object of its own making, without a signature; none such is taken from outside.
 */
export function requestObjectRule(deps: {
  readonly issuer: string
  readonly clock: Clock
  readonly profileOf?: ProfileOf
}) {
  return async (ctx: KoaContextWithOIDC, claims: Claims, header: Claims): Promise<void> => {
    const now = epochSeconds(deps.clock.now())
    const profile = deps.profileOf?.(ctx.oidc.client?.clientId ?? '') ?? null
    if (header['alg'] === 'none' && profile?.requestObject === 'unsigned-allowed') return contentRule(claims, refuse)
    const fault = formFault(ctx.oidc.params?.['request'], header)
    if (fault !== null) refuse(fault)
    if (typeof header['kid'] !== 'string') refuse('the header must name a kid')
    formRule(claims, furtherClaims(profile))
    if (claims['aud'] !== deps.issuer) refuse('aud must be the issuer, as one string')
    storableRule(claims, refuse)
    contentRule(claims, refuse)
    const { exp, nbf, iat } = claims as Readonly<Record<string, number>>
    if (exp === undefined || nbf === undefined || exp <= nbf || exp - nbf > REQUEST_LIFETIME_MAX_SECONDS) {
      return refuse(`exp must be later than nbf by at most ${REQUEST_LIFETIME_MAX_SECONDS} seconds`)
    }
    if (nbf > now + SKEW_SECONDS) refuse('nbf is in the future')
    if (iat !== undefined && iat > now + SKEW_SECONDS) refuse('iat is in the future')
    if (ctx.oidc.route !== 'pushed_authorization_request') return
    if (nbf < now - REQUEST_AGE_MAX_SECONDS) refuse(`nbf is more than ${REQUEST_AGE_MAX_SECONDS} seconds past`)
  }
}

/** What is pushed is kept until the user has decided; of authorization_details rar.ts says the same. */
function storableRule({ authorization_details: _, ...claims }: Claims, fail: (why: string) => never): void {
  const unstorable = Object.entries(claims).find(([, value]) => !isStorable(value))
  if (unstorable !== undefined) fail(`${unstorable[0]} has a text that cannot be kept`)
}

function contentRule({ response_type: type, scope, max_age: maxAge }: Claims, fail: (why: string) => never): void {
  if (type !== 'code') fail('response_type must be code')
  const scopes = String(scope ?? '')
  if (!scopes.split(' ').includes('openid')) throw new errors.InvalidScope('openid is required', scopes)
  const seconds = Number(maxAge ?? 0)
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > MAX_AGE_MAX_SECONDS) {
    fail(`max_age must be an integer up to ${MAX_AGE_MAX_SECONDS}`)
  }
}

/** Parameters that the engine knows and that make no sense where no browser comes by, or that the contract lacks. */
const NOT_SERVED = ['prompt', 'id_token_hint', 'acr_values', 'resource', 'registration', 'claims'] as const

/** The same for parameters that are pushed as they are (FAPI 2.0 SP 5.3.2.2). Others are ignored (RFC 6749 3.1). */
export function unsignedPushRule(ctx: KoaContextWithOIDC, profile: ClientProfile | null): void {
  const sent = (ctx.oidc.body ?? {}) as Claims
  if (ctx.oidc.route !== 'pushed_authorization_request' || sent['request'] !== undefined) return
  const params = (ctx.oidc.params ?? {}) as Claims
  const fail = (why: string): never => {
    throw new errors.InvalidRequest(why)
  }
  const known = furtherClaims(profile)
  const foreign = [...NOT_SERVED, 'dpop_jkt', 'response_mode'].find(
    (name) => sent[name] !== undefined && !known.has(name),
  )
  if (foreign !== undefined) fail(`${foreign} is not a parameter of this client`)
  for (const name of ['client_id', 'redirect_uri', 'authorization_details']) {
    if (params[name] === undefined) fail(`${name} is required`)
  }
  storableRule(params, fail)
  contentRule(params, fail)
}

/** The engine would make text of any value, and pass over claims that it does not know. */
function formRule(claims: Claims, further: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(claims)) {
    const kind = further.has(name) ? 'text' : REQUEST_CLAIMS.get(name)
    if (kind === undefined) refuse(`${name.slice(0, 100)} is not a claim of a request object`)
    else if (kind === 'text' && typeof value !== 'string') refuse(`${name} must be one string`)
    else if (kind === 'number' && typeof value !== 'number') refuse(`${name} must be a number`)
    else if (kind === 'one-element' && !(Array.isArray(value) && value.length === 1)) {
      refuse(`${name} must be a list of exactly one element`)
    }
  }
  const missing = REQUIRED_CLAIMS.find((name) => claims[name] === undefined)
  if (missing !== undefined) refuse(`${missing} is required`)
}

function refuse(why: string): never {
  throw new errors.InvalidRequestObject(why)
}
