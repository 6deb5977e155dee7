/**
 * The `as` door: pushed authorization requests, tokens, and what a client may do with its tokens besides. Around the
 * engine stand the checks that are the hub's own: which routes exist, how often, the transport certificate, the lodging
 * of the consent, and the audit entry before the answer.
 */
import mount from 'koa-mount'
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider'
import type { Audit } from '../audit/index.ts'
import { mediaType, watchBody } from '../body.ts'
import { whoSent } from '../caller.ts'
import type { Clock } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import type { ConsentStore } from '../consent-store/index.ts'
import type { Db } from '../db.ts'
import type { Dpop } from '../dpop.ts'
import { type ClientId, toClientId } from '../ids.ts'
import type { KeyRing } from '../keys/index.ts'
import type { ConsentActions } from '../lfi/index.ts'
import type { HubApp, HubContext } from '../listener.ts'
import { measuredAs } from '../metrics.ts'
import type { Participants } from '../participants/index.ts'
import { type Capabilities, capabilitiesOf } from '../profiles.ts'
import { callerOf, createRateLimit, type RateLimit } from '../rate-limit.ts'
import { whyDistrusted } from '../tls.ts'
import { hideBrowser, hideFromBrowser } from './browserless.ts'
import { clientFault } from './clients.ts'
import type { PaymentIdsOf } from './consent-detail.ts'
import type { KeptAnswers } from './kept-answers.ts'
import { lodge } from './lodging.ts'
import { answerOAuthError, explain, type OAuthError, oauthErrorOf } from './oauth-answer.ts'
import { createTokenServices } from './services/index.ts'
import { answerTokenFault, TokenFault } from './services/presented-token.ts'
import { answerAgain, completeToken } from './token-answer.ts'
import { operationAt, type TppOperation } from './tpp-operations.ts'
import { commonOf, consentOf, entriesOf, type Oidc, oidcOf, type TppTrace } from './tpp-records.ts'
import { currentUnit, type InUnit, type Unit } from './unit-of-work.ts'

export type TppSideDeps = {
  readonly tenant: TenantConfig
  readonly provider: Provider
  readonly db: Db
  readonly consents: ConsentStore
  readonly paymentIdsOf: PaymentIdsOf
  readonly participants: Participants
  readonly consentActions: ConsentActions
  readonly audit: Audit
  readonly clock: Clock
  readonly keys: KeyRing
  readonly dpop: Dpop | null
  readonly answers: KeptAnswers
  readonly inUnit: InUnit
}

/** Each changes what is there, and is answered when all of it is written. */
const IN_A_UNIT: ReadonlySet<string> = new Set(['par', 'token'])
const NOTHING_YET = { clientId: null, consentId: null, parentInteractionId: null, stepRecorded: false }
const TOO_DEEP = 'a JWT of the request is nested too deeply'
const FORM = 'application/x-www-form-urlencoded'
/** The engine's own limit, for which it would answer 400 (tpp-api 2.10 has 413). */
const BODY_BYTES_MAX = 56 * 1024

export function mountTppSide(app: HubApp, deps: TppSideDeps): void {
  const thrown = new WeakMap<object, errors.OIDCProviderError>()
  const tooDeep = new WeakSet<object>()
  const remember = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError) => thrown.set(ctx.req, error)
  deps.provider.on('grant.error', remember)
  deps.provider.on('pushed_authorization_request.error', remember)
  deps.provider.on('revocation.error', remember)
  deps.provider.on('introspection.error', remember)
  // Lists in lists, thousands deep, are more than a copy of them can be made of: the request's fault and nobody else's.
  deps.provider.on('server_error', (ctx, error) => {
    if (error instanceof RangeError) tooDeep.add(ctx.req)
  })
  const services = createTokenServices(deps)
  const rateLimit = createRateLimit(deps.tenant.limits.requestsPerSecond)
  const capable = capabilitiesOf(deps.tenant)
  const traces = new WeakMap<object, TppTrace>()

  const handle = async (ctx: HubContext, next: () => Promise<unknown>, trace: TppTrace, unit: Unit | null) => {
    const { operation } = trace
    try {
      if (guard(ctx, operation, { rateLimit, capable })) {
        if (operation?.name === 'userinfo') await services.userinfo(ctx, trace)
        else await next()
      }
    } catch (error) {
      answerFailure(ctx, error)
    }
    hideFromBrowser(ctx)
    const refused = oauthErrorOf(ctx) !== null && operation?.authenticates === 'client'
    // Of its own refusals the hub says what is to be said: a `server_error` of its own is not the engine's.
    if (refused && tooDeep.has(ctx.req)) answerOAuthError(ctx, 400, 'invalid_request', TOO_DEEP)
    else if (refused) await refine(ctx, deps, thrown.get(ctx.req))
    if (refused) unit?.withdraw()
    try {
      await write(ctx, deps, trace, unit)
    } catch (error) {
      await refuseLate(ctx, deps, unit, error)
      await write(ctx, deps, trace, unit)
    }
  }
  app.use(async (ctx, next) => {
    const operation = operationAt(ctx.path)
    const trace: TppTrace = { operation, ...NOTHING_YET, lfiCalls: [] }
    if (operation?.name === 'par') watchBody(ctx.req)
    traces.set(ctx.req, trace)
    ctx.state.measured = measuredAs(operation?.name ?? null)
    try {
      if (operation === null || !IN_A_UNIT.has(operation.name)) await handle(ctx, next, trace, null)
      else await deps.inUnit((unit) => handle(ctx, next, trace, unit))
    } catch (error) {
      answerFailure(ctx, error)
    }
  })
  app.use(async (ctx, next) => {
    hideBrowser(ctx)
    await next()
    const oidc = oidcOf(ctx)
    const trace = traces.get(ctx.req)
    const unit = currentUnit()
    if (oidc === undefined || trace === undefined) return
    if (oidc.route === 'revocation') await services.revocation(ctx, oidc, trace)
    if (oidc.route === 'introspection') await services.introspection(ctx, oidc, trace)
    if (unit === null) return
    if (oidc.route === 'pushed_authorization_request' && ctx.status === 201) await lodge(ctx, deps, oidc, unit, trace)
    if (oidc.route === 'token' && ctx.status === 200) await completeToken(ctx, deps, oidc, unit)
    // The engine has seen a code that was used before.
    else if (oidc.route === 'token' && unit.endsGrant()) await answerAgain(ctx, deps, oidc, unit)
  })
  app.use(mount(deps.provider) as Parameters<HubApp['use']>[0])
}

