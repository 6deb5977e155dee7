/**
 * The `hh` door: headless authorization for the LFI (lfi-api 1). The LFI's server stands in for the browser, which
 * never meets the hub: the engine's two cookies hold nothing but the interaction id, so the id in the URL is all that
 * is needed to play them.
 */
import { decodeJwt } from 'jose'
import mount from 'koa-mount'
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import type { Audit, AuditEntry } from '../audit/index.ts'
import { receivedDigest } from '../body.ts'
import { HubError, toHubError } from '../errors.ts'
import { type ClientId, type ConsentId, type InteractionId, toClientId, toConsentId, toInteractionId } from '../ids.ts'
import type { AuthenticateLfi, LfiCaller } from '../lfi-caller.ts'
import type { HubApp, HubContext } from '../listener.ts'
import { resourceOf, UNEXPLAINED } from '../measure.ts'
import { measuredAs } from '../metrics.ts'
import { type Participants, tppView } from '../participants/index.ts'
import { hideBrowser, hideFromBrowser } from './browserless.ts'
import { redirectTo, returnFault, withPublishedError } from './error-redirect.ts'
import { errorIn } from './jarm.ts'
import { endJourney, type JourneyEndDeps } from './journey-end.ts'
import { answerOAuthError, type OAuthError, oauthErrorOf, oauthReasonOf, publishedCode } from './oauth-answer.ts'
import { clientIdOf } from './rar.ts'
import { fateOf } from './spent-request.ts'
import type { InUnit, Unit } from './unit-of-work.ts'

export type LfiSideDeps = JourneyEndDeps & {
  readonly inUnit: InUnit
  readonly participants: Participants
  readonly audit: Audit
  readonly authenticate: AuthenticateLfi
}

type Step = Extract<AuditEntry, { kind: 'authorization-step' }>['step']
export type HeadlessOperation = 'getAuth' | 'doConfirm' | 'doFail' | 'helloMtls'
type Operation = {
  readonly name: HeadlessOperation
  readonly route: string
  readonly step: Step | null
}
type Matched = { readonly operation: Operation; readonly interactionId: InteractionId | null }

const OPERATIONS: readonly (Operation & { readonly method: string; readonly path: RegExp })[] = [
  { name: 'getAuth', method: 'GET', path: /^\/auth$/, route: '/auth', step: 'get-auth' },
  {
    name: 'doConfirm',
    method: 'POST',
    path: /^\/auth\/([\w-]{1,128})\/doConfirm$/,
    route: '/auth/{interactionId}/doConfirm',
    step: 'do-confirm',
  },
  {
    name: 'doFail',
    method: 'POST',
    path: /^\/auth\/([\w-]{1,128})\/doFail$/,
    route: '/auth/{interactionId}/doFail',
    step: 'do-fail',
  },
  { name: 'helloMtls', method: 'GET', path: /^\/hello-mtls$/, route: '/hello-mtls', step: null },
]
/** What the audit entry of a call says; filled in as the call goes. */
type Trace = {
  matched: Matched | null
  caller: LfiCaller | null
  consentId: ConsentId | null
  clientId: ClientId | null
  /** Its entries are written, together with what it did. */
  isRecorded: boolean
}
type Next = () => Promise<unknown>

export function mountLfiSide(app: HubApp, deps: LfiSideDeps): void {
  app.use(async (ctx, next) => {
    const trace: Trace = { matched: null, caller: null, consentId: null, clientId: null, isRecorded: false }
    try {
      trace.matched = match(ctx)
      ctx.state.measured = measuredAs(trace.matched.operation.name)
      trace.caller = await deps.authenticate(ctx.state.peer, ctx.get('authorization') || undefined)
      await run(ctx, deps, trace, trace.matched, next)
    } catch (thrown) {
      renderFault(ctx, thrown)
    }
    hideFromBrowser(ctx)
    ctx.set('cache-control', 'no-store')
    if (!trace.isRecorded) await deps.audit.record(...(await entriesOf(ctx, deps, trace)))
  })
  app.use(mount(deps.provider) as Parameters<HubApp['use']>[0])
}

