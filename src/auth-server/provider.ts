/**
 * The engine's configuration, one literal, top to bottom. The reason of each setting that is not obvious is beside
 * it; «measured» marks what the engine does otherwise.
 */
import { type Configuration, errors, interactionPolicy, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import { whoSent } from '../caller.ts'
import { type Clock, epochSeconds, iso, toInstant } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import type { Consent, ConsentStore } from '../consent-store/index.ts'
import { DPOP_ALGORITHMS } from '../dpop-proof.ts'
import { toConsentId } from '../ids.ts'
import { privateJwk, type SigningKey } from '../jose.ts'
import { capabilitiesOf, profileOf } from '../profiles.ts'
import type { AdapterFactory } from './adapter.ts'
import { type ConsentDetail, consentDetail, type PaymentIdsOf } from './consent-detail.ts'
import type { IdTokenClaims } from './id-token-claims.ts'
import { SKEW_SECONDS, unsignedPushRule } from './request-rules.ts'
import { type SenderRule, tlsClientAuth } from './sender-rule.ts'
import { SERVED_RAR_TYPES, SERVED_SCOPES } from './served.ts'
import { pathOf } from './tpp-operations.ts'

/** What a grant remembers of its consent: enough to bound every lifetime without a look-up. */
export type GrantDetail = {
  readonly type: string
  readonly ConsentId: string
  readonly ExpirationDateTime: string
  readonly idTokenClaims: IdTokenClaims
}

export type ProviderDeps = {
  readonly tenant: TenantConfig
  readonly clock: Clock
  readonly consents: ConsentStore
  readonly paymentIdsOf: PaymentIdsOf
  readonly signingKeys: readonly SigningKey[]
  readonly encryptionKeys: readonly SigningKey[]
  readonly adapter: AdapterFactory
  /** Organisation of a client; undefined when unknown. */
  readonly organisationOf: (clientId: string) => Promise<string | undefined>
  readonly validateRar: (ctx: KoaContextWithOIDC, detail: { readonly type: string }) => Promise<void>
  readonly assertion: NonNullable<Configuration['assertJwtClientAuthClaimsAndHeader']>
  /** What a request must show of its sender, for who authenticates with its certificate. Absent: nobody does. */
  readonly sender?: SenderRule
  /** Shared by all nodes, 32 bytes. Absent: nobody uses DPoP. */
  readonly nonceSecret?: Buffer
  readonly requestObject: (
    ctx: KoaContextWithOIDC,
    claims: Readonly<Record<string, unknown>>,
    header: Readonly<Record<string, unknown>>,
  ) => Promise<void>
}

/** What the hub signs with; what clients sign with is a matter of their profiles. */
const PS256 = ['PS256'] as const

export function createProvider(deps: ProviderDeps): Provider {
  const { tenant, clock, consents } = deps
  const issuer = tenant.listeners.auth.origin
  const resource = tenant.listeners.rs.origin
  const { accessTokenSeconds, interactionSeconds } = tenant.lifetimes
  const secondsUntil = (expires: string | undefined): number =>
    expires === undefined ? 1 : Math.max(1, epochSeconds(toInstant(expires)) - epochSeconds(clock.now()))
  const secondsLeft = (rar: unknown): number =>
    secondsUntil(((rar ?? []) as readonly GrantDetail[])[0]?.ExpirationDateTime)
  const signWith = deps.signingKeys[0]
  if (signWith === undefined) throw new Error(`tenant ${tenant.id} has no signing key`)
  // As wide as the widest client; what a client may do of it is in its metadata (clients.ts) and in the hooks.
  const capable = capabilitiesOf(tenant)
  if (capable.dpop && deps.nonceSecret === undefined) throw new Error(`tenant ${tenant.id} has no DPoP nonce secret`)

  return new Provider(issuer, {
    adapter: deps.adapter,
    jwks: {
      // The first matching key signs (measured), so the order of the configuration is the order of rotation.
      keys: [
        ...deps.signingKeys.map((key) => privateJwk(key, 'sig')),
        ...deps.encryptionKeys.map((key) => privateJwk(key, 'enc')),
      ],
    } as NonNullable<Configuration['jwks']>,
    clientAuthMethods: [...capable.authentication],
    clientDefaults: {
      token_endpoint_auth_method: 'private_key_jwt',
      id_token_signed_response_alg: 'PS256',
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      // Without it form_post would make doConfirm answer 200 HTML (measured).
      response_modes: ['query'],
      ...(capable.jarm ? { authorization_signed_response_alg: 'PS256' } : {}),
    },
    responseTypes: ['code'],
    scopes: [...SERVED_SCOPES],
    claims: { openid: ['sub', 'acr', 'auth_time'] },
    subjectTypes: ['public'],
    clockTolerance: SKEW_SECONDS,
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    acceptQueryParamAccessTokens: false,
    enabledJWA: {
      clientAuthSigningAlgValues: [...capable.signingAlgorithms],
      requestObjectSigningAlgValues: [...capable.signingAlgorithms],
      dPoPSigningAlgValues: [...DPOP_ALGORITHMS],
      authorizationSigningAlgValues: [...PS256],
      authorizationEncryptionAlgValues: [],
      authorizationEncryptionEncValues: [],
      requestObjectEncryptionAlgValues: ['RSA-OAEP-256'],
      requestObjectEncryptionEncValues: ['A256GCM'],
      idTokenSigningAlgValues: [...PS256],
      idTokenEncryptionAlgValues: [],
      idTokenEncryptionEncValues: [],
    },
    routes: {
      authorization: '/auth',
      jwks: '/jwks',
      pushed_authorization_request: pathOf('par'),
      token: pathOf('token'),
      revocation: pathOf('revocation'),
      introspection: pathOf('introspection'),
    },
    cookies: { long: { signed: false }, short: { signed: false } },
    ttl: {
      AuthorizationCode: 60,
      Interaction: interactionSeconds,
      Session: 60,
      IdToken: 600,
      ClientCredentials: accessTokenSeconds,
      // A token carries the consent as the TPP sees it, a grant and a refresh token the short form.
      AccessToken: (_ctx, token) =>
        Math.min(accessTokenSeconds, secondsUntil(lodged(token.rar)?.consent.Data.ExpirationDateTime)),
      RefreshToken: (_ctx, token) => secondsLeft(token.rar),
      Grant: (_ctx, grant) => secondsLeft(grant.rar),
    },
    extraTokenClaims: async (_ctx, token) => {
      const organisation = { org_id: await deps.organisationOf(token.clientId ?? '') }
      if (token.kind !== 'AccessToken') return organisation
      return { ...organisation, grant_id: token.grantId, consent_id: lodged(token.rar)?.consent.Data.ConsentId }
    },
    formats: {
      customizers: {
        // The same value fills the token and the token response; the JWT only says which consent, nothing about it.
        jwt: (_ctx, token, jwt) => {
          const detail = lodged(token.rar)
          if (detail !== undefined) {
            jwt.payload['authorization_details'] = [
              { type: detail.type, consent: { ConsentId: detail.consent.Data.ConsentId } },
            ]
          }
        },
      },
    },
    // The default ties tokens to a browser session, which does not exist here.
    expiresWithSession: async () => false,
    issueRefreshToken: async (_ctx, client, code) => client.grantTypeAllowed('refresh_token') && code.rar !== undefined,
    // FAPI 2.0 SP 5.3.2.1-10: no rotation; tokens are sender-constrained, and a lost answer must not lose the consent.
    rotateRefreshToken: false,
    interactions: { policy: interactionPolicy.base(), url: () => '/auth' },
    findAccount: async (_ctx, subject) => ({ accountId: subject, claims: async () => ({ sub: subject }) }),
    assertJwtClientAuthClaimsAndHeader: deps.assertion,
    renderError: async (ctx, out) => {
      // `out` may also hold the TPP's state, which is nobody else's business.
      ctx.type = 'application/json'
      ctx.body = { error: out.error, error_description: out.error_description }
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      // On for the authentication of the client; the engine itself refuses JWTs and revokes nothing (services/).
      revocation: { enabled: true, allowedPolicy: async () => false },
      introspection: { enabled: true, allowedPolicy: async () => false },
      clientCredentials: { enabled: true },
      encryption: { enabled: deps.encryptionKeys.length > 0 },
      fapi: { enabled: true, profile: '2.0' },
      pushedAuthorizationRequests: {
        enabled: true,
        requirePushedAuthorizationRequests: true,
        allowUnregisteredRedirectUris: false,
      },
      requestObjects: {
        enabled: true,
        requireSignedRequestObject: !capable.unsignedRequests,
        assertJwtClaimsAndHeader: deps.requestObject,
      },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        getCertificate: (ctx: KoaContextWithOIDC) => whoSent(ctx.req).certificate ?? undefined,
        tlsClientAuth: capable.authentication.includes('tls_client_auth'),
        ...tlsClientAuth(deps.sender ?? (() => {})),
      },
      dPoP: {
        enabled: capable.dpop,
        nonceSecret: deps.nonceSecret,
        requireNonce: () => true,
        allowReplay: false,
      },
      jwtResponseModes: { enabled: capable.jarm },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => resource,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (ctx: KoaContextWithOIDC, indicator: string) => {
          if (indicator !== resource) throw new errors.InvalidTarget('there is no such resource here')
          knownScopesOnly(ctx)
          unsignedPushRule(ctx, profileOf(tenant, ctx.oidc.client?.clientId ?? ''))
          return {
            scope: SERVED_SCOPES.join(' '),
            audience: resource,
            accessTokenFormat: 'jwt',
            accessTokenTTL: accessTokenSeconds,
            jwt: { sign: { alg: 'PS256', kid: signWith.kid } },
          }
        },
      },
      richAuthorizationRequests: {
        enabled: true,
        types: Object.fromEntries(SERVED_RAR_TYPES.map((type) => [type, { validate: deps.validateRar }])),
        authorizationDetailsForGrantSource: async (ctx: KoaContextWithOIDC) => ctx.oidc.entities.Grant?.rar,
        authorizationDetailsForAccessToken: async (
          _ctx: KoaContextWithOIDC,
          _token: unknown,
          source?: { readonly rar?: unknown },
        ) => {
          if (source === undefined)
            throw new errors.InvalidRequest('authorization_details is not a parameter of this grant')
          return [await liveConsent(source.rar)]
        },
        authorizationDetailsForIntrospection: async () => undefined,
      },
    } as unknown as NonNullable<Configuration['features']>,
  })

  /** The consent as it stands now; runs at redemption and at each refresh, so a dead consent refreshes nothing. */
  async function liveConsent(rar: unknown): Promise<ConsentDetail> {
    const [detail] = (rar ?? []) as readonly GrantDetail[]
    const id = toConsentId(detail?.ConsentId)
    const consent: Consent | null = id === null ? null : await consents.find(id)
    if (detail === undefined || consent === null) throw new errors.InvalidGrant('the consent does not exist')
    if (!REFRESHABLE.has(consent.status) || toInstant(detail.ExpirationDateTime) <= clock.now()) {
      throw new errors.InvalidGrant(`the consent is ${consent.status} as of ${iso(clock.now())}`)
    }
    return consentDetail(consent, resource, deps.paymentIdsOf)
  }
}

