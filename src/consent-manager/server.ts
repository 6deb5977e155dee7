import type { Audit, ReceiptOffice } from '../audit/index.ts'
import { mediaType, parseJson, readBody, receivedDigest } from '../body.ts'
import type { Clock } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import type { Caller, ConsentStore } from '../consent-store/index.ts'
import { ERRORS, HubError, toHubError } from '../errors.ts'
import { toConsentId } from '../ids.ts'
import type { AuthenticateLfi, LfiCaller } from '../lfi-caller.ts'
import type { HubContext } from '../listener.ts'
import { explained, resourceOf, UNEXPLAINED } from '../measure.ts'
import { measuredAs } from '../metrics.ts'
import type { ResourceLog } from '../resource-log/index.ts'
import type { SchemaRegistry, Violation } from '../schema-registry.ts'
import { isStorable, isStorableText } from '../storable.ts'
import type { Answer, Call } from './call.ts'
import { createHandlers } from './handlers.ts'
import { type Matched, match, type OperationId } from './routes.ts'

export type ConsentManagerDeps = {
  readonly tenant: TenantConfig
  readonly consents: ConsentStore
  readonly resources: ResourceLog
  readonly audit: Audit
  readonly receipts: ReceiptOffice
  readonly registry: SchemaRegistry
  readonly clock: Clock
  readonly authenticate: AuthenticateLfi
}

/** The last middleware of the `cm` listener's app: it answers every request. */
export function createConsentManager(deps: ConsentManagerDeps): (ctx: HubContext) => Promise<void> {
  const handlers = createHandlers(deps)
  return async (ctx) => {
    const seen: Seen = { caller: null, matched: null, query: new Map() }
    let outcome: Answer | HubError
    try {
      seen.caller = await deps.authenticate(ctx.state.peer, ctx.req.headers.authorization)
      seen.matched = match(ctx.method, ctx.path)
      const call = await readCall(deps, ctx, seen.caller, seen.matched)
      seen.query = call.query
      outcome = await handlers[seen.matched.route.operationId](call)
    } catch (thrown) {
      outcome = toHubError(thrown)
    }
    try {
      await deps.audit.record(entryOf(deps, ctx, seen, outcome))
    } catch (thrown) {
      // What cannot be recorded is not answered. A repeated PATCH or revocation finds its work done.
      outcome = toHubError(thrown)
    }
    const rule = outcome instanceof HubError ? (outcome.options.rule ?? null) : null
    ctx.state.measured = measuredAs(seen.matched?.route.operationId ?? null, rule)
    render(ctx, outcome)
  }
}

type Seen = { caller: LfiCaller | null; matched: Matched | null; query: ReadonlyMap<string, string> }

const WITH_BODY: ReadonlySet<OperationId> = new Set<OperationId>([
  'patchConsent',
  'revokeConsentsByConsentId',
  'revokeConsentsInConsentGroup',
  'patchPymentlog',
  'UpdateAccountOpeningLog',
  'UpdateFxQuoteLog',
  'UpdateInsuranceQuoteLog',
])

async function readCall(
  deps: ConsentManagerDeps,
  ctx: HubContext,
  lfi: LfiCaller,
  { route, params }: Matched,
): Promise<Call> {
  const caller: Caller = {
    by: 'lfi',
    organisationId: lfi.organisationId,
    clientId: lfi.clientId,
    softwareStatementId: null,
    interactionId: ctx.state.correlationId,
  }
  const call = { params, caller, peer: ctx.state.peer }
  const query = readQuery(deps, ctx, route.operationId)
  const body = WITH_BODY.has(route.operationId) ? await readChecked(deps, ctx, route.operationId) : undefined
  return { ...call, query, body }
}

