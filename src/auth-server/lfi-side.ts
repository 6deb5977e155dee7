/**
 * The `hh` door: headless authorization for the LFI (lfi-api 1). The LFI's server stands in for the browser, which
 * never meets the hub: the engine's two cookies hold nothing but the interaction id, so the id in the URL is all that
 * is needed to play them.
 */
import mount from 'koa-mount'
import { errors, type InteractionResults, type KoaContextWithOIDC } from 'oidc-provider'
import type { Audit, AuditEntry } from '../audit/index.ts'
import { mediaType, parseForm, readBody } from '../body.ts'
import { inTransaction } from '../db.ts'
import { HubError, toHubError } from '../errors.ts'
import { type ClientId, type ConsentId, type InteractionId, toClientId, toConsentId, toInteractionId } from '../ids.ts'
import type { AuthenticateLfi, LfiCaller } from '../lfi-caller.ts'
import type { HubApp, HubContext } from '../listener.ts'
import { type Participants, tppView } from '../participants/index.ts'
import { hideBrowser, hideFromBrowser } from './browserless.ts'
import { type CompletionDeps, confirmation, failure } from './completion.ts'
import { errorLocation } from './error-redirect.ts'
import { claimsIn } from './id-token-claims.ts'
import {
  answerOAuthError,
  authorizationCode,
  type OAuthError,
  oauthErrorOf,
  printable,
  publishedCode,
} from './oauth-answer.ts'
import { clientIdOf } from './rar.ts'
import { fateOf } from './spent-request.ts'

export type LfiSideDeps = CompletionDeps & {
  readonly participants: Participants
  readonly audit: Audit
  readonly authenticate: AuthenticateLfi
}

