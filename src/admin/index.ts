/**
 * The operator's door: health and figures for whoever runs the process; activation of participants, consents, payments,
 * reports, outages, where answers of the LFI break the contract, and webhooks that could not be delivered, for the LFI.
 * Mutual TLS with a certificate of the LFI's organisation; every act leaves an audit entry in the transaction that makes it, and every call one before it is
 * answered. Health and figures are read by machines every few seconds, say nothing about anybody, and are not recorded.
 */
import type { Audit, ReceiptOffice } from '../audit/index.ts'
import { parseJson, readBody, receivedDigest } from '../body.ts'
import type { TenantConfig } from '../config.ts'
import type { ConsentStore } from '../consent-store/index.ts'
import type { Deviations } from '../deviations/index.ts'
import { HubError, toHubError } from '../errors.ts'
import { toCorrelationId } from '../ids.ts'
import type { Connector } from '../lfi/index.ts'
import type { HubApp, HubContext } from '../listener.ts'
import { explained, resourceOf, UNEXPLAINED } from '../measure.ts'
import { type Metrics, measuredAs } from '../metrics.ts'
import type { NoticeDesk } from '../notices/index.ts'
import type { Client, LocalStatus, ParticipantLevel, Participants } from '../participants/index.ts'
import type { Reports } from '../reports/index.ts'
import type { ResourceLog } from '../resource-log/index.ts'
import { createConsentView } from './consents.ts'
import { type Called, name } from './operations.ts'
import { answerPayments, createPaymentView } from './payments.ts'
import { failingParts, type ReadyDeps } from './ready.ts'
import { reportOperationsAt } from './report-operations.ts'
import { answerWebhooks } from './webhooks.ts'

export { type ConsentAt, type ConsentOfThen, createConsentView, type HistoryRow } from './consents.ts'
export { createPaymentView, type PaymentLine, type PaymentShown, type PaymentView } from './payments.ts'
export { failingParts } from './ready.ts'

export type AdminDeps = Omit<ReadyDeps, 'tenantId'> & {
  readonly tenant: TenantConfig
  readonly participants: Participants
  readonly deviations: Deviations
  readonly connector: Pick<Connector, 'hello'>
  readonly desk: NoticeDesk
  readonly consents: ConsentStore
  readonly resources: ResourceLog
  readonly audit: Audit
  readonly receipts: ReceiptOffice
  readonly reports: Reports
  readonly metrics: Metrics
}

const LEVELS: ReadonlyMap<string, ParticipantLevel> = new Map([
  ['tpps', 'tpp'],
  ['software-statements', 'software-statement'],
  ['clients', 'client'],
])
const STATUSES: ReadonlySet<unknown> = new Set<LocalStatus>(['inactive', 'active', 'blocked'])
const STATUS_PATH = /^\/(tpps|software-statements|clients)\/([\w:./-]{1,256})\/status$/
const CONSENT_PATH = /^\/consents\/([^/]{1,256})(\/history)?$/
const RECEIPTS_PATH = /^\/audit\/receipts\/([0-9A-Fa-f-]{36})$/
const BODY_BYTES_MAX = 4096

export function mountAdmin(app: HubApp, deps: AdminDeps): void {
  app.use(async (ctx) => {
    if (await machine(ctx, deps)) return
    const called: Called = { operationId: null, route: null }
    let fault: HubError | null = null
    try {
      await route(ctx, deps, called)
      if (called.operationId === null) throw new Error(`unreachable: ${ctx.path} was answered without a name`)
    } catch (thrown) {
      fault = toHubError(thrown)
      renderFault(ctx, fault)
    }
    try {
      await deps.audit.record(entryOf(ctx, deps, called, fault))
    } catch (thrown) {
      renderFault(ctx, toHubError(thrown))
    }
    ctx.state.measured = measuredAs(called.operationId, fault?.options.rule ?? null)
    ctx.set('cache-control', 'no-store')
  })
}

