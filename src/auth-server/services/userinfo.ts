/**
 * Claims about the user of an access token (OIDC Core 5.3): the `sub` of the id_token, and what the LFI said of the
 * user when the consent was confirmed. The token is taken as the gateway takes it: with the certificate or the key that
 * it is bound to (FAPI 2.0 SP 5.3.4), while its consent is usable.
 */
import { createHash } from 'node:crypto'
import type { Provider } from 'oidc-provider'
import { type Clock, epochSeconds } from '../../clock.ts'
import type { TenantConfig } from '../../config.ts'
import type { Dpop } from '../../dpop.ts'
import type { ClientId } from '../../ids.ts'
import { type SigningKey, sign } from '../../jose.ts'
import type { Participants } from '../../participants/index.ts'
import { profileOf } from '../../profiles.ts'
import type { PeerCertificate } from '../../tls.ts'
import type { GrantDetail } from '../provider.ts'
import { certificateFault } from '../sender-rule.ts'
import type { AccessToken, IssuedTokens, UserAccessToken } from './issued-tokens.ts'
import { type PresentedToken, TokenFault } from './presented-token.ts'

export type UserinfoDeps = {
  readonly tenant: TenantConfig
  readonly tokens: IssuedTokens
  readonly provider: Provider
  readonly participants: Participants
  readonly dpop: Dpop | null
  readonly issuer: string
  readonly clock: Clock
}
export type UserinfoAsk = {
  readonly presented: PresentedToken
  readonly peer: PeerCertificate | null
  readonly method: string
  /** As the caller knows the endpoint, without query. */
  readonly url: string
}
export type UserClaims = Readonly<Record<string, unknown>> & { readonly sub: string }

/** `seen` is told of the token as soon as it is known to be the caller's. @throws TokenFault */
export async function userinfo(
  deps: UserinfoDeps,
  ask: UserinfoAsk,
  seen: (token: UserAccessToken) => void,
): Promise<{ readonly token: UserAccessToken; readonly claims: UserClaims }> {
  const token = await deps.tokens.read(ask.presented.token)
  if (token === null || token.kind === 'refresh') throw invalid('the access token is unknown or has expired')
  checkBinding(deps, token, ask)
  await checkCertificate(deps, token, ask)
  if (token.kind === 'client-access') throw invalid('the access token is of a client, not of a user')
  seen(token)
  if (!token.scope.split(' ').includes('openid')) {
    throw new TokenFault('insufficient_scope', 'the access token does not have the scope openid')
  }
  if (!(await deps.tokens.standing(token)).stands) {
    throw invalid('the access token was revoked, or its consent cannot be used')
  }
  // What is remembered of proofs is of tokens that are good.
  await checkProof(deps, token, ask)
  const grant = await deps.provider.Grant.find(token.authorization.grantId)
  if (grant?.clientId !== token.clientId || grant.accountId !== token.subject) {
    throw invalid('the grant of the access token has ended')
  }
  const [detail] = (grant.rar ?? []) as unknown as readonly GrantDetail[]
  return { token, claims: { ...detail?.idTokenClaims, sub: token.subject } }
}

const invalid = (reason: string): TokenFault => new TokenFault('invalid_token', reason)

const BINDINGS: ReadonlyMap<string, 'mtls' | 'dpop'> = new Map([
  ['x5t#S256', 'mtls'],
  ['jkt', 'dpop'],
])

/** Bound to one thing, of the kind that is set for the client, and sent in the way of that kind (RFC 9449 7.2). */
function checkBinding({ tenant, dpop }: UserinfoDeps, token: AccessToken, { presented, peer }: UserinfoAsk): void {
  const [member, another] = Object.keys(token.confirmation)
  const kind = member === undefined || another !== undefined ? undefined : BINDINGS.get(member)
  if (kind === undefined || profileOf(tenant, token.clientId)?.senderConstraint !== kind) {
    throw invalid('the access token is not bound in the way that is set for this client')
  }
  if (kind === 'dpop') {
    if (presented.scheme !== 'dpop' || dpop === null) throw invalid('the access token must be sent as DPoP')
    return
  }
  if (presented.scheme !== 'bearer' || presented.proof !== undefined) {
    throw invalid('the access token must be sent as Bearer, without a DPoP proof')
  }
  if (peer?.thumbprint !== token.confirmation['x5t#S256']) {
    throw invalid('the access token is not bound to this client certificate')
  }
}

async function checkCertificate(
  { tenant, participants }: UserinfoDeps,
  { clientId }: AccessToken,
  { peer }: UserinfoAsk,
): Promise<void> {
  if (peer === null && profileOf(tenant, clientId)?.transportCertificate === 'optional') return
  const fault = await certificateFault(participants, await participants.client(clientId), peer)
  if (fault !== null) throw invalid(fault)
}

async function checkProof(
  { dpop }: UserinfoDeps,
  { confirmation }: AccessToken,
  { presented, method, url }: UserinfoAsk,
): Promise<void> {
  const { jkt } = confirmation
  if (dpop === null || typeof jkt !== 'string') return
  const accessTokenHash = createHash('sha256').update(presented.token).digest('base64url')
  const shown = await dpop.check({ header: presented.proof, method, url, accessTokenHash, jkt })
  if (!shown.ok) throw new TokenFault(shown.error, shown.why)
}

/** OIDC Core 5.3.2: signed, it says who answers and for whom. */
export function signUserinfo(
  deps: UserinfoDeps,
  clientId: ClientId,
  claims: UserClaims,
  key: SigningKey,
): Promise<string> {
  return sign(key, { ...claims, iss: deps.issuer, aud: clientId, iat: epochSeconds(deps.clock.now()) })
}