function match(ctx: HubContext): Matched {
  const onPath = OPERATIONS.filter((each) => each.path.test(ctx.path))
  const operation = onPath.find((each) => each.method === ctx.method)
  if (onPath.length === 0) throw new HubError('NotFound')
  if (operation === undefined) throw new HubError('MethodNotAllowed', { allow: onPath.map((each) => each.method) })
  return { operation, interactionId: toInteractionId(operation.path.exec(ctx.path)?.[1]) }
}

async function run(
  ctx: HubContext,
  deps: LfiSideDeps,
  trace: Trace,
  { operation, interactionId }: Matched,
  next: Next,
): Promise<void> {
  const { name } = operation
  if (name === 'helloMtls') return hello(ctx, deps)
  if (name === 'getAuth') return getAuth(ctx, deps, trace, next)
  if (interactionId === null) throw new HubError('NotFound')
  const write = async (unit: Unit) => {
    const [call, ...more] = await entriesOf(ctx, deps, trace)
    await unit.commit(async (tx) => void (await deps.audit.append(tx, call, ...more)))
    trace.isRecorded = true
  }
  return deps.inUnit((unit) =>
    endJourney(ctx, deps, {
      operation: name,
      interactionId,
      unit,
      about: (consent) => Object.assign(trace, { consentId: consent.id, clientId: consent.clientId }),
      write: () => write(unit),
      next,
    }),
  )
}

function hello(ctx: HubContext, deps: LfiSideDeps): void {
  const { peer } = ctx.state
  ctx.body = {
    connectionEstablished: true,
    mtlsStatus: 'established',
    hostName: new URL(deps.tenant.listeners.hh.origin).hostname,
    clientCertificate: { subject: peer?.subject ?? '', issuer: peer?.issuer ?? '' },
  }
}

/** The three outcomes of lfi-api 1.3.2: 200 with the interaction, 303 back to the TPP, 400 and no redirect ever. */
async function getAuth(ctx: HubContext, deps: LfiSideDeps, trace: Trace, next: Next): Promise<void> {
  hideBrowser(ctx)
  const client = toClientId(ctx.query['client_id'])
  trace.clientId = client
  await next()
  const oidc = (ctx as unknown as KoaContextWithOIDC).oidc
  const interaction = oidc?.entities.Interaction
  if (interaction === undefined) return notBegun(ctx, deps)
  const [detail] = JSON.parse(String(interaction.params['authorization_details'])) as readonly {
    consent: { ConsentId: string }
  }[]
  const consentId = toConsentId(detail?.consent.ConsentId)
  const interactionId = toInteractionId(interaction.uid)
  const participant = await deps.participants.client(clientIdOf(ctx as unknown as KoaContextWithOIDC))
  if (consentId === null || interactionId === null || participant === null)
    throw new Error('an interaction without consent or client')
  trace.consentId = consentId
  try {
    await deps.consents.linkInteraction(consentId, interactionId, {
      by: 'lfi',
      organisationId: trace.caller?.organisationId ?? null,
      clientId: trace.caller?.clientId ?? null,
      softwareStatementId: null,
      interactionId: ctx.state.correlationId,
    })
  } catch (thrown) {
    // The client is known by now, so whatever went wrong goes back to it.
    await interaction.destroy()
    return returnFault(ctx, deps, interaction.params, thrown)
  }
  const scope = String(interaction.params['scope'])
  ctx.remove('location')
  ctx.status = 200
  ctx.body = {
    interaction: {
      interactionId,
      params: {
        client_id: interaction.params['client_id'],
        response_type: 'code',
        scope,
        scopes: scope.split(' '),
        request: oidc.entities.PushedAuthorizationRequest?.request,
        claims: {},
        redirect_uri: interaction.params['redirect_uri'],
        authorization_details: [detail],
        ...(interaction.params['login_hint'] === undefined ? {} : { login_hint: interaction.params['login_hint'] }),
        ...maxAgeIn(oidc.entities.PushedAuthorizationRequest?.request),
      },
      claims: {},
      status: 'AwaitingAuthorization',
      consentIdsList: [consentId],
      interactionStartedAt: ctx.state.receivedAt,
    },
    tpp: tppView(participant),
  }
}