async function machine(ctx: HubContext, deps: AdminDeps): Promise<boolean> {
  const asked = `${ctx.method} ${ctx.path}`
  if (asked === 'GET /health/live') ctx.body = { status: 'up' }
  else if (asked === 'GET /health/ready') {
    const failing = await failingParts({ ...deps, tenantId: deps.tenant.id })
    ctx.status = failing.length === 0 ? 200 : 503
    ctx.body = failing.length === 0 ? { status: 'ready' } : { status: 'not-ready', failing }
  } else if (asked === 'GET /metrics' && isOwn(ctx, deps)) {
    const { contentType, text } = await deps.metrics.read()
    ctx.set('content-type', contentType)
    ctx.body = text
  } else return false
  ctx.state.measured = measuredAs(ctx.path === '/metrics' ? 'metrics' : 'health')
  ctx.set('cache-control', 'no-store')
  return true
}

/** The listener refuses a foreign chain already; this door does not depend on how it was opened. */
const isOwn = ({ state: { peer } }: HubContext, { tenant }: AdminDeps): boolean =>
  peer?.trusted === true && peer.organisationId === tenant.organisationId

async function route(ctx: HubContext, deps: AdminDeps, called: Called): Promise<void> {
  if (!isOwn(ctx, deps)) {
    throw new HubError('Unauthorized', { reason: 'a certificate of the LFI is required' })
  }
  if (ctx.method === 'GET' && ctx.path === '/clients') {
    name(called, 'listClients', '/clients')
    ctx.body = { data: (await deps.participants.list()).map(summary) }
    return
  }
  if (await aboutLfi(ctx, deps, called)) return
  const receipts = RECEIPTS_PATH.exec(ctx.path)
  if (receipts !== null && ctx.method === 'GET') {
    name(called, 'GetAuditReceipts', '/audit/receipts/{interactionId}')
    const id = toCorrelationId(receipts[1])
    const answer = id === null ? null : await deps.receipts.find(id, { of: 'everything' })
    if (answer === null) throw new HubError('NotFound')
    ctx.body = answer
    return
  }
  const onPath = reportOperationsAt(ctx.path)
  const found = onPath.find(({ operation }) => operation.method === ctx.method)
  if (found !== undefined) {
    name(called, found.operation.operationId, found.operation.route)
    return found.operation.run(ctx, deps.reports, found.id)
  }
  if (onPath.length > 0) {
    throw new HubError('MethodNotAllowed', { allow: onPath.map(({ operation }) => operation.method) })
  }
  if (await answerWebhooks(ctx, deps.desk, called)) return
  if (await answerPayments(ctx, createPaymentView({ ...deps, tenantId: deps.tenant.id }), called)) return
  const consent = CONSENT_PATH.exec(ctx.path)
  if (consent?.[1] !== undefined)
    return showConsent(ctx, deps, called, { id: consent[1], isHistory: consent[2] !== undefined })
  const match = STATUS_PATH.exec(ctx.path)
  const level = LEVELS.get(match?.[1] ?? '')
  if (level === undefined || match?.[2] === undefined) throw new HubError('NotFound')
  name(called, 'setStatus', `/${match[1]}/{id}/status`)
  if (ctx.method !== 'PUT') throw new HubError('MethodNotAllowed', { allow: ['PUT'] })
  await setStatus(ctx, deps, level, decodeURIComponent(match[2]))
}

function renderFault(ctx: HubContext, error: HubError): void {
  if (error.status >= 500) ctx.state.log.error({ err: error }, 'admin request failed')
  ctx.body = { errorCode: error.wireCode, errorMessage: error.reason }
  ctx.status = error.status
  if (error.options.allow !== undefined) ctx.set('allow', error.options.allow.join(', '))
}