function guard(
  ctx: HubContext,
  operation: TppOperation | null,
  { rateLimit, capable }: { readonly rateLimit: RateLimit; readonly capable: Capabilities },
): boolean {
  const empty = (status: number) => {
    ctx.body = null
    ctx.status = status
    return false
  }
  if (operation === null) return empty(404)
  if (!operation.methods.includes(ctx.method)) {
    ctx.set('allow', operation.methods.join(', '))
    return empty(405)
  }
  const { peer, receivedAt } = ctx.state
  const wait = rateLimit.take(callerOf(peer, whoSent(ctx.req).address), receivedAt)
  if (wait !== null) {
    ctx.set('retry-after', String(wait))
    return empty(429)
  }
  if (Number(ctx.get('content-length')) > BODY_BYTES_MAX) return empty(413)
  if (ctx.state.correlationMalformed) {
    answerOAuthError(ctx, 400, 'invalid_request', 'x-fapi-interaction-id must be a UUID')
    return false
  }
  const fault = certificateFault(ctx, capable)
  if (operation.authenticates === 'access-token') {
    if (fault !== null) answerTokenFault(ctx, new TokenFault('invalid_token', fault), null)
    return fault === null
  }
  if (fault !== null) answerOAuthError(ctx, 401, 'invalid_client', fault)
  else if (mediaType(ctx.get('content-type')) !== FORM)
    answerOAuthError(ctx, 400, 'invalid_request', `the content type must be ${FORM}`)
  else return true
  return false
}

function certificateFault(
  { state: { peer, receivedAt } }: HubContext,
  { withoutCertificate }: Capabilities,
): string | null {
  // Where some client may come without, whether this one may is known once it has authenticated (sender-rule.ts).
  if (peer === null) return withoutCertificate ? null : 'a transport certificate is required on this host'
  if (!peer.trusted) return `the transport certificate ${whyDistrusted(peer)}`
  // A connection may outlive the certificate that opened it.
  return peer.expiresAt <= receivedAt ? 'the transport certificate has expired' : null
}

function answerFailure(ctx: HubContext, error: unknown): void {
  ctx.state.log.error({ err: error }, 'authorization server failed')
  answerOAuthError(ctx, 500, 'server_error', 'the request could not be completed; repeating it may succeed')
}

/** What the request did and its audit entries, together; only then is it answered. */
async function write(ctx: HubContext, deps: TppSideDeps, trace: TppTrace, unit: Unit | null): Promise<void> {
  // Codes and refresh tokens come from the push that the consent came with; a read of what they open does not.
  const consentId = trace.operation?.name === 'token' ? consentOf(ctx, trace) : null
  trace.parentInteractionId = consentId === null ? null : await deps.consents.lodgedBy(consentId)
  const [call, ...more] = entriesOf(ctx, commonOf(ctx, deps.clock.now(), deps.tenant.id), trace)
  if (unit === null || unit.isEmpty()) return deps.audit.record(call, ...more)
  await unit.commit(async (tx) => void (await deps.audit.append(tx, call, ...more)))
}

/**
 * While the request was at work somebody else used what may be used once: the ConsentId, the code, the assertion. What
 * it did is not written. If the assertion was not its own, the request counts for nothing at all.
 */
async function refuseLate(ctx: HubContext, deps: TppSideDeps, unit: Unit | null, error: unknown): Promise<void> {
  if (unit === null || !(error instanceof errors.OIDCProviderError)) throw error
  if (error instanceof errors.InvalidClientAuth) unit.forget()
  else unit.withdraw()
  const oidc = oidcOf(ctx)
  if (error instanceof errors.InvalidGrant && oidc !== undefined && (await answerAgain(ctx, deps, oidc, unit))) return
  const { statusCode, error: code, error_description: description } = error
  answerOAuthError(ctx, statusCode, code, description ?? code)
  await refine(ctx, deps, error)
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
  // To the engine it is a matter of the grant or of the request; RFC 9449 5 has a code for it.
  if ([error?.error_detail, error?.error_description].includes('DPoP proof JWT Replay detected')) {
    return answerOAuthError(ctx, 400, 'invalid_dpop_proof', 'the proof was used before')
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