/** What `authorizationDetailsForAccessToken` put on the token: the consent as the TPP sees it. */
type LodgedDetail = {
  readonly type: string
  readonly consent: { readonly Data: { readonly ConsentId: string; readonly ExpirationDateTime: string } }
}
const lodged = (rar: unknown): LodgedDetail | undefined => ((rar ?? []) as readonly LodgedDetail[])[0]

/** Multi-authorization and suspension: tokens may be had, resources not (tpp-api 3.3). */
const REFRESHABLE: ReadonlySet<string> = new Set(['AwaitingAuthorization', 'Authorized', 'Suspended'])

/** The engine drops unknown scopes silently (measured); the contract wants invalid_scope. */
function knownScopesOnly(ctx: KoaContextWithOIDC): void {
  const asked = String(ctx.oidc.params?.['scope'] ?? '')
  const granted = new Set((ctx.oidc.client?.scope ?? '').split(' '))
  const foreign = asked.split(' ').filter((scope) => scope !== '' && !granted.has(scope))
  if (foreign.length > 0) throw new errors.InvalidScope('the scope is unknown or not open to this client', asked)
  if (asked === '' && ctx.oidc.route === 'token' && ctx.oidc.params?.['grant_type'] === 'client_credentials') {
    throw new errors.InvalidScope('scope is required for client_credentials', asked)
  }
}