function entryOf(ctx: HubContext, { tenant }: AdminDeps, { operationId, route }: Called, fault: HubError | null) {
  return {
    kind: 'lfi-request',
    at: ctx.state.receivedAt,
    interactionId: ctx.state.correlationId,
    tenantId: tenant.id,
    surface: 'admin',
    operationId,
    method: METHODS.has(ctx.method) ? ctx.method : 'other',
    route,
    status: ctx.status,
    errorCode: fault?.code ?? null,
    consentId: null,
    callerClientId: ctx.state.peer?.trusted === true ? ctx.state.peer.commonName : null,
    hubMs: performance.now() - ctx.state.startedAt,
    resource: resourceOf(route),
    ...(fault === null ? UNEXPLAINED : explained(fault)),
    requestDigest: receivedDigest(ctx.req),
    parentInteractionId: null,
  } as const
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Whether the LFI is there, and where its answers break the contract. */
async function aboutLfi(ctx: HubContext, deps: AdminDeps, called: Called): Promise<boolean> {
  const { method, path } = ctx
  if (path === '/health/lfi' && method === 'GET') {
    name(called, 'checkLfi', path)
    // The other way round the LFI asks at hh and cm (lfi-api 4.4).
    const [hello, helloMtls] = await Promise.all([deps.connector.hello('/hello'), deps.connector.hello('/hello-mtls')])
    ctx.status = hello.ok && helloMtls.ok ? 200 : 503
    ctx.body = { hello, helloMtls }
    return true
  }
  if (path !== '/deviations') return false
  if (method === 'GET') {
    name(called, 'listDeviations', path)
    ctx.body = { data: await deps.deviations.list() }
  } else if (method === 'DELETE') {
    name(called, 'clearDeviations', path)
    await deps.deviations.clear()
    ctx.body = null
    ctx.status = 204
  } else throw new HubError('MethodNotAllowed', { allow: ['GET', 'DELETE'] })
  return true
}

async function showConsent(
  ctx: HubContext,
  deps: AdminDeps,
  called: Called,
  { id, isHistory }: { readonly id: string; readonly isHistory: boolean },
): Promise<void> {
  if (isHistory) name(called, 'showConsentHistory', '/consents/{consentId}/history')
  else name(called, 'showConsent', '/consents/{consentId}')
  if (ctx.method !== 'GET') throw new HubError('MethodNotAllowed', { allow: ['GET'] })
  const query = new URLSearchParams(ctx.querystring)
  const at = query.get('at')
  if (query.size > (at === null ? 0 : 1) || (isHistory && at !== null)) {
    throw new HubError('Resource.InvalidFormat', { reason: 'only `at` is understood here, once', path: 'at' })
  }
  const view = createConsentView({ ...deps, tenantId: deps.tenant.id })
  const viewer = { actor: ctx.state.peer?.commonName ?? 'unknown', interactionId: ctx.state.correlationId }
  ctx.body = { data: isHistory ? await view.history(id, viewer) : await view.showAt(id, at, viewer) }
}

async function setStatus(ctx: HubContext, deps: AdminDeps, level: ParticipantLevel, id: string): Promise<void> {
  const body = parseJson(await readBody(ctx.req, BODY_BYTES_MAX)) as { readonly status?: unknown } | null
  if (!STATUSES.has(body?.status)) {
    throw new HubError('Body.InvalidFormat', { reason: 'status must be active, inactive or blocked', path: 'status' })
  }
  const changed = await deps.participants.setStatus(level, id, body?.status as LocalStatus, {
    actor: ctx.state.peer?.commonName ?? 'unknown',
    interactionId: ctx.state.correlationId,
  })
  if (!changed) throw new HubError('NotFound')
  ctx.body = null
  ctx.status = 204
}

const summary = (client: Client) => ({
  clientId: client.clientId,
  clientName: client.clientName,
  tppName: client.tppName,
  organisationId: client.organisationId,
  softwareStatementId: client.softwareStatementId,
  status: client.status,
  roles: client.roles,
})
