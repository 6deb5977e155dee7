/** The hub's own access tokens as the gateway reads them: a PS256 JWT (RFC 9068) bound to a certificate (RFC 8705). */
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
import { type JWK, publicJwk, type SigningKey, verify } from '../jose.ts'

type Common = {
  readonly clientId: ClientId
  readonly scopes: ReadonlySet<string>
  readonly thumbprint: Thumbprint
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

export function createAccessTokens(deps: {
  readonly issuer: string
  readonly audience: string
  readonly keys: readonly SigningKey[]
  readonly clock: Clock
}): AccessTokens {
  const keys = new Map<string, JWK>(deps.keys.map((key) => [key.kid, publicJwk(key, 'sig')]))
  const verified = new LRUCache<string, AccessToken>({ max: CACHED_MAX, ttl: CACHED_MS })

  const check = async (token: string): Promise<AccessToken> => {
    const judged = await verify(token, (kid) => keys.get(kid) ?? null)
    if (!judged.ok) throw unauthorized('the access token was not issued by this authorization server', judged.why)
    const { typ } = judged.header
    if (typ?.toLowerCase() !== 'at+jwt' && typ?.toLowerCase() !== 'application/at+jwt') {
      throw unauthorized('the token is not an access token', 'typ')
    }
    return readClaims(judged.claims, deps)
  }

  return {
    async read(token) {
      if (token.length > TOKEN_LENGTH_MAX) throw unauthorized('the access token is malformed', 'length')
      const key = createHash('sha256').update(token).digest('base64url')
      const known = verified.get(key)
      const claims = known ?? (await check(token))
      if (claims.expiresAtSeconds <= epochSeconds(deps.clock.now())) {
        throw unauthorized('the access token has expired; use the refresh token to get another')
      }
      if (known === undefined) verified.set(key, claims)
      return claims
    },
  }
}

function readClaims(
  claims: Readonly<Record<string, unknown>>,
  expected: { readonly issuer: string; readonly audience: string; readonly clock: Clock },
): AccessToken {
  if (claims['iss'] !== expected.issuer) throw unauthorized('the access token is of another issuer')
  if (!isFor(claims['aud'], expected.audience)) throw unauthorized('the access token is for another resource server')
  const { exp, nbf, scope } = claims
  if (typeof exp !== 'number') throw unauthorized('the access token is malformed', 'exp')
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf > epochSeconds(expected.clock.now()))) {
    throw unauthorized('the access token is not valid yet')
  }
  const clientId = toClientId(claims['client_id'])
  if (clientId === null || typeof scope !== 'string') throw unauthorized('the access token is malformed', 'claims')
  const common = {
    clientId,
    scopes: new Set(scope.split(' ')),
    thumbprint: boundTo(claims['cnf']),
    expiresAtSeconds: exp,
  }
  if (claims['consent_id'] === undefined && claims['grant_id'] === undefined) return { ...common, grant: 'client' }
  const consentId = toConsentId(claims['consent_id'])
  const organisationId = toOrganisationId(claims['org_id'])
  const grantId = claims['grant_id']
  if (consentId === null || organisationId === null || typeof grantId !== 'string' || grantId === '') {
    throw unauthorized('the access token is malformed', 'consent claims')
  }
  return { ...common, grant: 'user', consentId, grantId, organisationId }
}

const isFor = (audience: unknown, expected: string): boolean =>
  audience === expected || (Array.isArray(audience) && audience.length === 1 && audience[0] === expected)

/** A token without a certificate, or bound to another kind of key, would be a bearer token: refused. */
function boundTo(cnf: unknown): Thumbprint {
  const members = typeof cnf === 'object' && cnf !== null ? Object.entries(cnf) : []
  const thumbprint = members.length === 1 && members[0]?.[0] === 'x5t#S256' ? toThumbprint(members[0][1]) : null
  if (thumbprint === null) throw unauthorized('the access token is not bound to a client certificate')
  return thumbprint
}

export function unauthorized(reason: string, detail?: string): HubError {
  return new HubError('Unauthorized', { reason, ...(detail === undefined ? {} : { detail: `${reason}: ${detail}` }) })
}
