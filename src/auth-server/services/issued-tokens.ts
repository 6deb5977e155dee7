/**
 * Tokens that somebody shows the hub: whether they are its own, and whether they still stand. An access token is a JWT
 * that nobody stores; a refresh token is an opaque text whose digest is filed. Their form tells them apart, so
 * `token_type_hint` has nothing to add (RFC 7009 2.1: it is a hint and may be ignored).
 */
import type { Provider } from 'oidc-provider'
import { type Clock, epochSeconds } from '../../clock.ts'
import { type Consent, type ConsentStore, isTerminal, usable } from '../../consent-store/index.ts'
import { type ClientId, type ConsentId, toClientId, toConsentId } from '../../ids.ts'
import { type JWK, verify } from '../../jose.ts'
import type { Participants } from '../../participants/index.ts'
import { isRevoked } from '../../revoked-tokens.ts'

type Common = {
  readonly clientId: ClientId
  readonly subject: string
  readonly scope: string
  readonly issuedAtSeconds: number
  readonly expiresAtSeconds: number
}
/** What ties a token to a user's agreement. */
export type Authorization = { readonly consentId: ConsentId; readonly grantId: string }
type Access = Common & {
  readonly jti: string
  readonly audience: string
  /** RFC 7800: the key that whoever uses the token must hold. */
  readonly confirmation: Readonly<Record<string, unknown>>
}
export type ClientAccessToken = Access & { readonly kind: 'client-access'; readonly authorization: null }
export type UserAccessToken = Access & { readonly kind: 'user-access'; readonly authorization: Authorization }
export type AccessToken = ClientAccessToken | UserAccessToken
export type RefreshToken = Common & { readonly kind: 'refresh'; readonly authorization: Authorization }
export type IssuedToken = AccessToken | RefreshToken

/** `consent` is the one behind the token; null behind a client's own. */
export type Standing = { readonly stands: true; readonly consent: Consent | null } | { readonly stands: false }

export type IssuedTokens = {
  /** Null: the hub has not issued it, or it is past its end. */
  read(token: string): Promise<IssuedToken | null>
  /** Whether it would be accepted now, by the gateway or at the token endpoint. */
  standing(token: IssuedToken): Promise<Standing>
}

export type IssuedTokensDeps = {
  readonly issuer: string
  readonly audience: string
  readonly provider: Provider
  readonly consents: ConsentStore
  readonly participants: Participants
  readonly clock: Clock
  /** A published key that has signed access tokens; null when there is none of that id. */
  readonly keyOf: (kid: string) => Promise<JWK | null>
}

/** Checked before anything is computed over the text. */
const TOKEN_LENGTH_MAX = 8_192
const ACCESS_TOKEN_TYPES: ReadonlySet<string> = new Set(['at+jwt', 'application/at+jwt'])
const FALLEN = { stands: false } as const

export function createIssuedTokens(deps: IssuedTokensDeps): IssuedTokens {
  return {
    read: async (token) => {
      if (token.length > TOKEN_LENGTH_MAX) return null
      return token.includes('.') ? readAccessToken(deps, token) : readRefreshToken(deps, token)
    },
    standing: async (token) => {
      const client = await deps.participants.client(token.clientId)
      if (client?.status !== 'active') return FALLEN
      if (token.authorization === null) {
        return isRevoked(client, token.jti) ? FALLEN : { stands: true, consent: null }
      }
      const consent = await deps.consents.find(token.authorization.consentId)
      if (consent === null || consent.clientId !== token.clientId) return FALLEN
      if (consent.grantId !== token.authorization.grantId) return FALLEN
      // tpp-api 3.3: a consent that waits or is suspended gives tokens, which open nothing until it is authorized.
      const good =
        token.kind === 'refresh'
          ? !isTerminal(consent)
          : usable(consent, deps.clock.now()).ok && !isRevoked(consent, token.jti)
      return good ? { stands: true, consent } : FALLEN
    },
  }
}

async function readAccessToken(deps: IssuedTokensDeps, text: string): Promise<AccessToken | null> {
  const verified = await verify(text, deps.keyOf)
  if (!verified.ok || !ACCESS_TOKEN_TYPES.has(verified.header.typ?.toLowerCase() ?? '')) return null
  const { iss, aud, exp, iat, jti, sub, scope, cnf, ...claims } = verified.claims
  if (iss !== deps.issuer || aud !== deps.audience) return null
  if (typeof exp !== 'number' || typeof iat !== 'number' || exp <= epochSeconds(deps.clock.now())) return null
  const clientId = toClientId(claims['client_id'])
  if (clientId === null || typeof jti !== 'string' || typeof sub !== 'string' || typeof scope !== 'string') return null
  const { consent_id: consent, grant_id: grantId } = claims
  const consentId = toConsentId(consent)
  const isOfUser = consentId !== null && typeof grantId === 'string'
  // Half of an authorization is none, and must not pass for a client's own token.
  if (!isOfUser && (consent !== undefined || grantId !== undefined)) return null
  const token = {
    jti,
    clientId,
    subject: sub,
    scope,
    issuedAtSeconds: iat,
    expiresAtSeconds: exp,
    audience: aud,
    confirmation: typeof cnf === 'object' && cnf !== null ? { ...cnf } : {},
  }
  return isOfUser
    ? { ...token, kind: 'user-access', authorization: { consentId, grantId } }
    : { ...token, kind: 'client-access', authorization: null }
}

async function readRefreshToken(deps: IssuedTokensDeps, text: string): Promise<RefreshToken | null> {
  const found = await deps.provider.RefreshToken.find(text)
  if (found === undefined || !found.isValid) return null
  const clientId = toClientId(found.clientId)
  const [detail] = (found.rar ?? []) as unknown as readonly { readonly ConsentId?: string }[]
  const consentId = toConsentId(detail?.ConsentId)
  const { grantId, accountId, scope, iat, exp } = found
  if (clientId === null || consentId === null || grantId === undefined || exp === undefined) return null
  return {
    kind: 'refresh',
    clientId,
    subject: accountId ?? '',
    scope: scope ?? '',
    issuedAtSeconds: iat ?? 0,
    expiresAtSeconds: exp,
    authorization: { consentId, grantId },
  }
}
