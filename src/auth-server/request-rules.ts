/**
 * The rules of FAPI 2.0 and of the UAE profile on the two JWTs that a client signs. Setting these hooks replaces the
 * engine's own FAPI checks in them, so those are repeated here (authorization-server 6.2).
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { type Clock, epochSeconds } from '../clock.ts'
import { toClientId } from '../ids.ts'
import type { Participants } from '../participants/index.ts'
import type { PeerCertificate } from '../tls.ts'

/** FAPI 2.0 SP 5.3.2.1-13: up to 10 s ahead is accepted, more than 60 s never. */
export const SKEW_SECONDS = 10
const ASSERTION_LIFETIME_MAX_SECONDS = 300
const REQUEST_LIFETIME_MAX_SECONDS = 600
const REQUEST_AGE_MAX_SECONDS = 600
const MAX_AGE_MAX_SECONDS = 3600

type Claims = Readonly<Record<string, unknown>>

/** tpp-api 2.2. @throws InvalidClientAuth; its detail reaches the client only over its own certificate. */
export function assertionRule(deps: {
  readonly issuer: string
  readonly clock: Clock
  readonly participants: Participants
  readonly peerOf: (ctx: KoaContextWithOIDC) => PeerCertificate | null
}) {
  return async (ctx: KoaContextWithOIDC, claims: Claims, header: Claims): Promise<void> => {
    const refuse = (why: string): never => {
      throw new errors.InvalidClientAuth(why)
    }
    const now = epochSeconds(deps.clock.now())
    const { aud, iat, exp, nbf, iss, sub } = claims
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
    await certificateRule(deps.participants, deps.peerOf(ctx), String(iss), refuse)
  }
}

/** RFC 8705 for a client that signs its assertions: the certificate is the client's own all the same. */
async function certificateRule(
  participants: Participants,
  peer: PeerCertificate | null,
  clientId: string,
  refuse: (why: string) => never,
): Promise<void> {
  if (peer === null) return refuse('a transport certificate is required')
  if (!peer.trusted) refuse('the transport certificate is not issued by the trust framework')
  const id = toClientId(clientId)
  const client = id === null ? null : await participants.client(id)
  if (client === null || peer.commonName !== client.clientId || peer.organisationId !== client.organisationId) {
    return refuse('the transport certificate belongs to another application')
  }
  let status = participants.certificateStatus(client, peer.thumbprint)
  if (status === 'unknown') {
    // It may be newer than what is known of the client.
    const renewed = await participants.refresh(client.clientId)
    if (renewed !== null) status = participants.certificateStatus(renewed, peer.thumbprint)
  }
  if (status !== 'active') refuse(`the transport certificate is ${status} in the trust framework`)
}

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

/** Runs at push and again at GET /auth: age is only judged at push. The engine itself judges iss, client_id and PKCE. */
export function requestObjectRule(deps: { readonly issuer: string; readonly clock: Clock }) {
  return async (ctx: KoaContextWithOIDC, claims: Claims, header: Claims): Promise<void> => {
    const now = epochSeconds(deps.clock.now())
    if (typeof header['kid'] !== 'string') refuse('the header must name a kid')
    formRule(claims)
    if (claims['aud'] !== deps.issuer) refuse('aud must be the issuer, as one string')
    if (claims['response_type'] !== 'code') refuse('response_type must be code')
    const scope = String(claims['scope'] ?? '')
    if (!scope.split(' ').includes('openid')) throw new errors.InvalidScope('openid is required', scope)
    const { exp, nbf, iat, max_age: maxAge } = claims as Readonly<Record<string, number>>
    if (exp === undefined || nbf === undefined || exp <= nbf || exp - nbf > REQUEST_LIFETIME_MAX_SECONDS) {
      return refuse(`exp must be later than nbf by at most ${REQUEST_LIFETIME_MAX_SECONDS} seconds`)
    }
    if (nbf > now + SKEW_SECONDS) refuse('nbf is in the future')
    if (iat !== undefined && iat > now + SKEW_SECONDS) refuse('iat is in the future')
    if (maxAge !== undefined && !(Number.isInteger(maxAge) && maxAge >= 0 && maxAge <= MAX_AGE_MAX_SECONDS)) {
      refuse(`max_age must be an integer up to ${MAX_AGE_MAX_SECONDS}`)
    }
    if (ctx.oidc.route !== 'pushed_authorization_request') return
    if (nbf < now - REQUEST_AGE_MAX_SECONDS) refuse(`nbf is more than ${REQUEST_AGE_MAX_SECONDS} seconds past`)
  }
}

/** The engine would make text of any value, and pass over claims that it does not know. */
function formRule(claims: Claims): void {
  for (const [name, value] of Object.entries(claims)) {
    const kind = REQUEST_CLAIMS.get(name)
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
