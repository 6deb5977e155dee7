/**
 * The `as` door: pushed authorization requests and tokens. Around the engine stand the checks that are the hub's own:
 * which routes exist, the transport certificate, the lodging of the consent, and the audit entry before the answer.
 */
import mount from 'koa-mount'
import type { errors, KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Audit, AuditEntry } from '../audit/index.ts'
import { mediaType } from '../body.ts'
import { type Clock, type Instant, secondsToMilliseconds, toInstant } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import type { ConsentStore } from '../consent-store/index.ts'
import { type Db, inTransaction } from '../db.ts'
import { type ClientId, type ConsentId, toClientId, toConsentId } from '../ids.ts'
import type { SigningKey } from '../jose.ts'
import type { HubApp, HubContext } from '../listener.ts'
import { type Participants, tppView } from '../participants/index.ts'
import { hideBrowser, hideFromBrowser } from './browserless.ts'
import { clientFault } from './clients.ts'
import { addClaims } from './id-token-claims.ts'
import { answerOAuthError, explain, type OAuthError, oauthErrorOf } from './oauth-answer.ts'
import type { GrantDetail } from './provider.ts'
import { type AccountAccessDetail, clientIdOf } from './rar.ts'

type Oidc = KoaContextWithOIDC['oidc']
type Step = Extract<AuditEntry, { kind: 'authorization-step' }>['step']

export type TppSideDeps = {
  readonly tenant: TenantConfig
  readonly provider: Provider
  readonly db: Db
  readonly consents: ConsentStore
  readonly participants: Participants
  readonly audit: Audit
  readonly clock: Clock
  readonly signingKeys: readonly SigningKey[]
}

const ROUTES: ReadonlyMap<string, 'par' | 'token'> = new Map([
  ['/par', 'par'],
  ['/token', 'token'],
])
const FORM = 'application/x-www-form-urlencoded'
/** The engine's own limit, for which it would answer 400 (tpp-api 2.10 has 413). */
const BODY_BYTES_MAX = 56 * 1024
/** Never kept with the consent: credentials, and what identifies a browser session. */
const HEADERS_DROPPED = new Set(['authorization', 'cookie', 'dpop', 'proxy-authorization'])

export function mountTppSide(app: HubApp, deps: TppSideDeps): void {
  const thrown = new WeakMap<object, errors.OIDCProviderError>()
  const remember = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError) => thrown.set(ctx.req, error)
  deps.provider.on('grant.error', remember)
  deps.provider.on('pushed_authorization_request.error', remember)

  app.use(async (ctx, next) => {
    const operation = ROUTES.get(ctx.path)
    try {
      if (guard(ctx, operation)) await next()
    } catch (error) {
      ctx.state.log.error({ err: error }, 'authorization server failed')
      answerOAuthError(ctx, 500, 'server_error', 'the request could not be completed; repeating it may succeed')
    }
    hideFromBrowser(ctx)
    if (oauthErrorOf(ctx) !== null) await refine(ctx, deps, thrown.get(ctx.req))
    await record(ctx, deps, operation ?? null)
  })
  app.use(async (ctx, next) => {
    hideBrowser(ctx)
    await next()
    const oidc = oidcOf(ctx)
    if (oidc?.route === 'pushed_authorization_request' && ctx.status === 201) await lodge(ctx, deps, oidc)
    if (oidc?.route === 'token' && ctx.status === 200) await completeToken(ctx, deps, oidc)
  })
  app.use(mount(deps.provider) as Parameters<HubApp['use']>[0])
}

