/**
 * The hub's own access tokens as the gateway reads them: a PS256 JWT (RFC 9068) bound to a certificate (RFC 8705) or,
 * where the tenant has clients that use DPoP, to a key (RFC 9449).
 */
import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { type Clock, epochSeconds } from '../clock.ts'
import { HubError } from '../errors.ts'
import {
  type ClientId,
  type ConsentId,
  type OrganisationId,
  type Thumbprint,
  toClientId,
  toConsentId,
  toOrganisationId,
  toThumbprint,
} from '../ids.ts'
import { verify } from '../jose.ts'
import type { KeyRing } from '../keys/index.ts'
import type { RuleId } from '../refusals.ts'

/** What whoever uses the token must hold. */
export type Binding =
  | { readonly kind: 'mtls'; readonly thumbprint: Thumbprint }
  | { readonly kind: 'dpop'; readonly jkt: string }

type Common = {
  /** What a revocation knows the token by. */
  readonly jti: string
  readonly clientId: ClientId
  readonly scopes: ReadonlySet<string>
  readonly binding: Binding
  /** base64url SHA-256 of the token itself (RFC 9449 4.2, `ath`). */
  readonly hash: string
  readonly expiresAtSeconds: number
}
export type UserToken = Common & {
  readonly grant: 'user'
  readonly consentId: ConsentId
  readonly grantId: string
  readonly organisationId: OrganisationId
}
export type ClientToken = Common & { readonly grant: 'client' }
export type AccessToken = UserToken | ClientToken

export type AccessTokens = {
  /** @throws HubError Unauthorized with a reason that the caller can act on */
  read(token: string): Promise<AccessToken>
}

/** Checked before anything is computed over the text. */
const TOKEN_LENGTH_MAX = 8_192
const CACHED_MAX = 10_000
/** A cached token is judged by its own `exp` each time; this only bounds how long a silent one is kept. */
const CACHED_MS = 600_000

type Verified = { readonly kid: string; readonly claims: AccessToken }

export function createAccessTokens(deps: {
  readonly issuer: string
  readonly audience: string
  readonly keys: KeyRing
  readonly clock: Clock
  /** Kinds of binding that a token may have. */
  readonly bindings?: ReadonlySet<Binding['kind']>
}): AccessTokens {
  const { keys, bindings = CERTIFICATE_ONLY } = deps
  const verified = new LRUCache<string, Verified>({ max: CACHED_MAX, ttl: CACHED_MS })

  const check = async (token: string, hash: string): Promise<Verified> => {
    const judged = await verify(token, (kid) => keys.verifying(kid))
    if (!judged.ok)
      throw unauthorized('token.issuer', 'the access token was not issued by this authorization server', judged.why)
    const { typ } = judged.header
    if (typ?.toLowerCase() !== 'at+jwt' && typ?.toLowerCase() !== 'application/at+jwt') {
      throw unauthorized('token.form', 'the token is not an access token', 'typ')
    }
    return { kid: String(judged.header.kid), claims: readClaims(judged.claims, hash, { ...deps, bindings }) }
  }

  return {
    async read(token) {
      if (token.length > TOKEN_LENGTH_MAX) throw unauthorized('token.form', 'the access token is malformed', 'length')
      const key = createHash('sha256').update(token).digest('base64url')
      const known = verified.get(key)
      // The key may have been withdrawn since.
      const isKnown = known !== undefined && keys.now().verifying.has(known.kid)
      const checked = isKnown ? known : await check(token, key)
      const { claims } = checked
      if (claims.expiresAtSeconds <= epochSeconds(deps.clock.now())) {
        throw unauthorized('token.lifetime', 'the access token has expired; use the refresh token to get another')
      }
      if (!isKnown) verified.set(key, checked)
      return claims
    },
  }
}

type Expected = {
  readonly issuer: string
  readonly audience: string
  readonly clock: Clock
  readonly bindings: ReadonlySet<Binding['kind']>
}
const CERTIFICATE_ONLY: ReadonlySet<Binding['kind']> = new Set(['mtls'])

function readClaims(claims: Readonly<Record<string, unknown>>, hash: string, expected: Expected): AccessToken {
  if (claims['iss'] !== expected.issuer) throw unauthorized('token.issuer', 'the access token is of another issuer')
  if (!isFor(claims['aud'], expected.audience))
    throw unauthorized('token.audience', 'the access token is for another resource server')
  const { exp, nbf, scope, jti } = claims
  if (typeof exp !== 'number') throw unauthorized('token.form', 'the access token is malformed', 'exp')
  if (typeof jti !== 'string' || jti === '') throw unauthorized('token.form', 'the access token is malformed', 'jti')
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf > epochSeconds(expected.clock.now()))) {
    throw unauthorized('token.lifetime', 'the access token is not valid yet')
  }
  const clientId = toClientId(claims['client_id'])
  if (clientId === null || typeof scope !== 'string')
    throw unauthorized('token.form', 'the access token is malformed', 'claims')
  const common = {
    jti,
    clientId,
    scopes: new Set(scope.split(' ')),
    binding: boundTo(claims['cnf'], expected.bindings),
    hash,
    expiresAtSeconds: exp,
  }
  if (claims['consent_id'] === undefined && claims['grant_id'] === undefined) return { ...common, grant: 'client' }
  const consentId = toConsentId(claims['consent_id'])
  const organisationId = toOrganisationId(claims['org_id'])
  const grantId = claims['grant_id']
  if (consentId === null || organisationId === null || typeof grantId !== 'string' || grantId === '') {
    throw unauthorized('token.form', 'the access token is malformed', 'consent claims')
  }
  return { ...common, grant: 'user', consentId, grantId, organisationId }
}

const isFor = (audience: unknown, expected: string): boolean =>
  audience === expected || (Array.isArray(audience) && audience.length === 1 && audience[0] === expected)

/** A token that is bound to nothing would be a bearer token; to two things, one of ours it is not. */
function boundTo(cnf: unknown, accepted: Expected['bindings']): Binding {
  const [only, another] = typeof cnf === 'object' && cnf !== null ? Object.entries(cnf) : []
  const binding = only === undefined || another !== undefined ? null : bindingOf(only)
  if (binding === null || !accepted.has(binding.kind)) {
    throw unauthorized(
      'token.binding',
      `the access token is not bound to a client certificate${accepted.has('dpop') ? ' or key' : ''}`,
    )
  }
  return binding
}

function bindingOf([member, value]: [member: string, value: unknown]): Binding | null {
  // Both are digests of 32 bytes.
  const digest = toThumbprint(value)
  if (digest === null) return null
  if (member === 'x5t#S256') return { kind: 'mtls', thumbprint: digest }
  return member === 'jkt' ? { kind: 'dpop', jkt: digest } : null
}

export function unauthorized(rule: RuleId, reason: string, detail?: string): HubError {
  return new HubError('Unauthorized', {
    rule,
    reason,
    ...(detail === undefined ? {} : { detail: `${reason}: ${detail}` }),
  })
}