/**
 * As the TPP asked for it. The engine makes a login prompt of 0 and forgets the number; the LFI, which does the
 * authenticating, must see it.
 */
function maxAgeIn(request: string | undefined): { readonly max_age?: number } {
  const { max_age: maxAge } = request === undefined ? {} : decodeJwt(request)
  return maxAge === undefined ? {} : { max_age: Number(maxAge) }
}

/** Everything that begins no journey: as the engine judged it, but for what it does not tell apart. */
async function notBegun(ctx: HubContext, deps: LfiSideDeps): Promise<void> {
  const fate = await fateOf(deps, ctx.query)
  if (fate.kind === 'foreign') {
    ctx.remove('location')
    return answerOAuthError(ctx, 400, 'invalid_client', 'the request_uri was pushed by another client')
  }
  if (ctx.status === 303) return redirectTo(ctx, await withPublishedError(deps.provider, ctx.response.get('location')))
  if (fate.kind === 'spent') return redirectTo(ctx, fate.location)
  const body = ctx.body as Partial<OAuthError> | undefined
  answerOAuthError(
    ctx,
    400,
    publishedCode(body?.error ?? 'server_error'),
    body?.error_description ?? 'the authorization request is not valid',
  )
}

function renderFault(ctx: HubContext, thrown: unknown): void {
  ctx.remove('location')
  if (thrown instanceof errors.OIDCProviderError && thrown.expose) {
    const why = thrown.error_description ?? thrown.message
    answerOAuthError(ctx, thrown.statusCode, publishedCode(thrown.error), why)
    return
  }
  const error = toHubError(thrown)
  if (error.status >= 500) ctx.state.log.error({ err: error.options.cause ?? error }, 'headless authorization failed')
  if (error.options.allow !== undefined) ctx.set('allow', error.options.allow.join(', '))
  const code = error.status === 401 ? 'invalid_client' : error.status >= 500 ? 'server_error' : 'invalid_request'
  answerOAuthError(ctx, error.status, code, error.reason)
}

async function entriesOf(ctx: HubContext, deps: LfiSideDeps, trace: Trace): Promise<[AuditEntry, ...AuditEntry[]]> {
  const common = { at: deps.clock.now(), interactionId: ctx.state.correlationId, tenantId: deps.tenant.id }
  const redirected = ctx.status === 303 ? errorIn(ctx.response.get('location')) : null
  const error = oauthErrorOf(ctx) ?? redirected
  const operation = trace.matched?.operation ?? null
  const call: AuditEntry = {
    ...common,
    at: ctx.state.receivedAt,
    kind: 'lfi-request',
    surface: 'hh',
    operationId: operation?.name ?? null,
    method:
      operation === null ? ctx.method : operation.name === 'getAuth' || operation.name === 'helloMtls' ? 'GET' : 'POST',
    route: operation?.route ?? null,
    status: ctx.status,
    errorCode: error,
    consentId: trace.consentId,
    callerClientId: trace.caller?.clientId ?? null,
    hubMs: performance.now() - ctx.state.startedAt,
    resource: resourceOf(operation?.route ?? null),
    ...UNEXPLAINED,
    expected: oauthReasonOf(ctx),
    requestDigest: receivedDigest(ctx.req),
    // The push with which the journey began.
    parentInteractionId: trace.consentId === null ? null : await deps.consents.lodgedBy(trace.consentId),
  }
  if (operation === null || operation.step === null) return [call]
  const done = ctx.status < 400 && (error === null || operation.name === 'doFail')
  return [
    call,
    {
      ...common,
      kind: 'authorization-step',
      step: operation.step,
      outcome: done ? 'done' : 'refused',
      error,
      clientId: trace.clientId,
      consentId: trace.consentId,
    },
  ]
}