function guard(ctx: HubContext, operation: 'par' | 'token' | undefined): boolean {
  const empty = (status: number) => {
    ctx.body = null
    ctx.status = status
    return false
  }
  if (operation === undefined) return empty(404)
  if (ctx.method !== 'POST') {
    ctx.set('allow', 'POST')
    return empty(405)
  }
  if (Number(ctx.get('content-length')) > BODY_BYTES_MAX) return empty(413)
  const refuse = (status: number, error: string, why: string) => {
    answerOAuthError(ctx, status, error, why)
    return false
  }
  if (ctx.state.correlationMalformed) return refuse(400, 'invalid_request', 'x-fapi-interaction-id must be a UUID')
  if (ctx.state.peer === null) return refuse(401, 'invalid_client', 'a transport certificate is required on this host')
  if (!ctx.state.peer.trusted) {
    return refuse(401, 'invalid_client', 'the transport certificate is not issued by the trust framework')
  }
  if (mediaType(ctx.get('content-type')) !== FORM)
    return refuse(400, 'invalid_request', `the content type must be ${FORM}`)
  return true
}

/**
 * Everything about the request is validated and its answer has not left: now the consent comes to be, together with
 * its audit entry. A ConsentId that somebody else got in first with undoes the push.
 */
async function lodge(ctx: HubContext, deps: TppSideDeps, oidc: Oidc): Promise<void> {
  const clientId = clientIdOf(ctx as unknown as KoaContextWithOIDC)
  const client = await deps.participants.client(clientId)
  const [detail] = JSON.parse(String(oidc.params?.['authorization_details'])) as readonly [AccountAccessDetail]
  const consentId = toConsentId(detail.consent.ConsentId)
  if (client === null || consentId === null) throw new Error('an authenticated push without client or consent id')
  const pushed = ctx.body as { readonly request_uri: string }
  const outcome = await inTransaction(deps.db, async (tx) => {
    const lodged = await deps.consents.lodge(
      tx,
      {
        consentId,
        clientId,
        organisationId: client.organisationId,
        rarType: detail.type,
        request: detail,
        requestHeaders: Object.fromEntries(
          Object.entries(ctx.headers).flatMap(([name, value]) =>
            HEADERS_DROPPED.has(name) || value === undefined ? [] : [[name, String(value)]],
          ),
        ),
        requestUrl: `${deps.tenant.listeners.as.origin}/par`,
        tpp: tppView(client),
        scope: String(oidc.params?.['scope']),
        authorizeBy: authorizeBy(deps, detail),
        interactionId: ctx.state.correlationId,
      },
      {
        by: 'tpp',
        organisationId: client.organisationId,
        clientId,
        softwareStatementId: client.softwareStatementId,
        interactionId: ctx.state.correlationId,
      },
    )
    if (lodged === 'lodged') await deps.consents.attachPar(tx, consentId, pushed.request_uri)
    return lodged
  })
  if (outcome === 'duplicate') {
    await oidc.entities.PushedAuthorizationRequest?.destroy()
    answerOAuthError(ctx, 400, 'invalid_request', 'authorization_details[0].consent.ConsentId was used before')
    return
  }
  ctx.body = { ...pushed, expires_in: deps.tenant.lifetimes.requestUriSeconds }
}

function authorizeBy(deps: TppSideDeps, detail: AccountAccessDetail): Instant {
  const window = deps.clock.now() + secondsToMilliseconds(deps.tenant.lifetimes.authorizationWindowSeconds)
  return Math.min(window, toInstant(detail.consent.ExpirationDateTime)) as Instant
}

/**
 * What the engine's answer lacks and what it has too much: the LFI's own claims, which came with doConfirm and wait at
 * the grant; and the refresh token, which stays the same and has no place in the answer to its use (tpp-api 3.2).
 */
async function completeToken(ctx: HubContext, deps: TppSideDeps, oidc: Oidc): Promise<void> {
  const { refresh_token: refreshToken, ...answer } = ctx.body as Readonly<Record<string, unknown>>
  const isFirst = oidc.params?.['grant_type'] === 'authorization_code'
  const claims = grantDetailOf(oidc)?.idTokenClaims ?? {}
  const [key] = deps.signingKeys
  const { id_token: idToken } = answer
  const adds = typeof idToken === 'string' && key !== undefined && Object.keys(claims).length > 0
  ctx.body = {
    ...answer,
    ...(isFirst ? { refresh_token: refreshToken } : {}),
    ...(adds ? { id_token: await addClaims(idToken, claims, key) } : {}),
  }
}