/** @throws HubError Resource.InvalidFormat for a parameter that is repeated, unknown or malformed */
function readQuery(deps: ConsentManagerDeps, ctx: HubContext, operationId: OperationId): ReadonlyMap<string, string> {
  const query = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(ctx.querystring)) {
    if (query.has(name)) throw new HubError('Resource.InvalidFormat', { reason: 'A query parameter is repeated' })
    if (!isStorableText(value)) throw new HubError('Resource.InvalidFormat', { reason: 'A query value is not text' })
    query.set(name, value)
  }
  const document = operationId === 'GetAuditReceipts' ? 'audit-receipts' : 'consent-manager'
  refuse('Resource.InvalidFormat', deps.registry.parameters(document, operationId).query(plain(query)))
  return query
}

/** @throws HubError UnsupportedMediaType, PayloadTooLarge, Body.InvalidFormat */
async function readChecked(deps: ConsentManagerDeps, ctx: HubContext, operationId: OperationId): Promise<unknown> {
  if (mediaType(ctx.req.headers['content-type']) !== 'application/json') throw new HubError('UnsupportedMediaType')
  const body = parseJson(await readBody(ctx.req, deps.tenant.limits.bodyBytesMax))
  if (!isStorable(body)) throw new HubError('Body.InvalidFormat', { reason: 'A text of the body cannot be kept' })
  refuse('Body.InvalidFormat', deps.registry.requestBody('consent-manager', operationId)?.(body) ?? [])
  return body
}

function refuse(code: 'Body.InvalidFormat' | 'Resource.InvalidFormat', violations: readonly Violation[]): void {
  const [first] = violations
  if (first === undefined) return
  const words = violations.slice(0, 3).map(({ path, message }) => (path === '' ? message : `${path} ${message}`))
  const rule = code === 'Body.InvalidFormat' ? 'body.form' : 'resource.form'
  throw new HubError(code, { rule, seen: first.rule, path: first.path, reason: words.join('; ') })
}

/** Names come from the wire: none of them may meet an inherited member. */
const plain = (map: ReadonlyMap<string, string>): object => Object.assign(Object.create(null), Object.fromEntries(map))

function entryOf(deps: ConsentManagerDeps, ctx: HubContext, seen: Seen, outcome: Answer | HubError) {
  return {
    kind: 'lfi-request',
    at: ctx.state.receivedAt,
    tenantId: deps.tenant.id,
    interactionId: ctx.state.correlationId,
    surface: 'cm',
    operationId: seen.matched?.route.operationId ?? null,
    method: METHODS.has(ctx.method) ? ctx.method : 'other',
    route: seen.matched?.route.path ?? null,
    status: outcome.status,
    errorCode: outcome instanceof HubError ? outcome.code : null,
    consentId: toConsentId(seen.matched?.params.get('consentId') ?? seen.query.get('consentId')),
    callerClientId: seen.caller?.clientId ?? null,
    hubMs: performance.now() - ctx.state.startedAt,
    resource: resourceOf(seen.matched?.route.path ?? null),
    ...(outcome instanceof HubError ? explained(outcome) : UNEXPLAINED),
    requestDigest: receivedDigest(ctx.req),
    parentInteractionId: null,
  } as const
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** lfi-api 2.1: {errorCode, errorMessage}; statuses that the documents give no body have none here either. */
function render(ctx: HubContext, outcome: Answer | HubError): void {
  // Records name users and accounts.
  ctx.set('cache-control', 'no-store')
  if (!(outcome instanceof HubError)) {
    if (outcome.status === 200) ctx.body = outcome.body
    ctx.status = outcome.status
    return
  }
  const { options, status } = outcome
  if (status >= 500) logFault(ctx, outcome)
  if (options.allow !== undefined) ctx.set('allow', [...new Set(options.allow)].join(', '))
  if (status === 401) ctx.set('www-authenticate', `Bearer error_description="${quotable(outcome.reason)}"`)
  ctx.body = ERRORS[outcome.code].body ? { errorCode: outcome.wireCode, errorMessage: outcome.reason } : null
  ctx.status = status
}

/** Text and stack alone: an error of the database carries the values of the row it refused. */
function logFault(ctx: HubContext, error: HubError): void {
  const cause = error.cause instanceof Error ? error.cause : error
  ctx.state.log.error({ errorCode: error.code, stack: cause.stack }, 'consent manager failed')
}

const quotable = (text: string): string => text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "'")