type Step = Extract<AuditEntry, { kind: 'authorization-step' }>['step']
type Operation = {
  readonly name: 'getAuth' | 'doConfirm' | 'doFail' | 'helloMtls'
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
const FORM = 'application/x-www-form-urlencoded'
const FORM_BYTES_MAX = 16_384

/** What the audit entry of a call says; filled in as the call goes. */
type Trace = {
  matched: Matched | null
  caller: LfiCaller | null
  consentId: ConsentId | null
  clientId: ClientId | null
}

export function mountLfiSide(app: HubApp, deps: LfiSideDeps): void {
  const traces = new WeakMap<object, Trace>()
  const traceOf = (ctx: HubContext): Trace => {
    const known = traces.get(ctx.req) ?? { matched: null, caller: null, consentId: null, clientId: null }
    traces.set(ctx.req, known)
    return known
  }

  app.use(async (ctx, next) => {
    const trace = traceOf(ctx)
    try {
      trace.matched = match(ctx)
      trace.caller = await deps.authenticate(ctx.state.peer, ctx.get('authorization') || undefined)
      await run(ctx, deps, trace, trace.matched, next)
    } catch (thrown) {
      renderFault(ctx, thrown)
    }
    hideFromBrowser(ctx)
    ctx.set('cache-control', 'no-store')
    await deps.audit.record(...entriesOf(ctx, deps, trace))
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
  next: () => Promise<unknown>,
) {
  if (operation.name === 'helloMtls') return hello(ctx, deps)
  if (operation.name === 'getAuth') return getAuth(ctx, deps, trace, next)
  if (interactionId === null) throw new HubError('NotFound')
  return complete(ctx, deps, trace, { confirm: operation.name === 'doConfirm', interactionId }, next)
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
async function getAuth(ctx: HubContext, deps: LfiSideDeps, trace: Trace, next: () => Promise<unknown>): Promise<void> {
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
        ...(interaction.params['max_age'] === undefined ? {} : { max_age: Number(interaction.params['max_age']) }),
      },
      claims: {},
      status: 'AwaitingAuthorization',
      consentIdsList: [consentId],
      interactionStartedAt: ctx.state.receivedAt,
    },
    tpp: tppView(participant),
  }
}

/** Everything that begins no journey: as the engine judged it, but for what it does not tell apart. */
async function notBegun(ctx: HubContext, deps: LfiSideDeps): Promise<void> {
  const fate = await fateOf(deps, ctx.query)
  if (fate.kind === 'foreign') {
    ctx.remove('location')
    return answerOAuthError(ctx, 400, 'invalid_client', 'the request_uri was pushed by another client')
  }
  if (ctx.status === 303) return redirectTo(ctx, withPublishedError(ctx.response.get('location')))
  if (fate.kind === 'spent') return redirectTo(ctx, fate.location)
  const body = ctx.body as Partial<OAuthError> | undefined
  answerOAuthError(
    ctx,
    400,
    publishedCode(body?.error ?? 'server_error'),
    body?.error_description ?? 'the authorization request is not valid',
  )
}

/** Back to the TPP of this journey, whose parameters the engine has checked. */
function returnFault(
  ctx: HubContext,
  deps: LfiSideDeps,
  params: Readonly<Record<string, unknown>>,
  thrown: unknown,
): void {
  const fault = toHubError(thrown)
  const isOurs = fault.status >= 500
  if (isOurs) ctx.state.log.error({ err: fault.options.cause ?? fault }, 'headless authorization failed')
  redirectTo(
    ctx,
    errorLocation({
      redirectUri: String(params['redirect_uri']),
      issuer: deps.tenant.listeners.auth.origin,
      error: isOurs ? 'server_error' : 'invalid_request',
      description: fault.reason,
      state: params['state'],
    }),
  )
}

/** 303 and nothing else: the LFI passes the address on without looking at it. */
function redirectTo(ctx: HubContext, location: string): void {
  // With a JSON type left over, Koa would write an empty body as `null`.
  ctx.remove('content-type')
  ctx.body = null
  ctx.status = 303
  ctx.set('location', location)
}

function withPublishedError(location: string): string {
  const url = new URL(location)
  const error = url.searchParams.get('error')
  const description = url.searchParams.get('error_description')
  if (error !== null) url.searchParams.set('error', authorizationCode(error))
  if (description !== null) url.searchParams.set('error_description', printable(description))
  return url.href
}

type Completion = { readonly confirm: boolean; readonly interactionId: InteractionId }

async function complete(
  ctx: HubContext,
  deps: LfiSideDeps,
  trace: Trace,
  { confirm, interactionId }: Completion,
  next: () => Promise<unknown>,
) {
  const form = await readForm(ctx)
  // Before anything is claimed: what is malformed may be sent again.
  const claims = confirm ? claimsIn(form) : {}
  const consent = await deps.consents.byInteraction(interactionId)
  if (consent === null) throw new HubError('NotFound')
  trace.consentId = consent.id
  trace.clientId = consent.clientId
  const interaction = await deps.provider.Interaction.find(interactionId)
  if (interaction === undefined)
    return answerOAuthError(ctx, 400, 'invalid_request', 'the interaction has expired or was already completed')
  // Exactly one doConfirm or doFail gets past this line.
  const claimed = await inTransaction(deps.db, (tx) => deps.consents.claimCompletion(tx, consent.id, interactionId))
  if (!claimed) return answerOAuthError(ctx, 400, 'invalid_request', 'the interaction was already completed')
  try {
    const result = confirm ? await confirmation(deps, consent, form, claims) : failure(form)
    await resume(ctx, deps, interactionId, result, next)
  } catch (thrown) {
    // lfi-api 1.4, 1.5: also what fails here is told to the TPP.
    returnFault(ctx, deps, interaction.params, new HubError('GenericError', { cause: thrown }))
  }
}

async function readForm(ctx: HubContext): Promise<ReadonlyMap<string, string>> {
  const body = await readBody(ctx.req, FORM_BYTES_MAX)
  if (body.length > 0 && mediaType(ctx.get('content-type')) !== FORM) throw new HubError('UnsupportedMediaType')
  return parseForm(body)
}

/** The id in the path is all that the engine's two cookies would hold. */
async function resume(
  ctx: HubContext,
  deps: LfiSideDeps,
  interactionId: InteractionId,
  result: InteractionResults,
  next: () => Promise<unknown>,
): Promise<void> {
  const cookies = ['interaction', 'resume'].map((name) => `${deps.provider.cookieName(name)}=${interactionId}`)
  ctx.req.headers.cookie = cookies.join('; ')
  const address = await deps.provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false })
  ctx.method = 'GET'
  ctx.path = new URL(address).pathname
  ctx.querystring = ''
  await next()
  await assertEnded(ctx, interactionId)
}

/** The engine must have answered the TPP; a further prompt would be a question to a browser that is not there. */
async function assertEnded(ctx: HubContext, interactionId: InteractionId): Promise<void> {
  const again = (ctx as unknown as KoaContextWithOIDC).oidc?.entities.Interaction
  if (again !== undefined && again.uid !== interactionId) {
    await again.destroy()
    throw new Error('the engine asked for a further prompt')
  }
  if (ctx.status !== 303) throw new Error(`the engine ended an interaction with status ${ctx.status}`)
  redirectTo(ctx, withPublishedError(ctx.response.get('location')))
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

function entriesOf(ctx: HubContext, deps: LfiSideDeps, trace: Trace): AuditEntry[] {
  const common = { at: deps.clock.now(), interactionId: ctx.state.correlationId, tenantId: deps.tenant.id }
  const redirected = ctx.status === 303 ? new URL(ctx.response.get('location')).searchParams.get('error') : null
  const error = oauthErrorOf(ctx) ?? redirected
  const operation = trace.matched?.operation ?? null
  const call: AuditEntry = {
    ...common,
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
