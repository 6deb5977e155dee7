/**
 * Token introspection (RFC 7662), signed on request (RFC 9701). A token is active while it would be accepted; of any
 * other, and of a token that is somebody else's business, the answer is that it is not active and nothing more.
 */
import { type Clock, epochSeconds } from '../../clock.ts'
import type { ClientId } from '../../ids.ts'
import { type SigningKey, sign } from '../../jose.ts'
import { consentDetail, type PaymentIdsOf } from '../consent-detail.ts'
import type { AccessToken, IssuedToken, IssuedTokens } from './issued-tokens.ts'

export const INTROSPECTION_JWT = 'application/token-introspection+jwt'
/** RFC 9701 5. */
const JWT_TYPE = 'token-introspection+jwt'

export type IntrospectionDeps = {
  readonly tokens: IssuedTokens
  readonly issuer: string
  readonly resource: string
  readonly paymentIdsOf: PaymentIdsOf
  readonly clock: Clock
}
export type Introspection = Readonly<Record<string, unknown>> & { readonly active: boolean }
/** `token` is null where nothing may be told. */
export type Introspected = { readonly answer: Introspection; readonly token: IssuedToken | null }

const INACTIVE: Introspected = { answer: { active: false }, token: null }

export async function introspect(deps: IntrospectionDeps, asking: ClientId, text: string): Promise<Introspected> {
  const token = await deps.tokens.read(text)
  if (token === null || !mayAsk(asking, token)) return INACTIVE
  const standing = await deps.tokens.standing(token)
  if (!standing.stands) return INACTIVE
  const { consent } = standing
  const answer = {
    active: true,
    iss: deps.issuer,
    client_id: token.clientId,
    sub: token.subject,
    scope: token.scope,
    iat: token.issuedAtSeconds,
    exp: token.expiresAtSeconds,
    ...(token.kind === 'refresh' ? {} : accessTokenMembers(token)),
    ...(consent === null
      ? {}
      : { authorization_details: [await consentDetail(consent, deps.resource, deps.paymentIdsOf)] }),
  }
  return { answer, token }
}

/** Clients ask about their own tokens. The gateway, the one resource server there is, reads tokens by itself. */
const mayAsk = (asking: ClientId, token: IssuedToken): boolean => token.clientId === asking

const accessTokenMembers = (token: AccessToken) => ({
  aud: token.audience,
  jti: token.jti,
  cnf: token.confirmation,
  token_type: token.confirmation['jkt'] === undefined ? 'Bearer' : 'DPoP',
})

/** RFC 9701 5: for the asker alone, and without claims that would make it pass for an access token. */
export function signIntrospection(
  deps: IntrospectionDeps,
  asking: ClientId,
  answer: Introspection,
  key: SigningKey,
): Promise<string> {
  const claims = { iss: deps.issuer, aud: asking, iat: epochSeconds(deps.clock.now()), token_introspection: answer }
  return sign(key, claims, { typ: JWT_TYPE })
}
