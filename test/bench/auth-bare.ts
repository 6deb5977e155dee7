/**
 * The yardstick of the authorization server: oidc-provider with the same algorithms and features behind the same TLS,
 * its records in memory, and the few lines that it takes to complete a journey without a browser. No consent is kept,
 * no participant looked up, nothing written down.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import Koa from 'koa'
import mount from 'koa-mount'
import { type Adapter, type AdapterPayload, type Configuration, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import { type JWK, loadKey, privateJwk } from '../../src/jose.ts'
import { Secret } from '../../src/secret.ts'
import { TLS_PROFILE } from '../../src/tls.ts'

export type BareSettings = {
  readonly origin: string
  readonly cert: string
  readonly key: string
  readonly ca: string
  readonly signing: { readonly kid: string; readonly keyFile: string }
  readonly client: { readonly id: string; readonly redirectUri: string; readonly key: JWK }
  readonly rarType: string
}

const settings = JSON.parse(process.argv[2] ?? '{}') as BareSettings
const RESOURCE = 'https://resource.example'
const SCOPE = 'openid accounts'
const key = loadKey({
  kid: settings.signing.kid,
  key: new Secret(readFileSync(settings.signing.keyFile, 'utf8')),
})

const records = new Map<string, AdapterPayload>()
/** The library's own adapter forgets beyond a thousand records. */
const inMemory = (model: string): Adapter => ({
  upsert: async (id, payload) => void records.set(`${model}/${id}`, payload),
  find: async (id) => records.get(`${model}/${id}`),
  consume: async (id) => {
    const known = records.get(`${model}/${id}`)
    if (known !== undefined) known.consumed = Math.floor(Date.now() / 1000)
  },
  destroy: async (id) => void records.delete(`${model}/${id}`),
  findByUid: async () => undefined,
  findByUserCode: async () => undefined,
  revokeByGrantId: async () => {},
})

const provider = new Provider(settings.origin, {
  adapter: inMemory,
  clients: [
    {
      client_id: settings.client.id,
      redirect_uris: [settings.client.redirectUri],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'PS256',
      request_object_signing_alg: 'PS256',
      id_token_signed_response_alg: 'PS256',
      authorization_details_types: [settings.rarType],
      scope: SCOPE,
      tls_client_certificate_bound_access_tokens: true,
      jwks: { keys: [settings.client.key] },
    },
  ] as unknown as NonNullable<Configuration['clients']>,
  jwks: { keys: [privateJwk(key, 'sig')] } as NonNullable<Configuration['jwks']>,
  clientAuthMethods: ['private_key_jwt'],
  responseTypes: ['code'],
  scopes: SCOPE.split(' '),
  clockTolerance: 10,
  pkce: { required: () => true },
  enabledJWA: {
    clientAuthSigningAlgValues: ['PS256'],
    requestObjectSigningAlgValues: ['PS256'],
    idTokenSigningAlgValues: ['PS256'],
  },
  routes: { authorization: '/auth', pushed_authorization_request: '/par', token: '/token' },
  cookies: { long: { signed: false }, short: { signed: false } },
  ttl: { AccessToken: 600, AuthorizationCode: 60, ClientCredentials: 600, Grant: 3600, IdToken: 600, Interaction: 600 },
  expiresWithSession: async () => false,
  issueRefreshToken: async () => true,
  rotateRefreshToken: false,
  interactions: { url: () => '/auth' },
  findAccount: async (_ctx, subject) => ({ accountId: subject, claims: async () => ({ sub: subject }) }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    fapi: { enabled: true, profile: '2.0' },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
    requestObjects: { enabled: true, requireSignedRequestObject: true },
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      getCertificate: (ctx: KoaContextWithOIDC) => (ctx.req.socket as TLSSocket).getPeerX509Certificate(),
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => RESOURCE,
      useGrantedResource: async () => true,
      getResourceServerInfo: async () => ({
        scope: SCOPE,
        audience: RESOURCE,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: 'PS256', kid: key.kid } },
      }),
    },
    richAuthorizationRequests: {
      enabled: true,
      types: { [settings.rarType]: { validate: async () => {} } },
      authorizationDetailsForGrantSource: async (ctx: KoaContextWithOIDC) => ctx.oidc.entities.Grant?.rar,
      authorizationDetailsForAccessToken: async (_ctx: unknown, _token: unknown, source?: { readonly rar?: unknown }) =>
        source?.rar,
      authorizationDetailsForIntrospection: async () => undefined,
    },
  } as unknown as NonNullable<Configuration['features']>,
})

const app = new Koa()
app.use(async (ctx, next) => {
  delete ctx.req.headers.cookie
  const interactionId = /^\/auth\/([\w-]+)\/doConfirm$/.exec(ctx.path)?.[1]
  if (interactionId !== undefined) await confirm(ctx as unknown as KoaContextWithOIDC, interactionId)
  await next()
  const interaction = (ctx as unknown as KoaContextWithOIDC).oidc?.entities.Interaction
  if (ctx.path === '/auth' && interaction !== undefined) {
    ctx.remove('location')
    ctx.status = 200
    ctx.body = { interaction: { interactionId: interaction.uid, params: interaction.params } }
  }
})
app.use(mount(provider) as Parameters<Koa['use']>[0])

/** What a browser would bring back: the two cookies of the interaction, and its result. */
async function confirm(ctx: KoaContextWithOIDC, interactionId: string): Promise<void> {
  const interaction = await provider.Interaction.find(interactionId)
  if (interaction === undefined) throw new Error('no such interaction')
  const accountId = randomUUID()
  const grant = new provider.Grant({ clientId: settings.client.id, accountId })
  grant.addOIDCScope(SCOPE)
  grant.addResourceScope(RESOURCE, SCOPE)
  for (const detail of JSON.parse(String(interaction.params['authorization_details']))) grant.addRar(detail)
  const cookies = ['interaction', 'resume'] as const
  ctx.req.headers.cookie = cookies.map((name) => `${provider.cookieName(name)}=${interactionId}`).join('; ')
  const result = { login: { accountId, remember: false }, consent: { grantId: await grant.save() } }
  const address = await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false })
  ctx.method = 'GET'
  ctx.path = new URL(address).pathname
}

createServer(
  {
    ...TLS_PROFILE,
    cert: readFileSync(settings.cert),
    key: readFileSync(settings.key),
    ca: readFileSync(settings.ca),
    requestCert: true,
    rejectUnauthorized: true,
    keepAliveTimeout: 60_000,
  },
  app.callback(),
).listen(Number(new URL(settings.origin).port), '127.0.0.1', () => process.send?.('ready'))
process.once('disconnect', () => process.exit(0))