async function refine(ctx: HubContext, deps: TppSideDeps, error: errors.OIDCProviderError | undefined): Promise<void> {
  const claimed = claimedClient(ctx, oidcOf(ctx))
  const own = ctx.state.peer?.trusted === true && claimed !== null && ctx.state.peer.commonName === claimed
  if (isUnauthenticated(oidcOf(ctx))) {
    ctx.status = 401
    ctx.body = { ...(ctx.body as OAuthError), error: 'invalid_client' } satisfies OAuthError
  }
  if (own && oauthErrorOf(ctx) === 'invalid_client') {
    const fault = await clientFault(deps.participants, claimed)
    if (fault !== null) return answerOAuthError(ctx, ctx.status, 'invalid_client', fault)
  }
  explain(ctx, error, own)
}

/**
 * To the engine a missing or unreadable assertion is a malformed request, to the contract a client that has not
 * authenticated (tpp-api 2.10, 3.4). Only a repeated parameter is malformed before it is looked into.
 */
function isUnauthenticated(oidc: Oidc | undefined): boolean {
  if (oidc?.params === undefined || oidc.client !== undefined) return false
  return !Object.values((oidc.body ?? {}) as Readonly<Record<string, unknown>>).some(Array.isArray)
}

/** The client that the request speaks of, authenticated or not: only for telling its own TPP what went wrong. */
function claimedClient(ctx: HubContext, oidc: Oidc | undefined): ClientId | null {
  const authenticated = toClientId(oidc?.client?.clientId)
  if (authenticated !== null) return authenticated
  return toClientId(oidc?.params?.['client_id'] ?? ctx.state.peer?.commonName)
}

async function record(ctx: HubContext, deps: TppSideDeps, operation: 'par' | 'token' | null): Promise<void> {
  const oidc = oidcOf(ctx)
  const client = oidc?.client === undefined ? null : toClientId(oidc.client.clientId)
  const error = oauthErrorOf(ctx)
  const common = { at: deps.clock.now(), interactionId: ctx.state.correlationId, tenantId: deps.tenant.id }
  const entries: AuditEntry[] = [
    {
      ...common,
      kind: 'tpp-call',
      surface: 'as',
      clientId: client,
      organisationId: ctx.state.peer?.trusted === true ? ctx.state.peer.organisationId : null,
      operationId: operation,
      method: ctx.method,
      route: operation === null ? null : ctx.path,
      status: ctx.status,
      errorCode: error,
      consentId: consentIdOf(oidc),
      attended: false,
      hubMs: Math.round(performance.now() - ctx.state.startedAt),
      lfiMs: null,
      lfiStatus: null,
      records: null,
    },
  ]
  const step = stepOf(operation, oidc)
  if (step !== null) {
    entries.push({
      ...common,
      kind: 'authorization-step',
      step,
      outcome: error === null ? 'done' : 'refused',
      error,
      clientId: client,
      consentId: consentIdOf(oidc),
    })
  }
  await deps.audit.record(...entries)
}

const STEP_OF_GRANT: ReadonlyMap<unknown, Step> = new Map([
  ['authorization_code', 'token-code'],
  ['refresh_token', 'token-refresh'],
  ['client_credentials', 'token-client-credentials'],
])

function stepOf(operation: 'par' | 'token' | null, oidc: Oidc | undefined): Step | null {
  if (operation === null) return null
  return operation === 'par' ? 'par' : (STEP_OF_GRANT.get(oidc?.params?.['grant_type']) ?? null)
}

function consentIdOf(oidc: Oidc | undefined): ConsentId | null {
  return toConsentId(grantDetailOf(oidc)?.ConsentId)
}

const grantDetailOf = (oidc: Oidc | undefined): GrantDetail | undefined =>
  ((oidc?.entities.Grant?.rar ?? []) as unknown as readonly GrantDetail[])[0]

const oidcOf = (ctx: HubContext): Oidc | undefined => (ctx as unknown as { readonly oidc?: Oidc }).oidc
