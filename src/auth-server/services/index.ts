/**
 * What a client may do with its tokens besides using them: revoke, introspect, ask about the user. The engine knows
 * the three as well, but not for access tokens that are JWTs. So it authenticates the client and reads the parameters,
 * and what it then says of the token is not heard (its policies in provider.ts let it do nothing).
 */
import type { Provider } from 'oidc-provider'
import type { Audit } from '../../audit/index.ts'
import type { Clock } from '../../clock.ts'
import type { TenantConfig } from '../../config.ts'
import type { ConsentStore } from '../../consent-store/index.ts'
import type { Db } from '../../db.ts'
import type { Dpop } from '../../dpop.ts'
import { type ClientId, toClientId } from '../../ids.ts'
import type { KeyRing } from '../../keys/index.ts'
import type { HubContext } from '../../listener.ts'
import type { Participants } from '../../participants/index.ts'
import type { PaymentIdsOf } from '../consent-detail.ts'
import { answerOAuthError, oauthErrorOf } from '../oauth-answer.ts'
import { commonOf, type Oidc, type TppTrace } from '../tpp-records.ts'
import { INTROSPECTION_JWT, introspect, signIntrospection } from './introspection.ts'
import { createIssuedTokens, type IssuedToken } from './issued-tokens.ts'
import { answerTokenFault, nonceFor, presentedToken, TokenFault } from './presented-token.ts'
import { revoke } from './revocation.ts'
import { signUserinfo, userinfo } from './userinfo.ts'

export type TokenServices = {
  /** After the engine; leaves alone what it has refused. */
  revocation(ctx: HubContext, oidc: Oidc, trace: TppTrace): Promise<void>
  introspection(ctx: HubContext, oidc: Oidc, trace: TppTrace): Promise<void>
  /** Without the engine. */
  userinfo(ctx: HubContext, trace: TppTrace): Promise<void>
}

export type TokenServicesDeps = {
  readonly tenant: TenantConfig
  readonly provider: Provider
  readonly db: Db
  readonly consents: ConsentStore
  readonly paymentIdsOf: PaymentIdsOf
  readonly participants: Participants
  readonly audit: Audit
  readonly clock: Clock
  readonly keys: KeyRing
  readonly dpop: Dpop | null
}

/** Revoked tokens leave by themselves within the life of an access token. */
const RETRY_WHEN_FULL_SECONDS = 60

export function createTokenServices(deps: TokenServicesDeps): TokenServices {
  const { tenant, clock, audit } = deps
  const issuer = tenant.listeners.auth.origin
  const resource = tenant.listeners.rs.origin
  const tokens = createIssuedTokens({ ...deps, issuer, audience: resource, keyOf: (kid) => deps.keys.verifying(kid) })
  const services = { ...deps, tokens, issuer, resource }
  const signingKey = () => deps.keys.now().signing[0]

  return {
    revocation: async (ctx, oidc, trace) => {
      const asked = askedOf(ctx, oidc)
      if (asked === null) return
      const revoked = await revoke(services, asked.clientId, asked.token, async (tx, token) => {
        await audit.append(tx, {
          ...commonOf(ctx, clock.now(), tenant.id),
          kind: 'authorization-step',
          step: 'revocation',
          outcome: 'done',
          error: null,
          clientId: token.clientId,
          consentId: token.authorization?.consentId ?? null,
        })
      })
      if (revoked.outcome === 'full') {
        ctx.set('retry-after', String(RETRY_WHEN_FULL_SECONDS))
        return answerOAuthError(ctx, 503, 'server_error', 'too many revoked tokens at a time: this one is still good')
      }
      if (revoked.outcome === 'revoked') {
        trace.stepRecorded = true
        tell(trace, revoked.token)
      }
      ctx.remove('content-type')
      ctx.body = null
      ctx.status = 200
      ctx.set('cache-control', 'no-store')
    },

    introspection: async (ctx, oidc, trace) => {
      const asked = askedOf(ctx, oidc)
      if (asked === null) return
      const { answer, token } = await introspect(services, asked.clientId, asked.token)
      if (token !== null) tell(trace, token)
      const signed = ctx.accepts('application/json', INTROSPECTION_JWT) === INTROSPECTION_JWT
      answerWith(ctx, signed ? INTROSPECTION_JWT : 'application/json')
      ctx.body = signed ? await signIntrospection(services, asked.clientId, answer, signingKey()) : answer
    },

    userinfo: async (ctx, trace) => {
      const nonce = nonceFor(ctx.req, deps.dpop)
      try {
        const presented = presentedToken(ctx.req)
        const ask = {
          presented,
          peer: ctx.state.peer,
          method: ctx.method,
          url: `${tenant.listeners.as.origin}${ctx.path}`,
        }
        const { token, claims } = await userinfo(services, ask, (seen) => tell(trace, seen))
        if (nonce !== null) ctx.set('dpop-nonce', nonce)
        const signed = ctx.accepts('application/json', 'application/jwt') === 'application/jwt'
        answerWith(ctx, signed ? 'application/jwt' : 'application/json')
        ctx.body = signed ? await signUserinfo(services, token.clientId, claims, signingKey()) : claims
      } catch (thrown) {
        if (!(thrown instanceof TokenFault)) throw thrown
        answerTokenFault(ctx, thrown, nonce)
      }
    },
  }
}

function tell(trace: TppTrace, token: IssuedToken): void {
  trace.clientId = token.clientId
  trace.consentId = token.authorization?.consentId ?? null
}

function answerWith(ctx: HubContext, type: string): void {
  ctx.status = 200
  ctx.set('content-type', type)
  ctx.set('cache-control', 'no-store')
}

/** What the engine says to a JWT once it has authenticated the client; any other refusal stands. */
const ABOUT_THE_TOKEN = 'unsupported_token_type'

function askedOf(ctx: HubContext, oidc: Oidc): { readonly clientId: ClientId; readonly token: string } | null {
  const clientId = toClientId(oidc.client?.clientId)
  const { token } = oidc.params ?? {}
  if (clientId === null || typeof token !== 'string') return null
  return ctx.status === 200 || oauthErrorOf(ctx) === ABOUT_THE_TOKEN ? { clientId, token } : null
}
