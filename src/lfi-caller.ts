/**
 * The LFI's own server at the doors `hh` and `cm`: mutual TLS with a certificate of the LFI's organisation (subject
 * OU, because leaf certificates rotate), and JWT Auth where the tenant asks for it (lfi-api 4.1–4.3).
 */
import type { Clock } from './clock.ts'
import { epochSeconds } from './clock.ts'
import type { TenantConfig } from './config.ts'
import { HubError } from './errors.ts'
import { type JWK, signingKey, verify } from './jose.ts'
import { type PeerCertificate, whyDistrusted } from './tls.ts'

export type LfiCaller = {
  readonly organisationId: string
  readonly commonName: string
  /** The calling application, when the certificate names one. */
  readonly clientId: string | null
}
export type AuthenticateLfi = (peer: PeerCertificate | null, authorization: string | undefined) => Promise<LfiCaller>

export type LfiCallerDeps = {
  readonly tenant: TenantConfig
  readonly clock: Clock
  /** The caller's published keys; `kid` is the one looked for, which may be newer than what is known. */
  readonly keys: (organisationId: string, application: string, kid: string) => Promise<readonly JWK[]>
  /** False when the same `jti` was seen before; remembers it until then. */
  readonly firstUse: (jti: string, untilEpochSeconds: number) => boolean
}

/** lfi-api 4.3: ten seconds of skew either way; a token lives at most a minute whatever it says. */
const SKEW_SECONDS = 10
const LIFETIME_MAX_SECONDS = 60
/** `Bearer` in prose, the other name in the published YAML (divergence 1 of lfi-api 9). */
const SCHEMES = /^(?:bearer|ozone-connect-jwt-auth) +([\w-]+\.[\w-]+\.[\w-]+)$/i

export function createLfiAuthentication(deps: LfiCallerDeps): AuthenticateLfi {
  const { tenant } = deps
  const refuse = (reason: string): never => {
    throw new HubError('Unauthorized', { reason })
  }
  return async (peer, authorization) => {
    if (peer === null) return refuse('a client certificate is required')
    if (!peer.trusted) return refuse(`the client certificate ${whyDistrusted(peer)}`)
    // A connection may outlive the certificate that opened it.
    if (peer.expiresAt <= deps.clock.now()) return refuse('the client certificate has expired')
    if (peer.organisationId !== tenant.organisationId) return refuse("the client certificate is not the LFI's")
    const caller = {
      organisationId: peer.organisationId,
      commonName: peer.commonName,
      clientId: peer.commonName || null,
    }
    if (authorization === undefined || authorization === '') {
      return tenant.lfi.callerJwt.required ? refuse('JWT Auth is required: send a Bearer token') : caller
    }
    await checkJwt(
      deps,
      peer,
      SCHEMES.exec(authorization)?.[1] ?? refuse('the Authorization header is not a Bearer JWT'),
      refuse,
    )
    return caller
  }
}

async function checkJwt(deps: LfiCallerDeps, peer: PeerCertificate, jwt: string, refuse: (reason: string) => never) {
  const verified = await verify(jwt, async (kid) =>
    signingKey(await deps.keys(peer.organisationId ?? '', peer.commonName, kid), kid),
  )
  if (!verified.ok) return refuse(`JWT Auth: ${verified.why}`)
  const { iss, sub, aud, iat, exp, nbf, jti } = verified.claims
  const now = epochSeconds(deps.clock.now())
  if (iss !== peer.organisation) refuse("JWT Auth: iss is not the certificate's O")
  if (sub !== peer.organisationId) refuse("JWT Auth: sub is not the certificate's OU")
  if (aud !== deps.tenant.lfi.callerJwt.audience) refuse('JWT Auth: aud is not this provider')
  if (typeof iat !== 'number' || iat > now + SKEW_SECONDS) refuse('JWT Auth: iat is missing or in the future')
  if (typeof exp !== 'number' || exp <= now - SKEW_SECONDS) return refuse('JWT Auth: exp is missing or past')
  if (exp > now + LIFETIME_MAX_SECONDS + SKEW_SECONDS) refuse('JWT Auth: exp is too far ahead')
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf > now + SKEW_SECONDS))
    refuse('JWT Auth: nbf is in the future')
  if (typeof jti !== 'string' || jti === '' || jti.length > 128) return refuse('JWT Auth: jti is required')
  if (!deps.firstUse(jti, exp + SKEW_SECONDS)) refuse('JWT Auth: jti was used before')
}
