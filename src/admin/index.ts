/**
 * The operator's door: health for whoever runs the process, the activation of participants for the LFI, and where its
 * answers break the contract. Mutual
 * TLS with a certificate of the LFI's organisation; every act leaves an audit entry in the transaction that makes it.
 */
import type { Audit } from '../audit/index.ts'
import { parseJson, readBody } from '../body.ts'
import type { Clock } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import { type Db, query } from '../db.ts'
import type { Deviations } from '../deviations/index.ts'
import { HubError, toHubError } from '../errors.ts'
import type { Connector } from '../lfi/index.ts'
import type { HubApp, HubContext } from '../listener.ts'
import type { Client, LocalStatus, ParticipantLevel, Participants } from '../participants/index.ts'

export type AdminDeps = {
  readonly tenant: TenantConfig
  readonly db: Db
  readonly participants: Participants
  readonly deviations: Deviations
  readonly connector: Pick<Connector, 'hello'>
  readonly audit: Audit
  readonly clock: Clock
}

const LEVELS: ReadonlyMap<string, ParticipantLevel> = new Map([
  ['tpps', 'tpp'],
  ['software-statements', 'software-statement'],
  ['clients', 'client'],
])
const STATUSES: ReadonlySet<unknown> = new Set<LocalStatus>(['inactive', 'active', 'blocked'])
const STATUS_PATH = /^\/(tpps|software-statements|clients)\/([\w:./-]{1,256})\/status$/
const BODY_BYTES_MAX = 4096
/** Who asks whether a process is ready does not wait long for the answer. */
const READY_WITHIN_MS = 2_000

export function mountAdmin(app: HubApp, deps: AdminDeps): void {
  app.use(async (ctx) => {
    try {
      await route(ctx, deps)
    } catch (thrown) {
      const error = toHubError(thrown)
      if (error.status >= 500) ctx.state.log.error({ err: error }, 'admin request failed')
      ctx.status = error.status
      ctx.body = { errorCode: error.wireCode, errorMessage: error.reason }
      if (error.options.allow !== undefined) ctx.set('allow', error.options.allow.join(', '))
    }
    ctx.set('cache-control', 'no-store')
  })
}

async function route(ctx: HubContext, deps: AdminDeps): Promise<void> {
  const asked = `${ctx.method} ${ctx.path}`
  if (asked === 'GET /health/live') {
    ctx.body = { status: 'up' }
    return
  }
  if (asked === 'GET /health/ready') return ready(ctx, deps)
  // The listener refuses a foreign chain already; this door does not depend on how it was opened.
  if (ctx.state.peer?.trusted !== true || ctx.state.peer.organisationId !== deps.tenant.organisationId) {
    throw new HubError('Unauthorized', { reason: 'a certificate of the LFI is required' })
  }
  if (asked === 'GET /clients') {
    ctx.body = { data: (await deps.participants.list()).map(summary) }
    return
  }
  if (asked === 'GET /health/lfi') {
    // The other way round the LFI asks at hh and cm (lfi-api 4.4).
    const [hello, helloMtls] = await Promise.all([deps.connector.hello('/hello'), deps.connector.hello('/hello-mtls')])
    ctx.status = hello.ok && helloMtls.ok ? 200 : 503
    ctx.body = { hello, helloMtls }
    return
  }
  if (asked === 'GET /deviations') {
    ctx.body = { data: await deps.deviations.list() }
    return
  }
  if (asked === 'DELETE /deviations') {
    await deps.deviations.clear()
    ctx.body = null
    ctx.status = 204
    return
  }
  if (ctx.path === '/deviations') throw new HubError('MethodNotAllowed', { allow: ['GET', 'DELETE'] })
  const match = STATUS_PATH.exec(ctx.path)
  const level = LEVELS.get(match?.[1] ?? '')
  if (level === undefined || match?.[2] === undefined) throw new HubError('NotFound')
  if (ctx.method !== 'PUT') throw new HubError('MethodNotAllowed', { allow: ['PUT'] })
  await setStatus(ctx, deps, level, decodeURIComponent(match[2]))
}

/** Ready is: the store answers, and with it the audit log can be written; without it nothing may be answered. */
async function ready(ctx: HubContext, deps: AdminDeps): Promise<void> {
  try {
    await Promise.race([query(deps.db, 'select 1'), late(READY_WITHIN_MS)])
    ctx.body = { status: 'ready' }
  } catch {
    ctx.status = 503
    ctx.body = { status: 'not-ready', failing: ['database'] }
  }
}

const late = (ms: number): Promise<never> =>
  new Promise((_, reject) => {
    setTimeout(() => reject(new Error('too late')), ms).unref()
  })

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
