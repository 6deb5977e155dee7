/**
 * One process of the hub: for each tenant its database, its rooms, and the doors of the roles that this process plays.
 * Nothing here decides anything; it only says what is made of what, and in which order it starts and stops.
 */
import { setTimeout } from 'node:timers/promises'
import { failingParts, mountAdmin } from './admin/index.ts'
import {
  auditLogOf,
  backlogOf,
  createAudit,
  createBackPressure,
  createClockWatch,
  createEarlyRefusals,
  createReceiptOffice,
  createSealer,
  createWitnessing,
  type EarlyRefusals,
} from './audit/index.ts'
import { createAuthServer, destroyGrant } from './auth-server/index.ts'
import { certificatesOf, warnOfCertificates } from './certificates.ts'
import { type Clock, secondsToMilliseconds, systemClock, toSeconds } from './clock.ts'
import { CLIENT_CERTIFICATES, type Config, type FixedRole, type ListenerRole, type TenantConfig } from './config.ts'
import { createConsentManager } from './consent-manager/index.ts'
import { createConsentStore } from './consent-store/index.ts'
import { type Db, migrate, openDatabase, PATIENCE, pendingMigrations } from './db.ts'
import { createDeviations } from './deviations/index.ts'
import { openDpop } from './dpop.ts'
import { createEndpoints } from './endpoints/index.ts'
import { OperatorError } from './errors.ts'
import { createFetchGuard } from './fetch-guard.ts'
import { createGateway, type PayeeSource } from './gateway/index.ts'
import { openHealth } from './health.ts'
import type { TenantId } from './ids.ts'
import { createKeyOperations, createKeyRing } from './keys/index.ts'
import { levelsOf } from './levels.ts'
import { createConnector, createConsentActions, createTryEndpoint } from './lfi/index.ts'
import { createLfiAuthentication } from './lfi-caller.ts'
import {
  type AppDeps,
  type Capacity,
  type ClientCertificates,
  createApp,
  createCapacity,
  type Door,
  type HubApp,
  type ListenersDeps,
  openDoors,
} from './listener.ts'
import type { Log } from './log.ts'
import { createMetrics } from './metrics.ts'
import { migrations } from './migrations.ts'
import { createNoticeDesk, createNotices } from './notices/index.ts'
import { createParticipants } from './participants/index.ts'
import { createPortal, type Portal, type PortalDeps } from './portal/index.ts'
import { capabilitiesOf } from './profiles.ts'
import { createReplayMemory } from './replay.ts'
import { createHeartbeat, createReports } from './reports/index.ts'
import { createResourceLog } from './resource-log/index.ts'
import { openRevocation, type Revocation } from './revocation.ts'
import { loadSchemas, type SchemaRegistry } from './schema-registry.ts'
import { createSpanExport, type SpanExport } from './spans.ts'
import { every } from './timer.ts'

export type Hub = { close(): Promise<void> }
export type HubDeps = { readonly config: Config; readonly log: Log; readonly clock?: Clock }

const SWEEP_EVERY_MS = 1_000
const SWEEP_BATCH = 500
const FOLLOW_UP_EVERY_MS = 10_000
const FOLLOW_UP_BATCH = 20
const REFUSALS_EVERY_MS = 60_000
const PURGE_EVERY_MS = 60_000
const REFRESH_EVERY_MS = 2_000
const REPORT_EVERY_MS = 5_000
const HEARTBEAT_EVERY_MS = 60_000
const WARN_EVERY_MS = 86_400_000
const DESTROY_EVERY_MS = 3_600_000
const DESTROY_BATCH = 200
/** Five years, where the tenant says nothing else (lfi-api 8). */
const RESOURCE_DAYS = 1_918
const LFI_JTI_MAX = 100_000

export async function startHub({ config, log, clock = systemClock }: HubDeps): Promise<Hub> {
  const { publishedSchemas } = config
  const registry = loadSchemas(publishedSchemas === undefined ? {} : { published: publishedSchemas })
  const tenants: Tenant[] = []
  const revocation = await openRevocation({ config, clock, log })
  const { tracing, environment } = config
  const spans = tracing === undefined ? null : createSpanExport({ tracing, environment, log })
  const stop = new AbortController()
  const stopping = stop.signal
  try {
    const shared = { log, clock, registry, revocation, stopping, spans }
    for (const tenant of config.tenants) tenants.push(await startTenant(config, tenant, shared))
    const doors = tenants.flatMap((tenant) => tenant.doors)
    const refused: NonNullable<ListenersDeps['refused']> = (tenantId, refusal) =>
      tenants.find(({ id }) => id === tenantId)?.refusals.count(refusal)
    const listeners = await openDoors(doors, { log, clock, drainSeconds: config.drainSeconds, refused, stopping })
    const health = config.health === undefined ? null : await openHealth(config.health, () => failingOf(tenants))
    for (const door of doors) {
      log.info({ tenant: door.tenantId, role: door.role, origin: door.listener.origin }, 'listening')
    }
    return {
      close: async () => {
        stop.abort()
        await setTimeout(secondsToMilliseconds(config.noticeSeconds ?? toSeconds(0)))
        await listeners.close()
        await health?.close()
        for (const tenant of tenants) await tenant.close()
        await revocation?.close()
        await spans?.close()
      },
    }
  } catch (error) {
    for (const tenant of tenants) await tenant.close()
    await revocation?.close()
    throw error
  }
}

type Tenant = {
  readonly id: TenantId
  readonly doors: readonly Door[]
  /** The parts without which it should be sent nothing. */
  failing(): Promise<readonly string[]>
  readonly refusals: EarlyRefusals
  close(): Promise<void>
}
type Shared = {
  readonly log: Log
  readonly clock: Clock
  readonly registry: SchemaRegistry
  readonly revocation: Revocation | null
  readonly spans: SpanExport | null
  readonly stopping: AbortSignal
}

async function startTenant(config: Config, tenant: TenantConfig, shared: Shared): Promise<Tenant> {
  const log = shared.log.child({ tenant: tenant.id })
  if (config.database.migrate === 'on-start') await migrateOnStart(tenant, log)
  const db = openDatabase({
    url: tenant.databaseUrl,
    poolMax: config.database.poolMax,
    applicationName: `falaj-${tenant.id}`,
    patience: {
      acquireMs: config.database.acquireMs ?? PATIENCE.acquireMs,
      statementMs: config.database.statementMs ?? PATIENCE.statementMs,
    },
  })
  try {
    await refusePending(db)
    return await furnish(config, tenant, { ...shared, log, db })
  } catch (error) {
    await db.destroy()
    throw error
  }
}

/** The rooms of one tenant on its open database, and the doors that lead to them. */
async function furnish(config: Config, tenant: TenantConfig, shared: Shared & { readonly db: Db }): Promise<Tenant> {
  const { clock, registry, log, db } = shared
  const watch = createClockWatch({ clock, monotonic: () => performance.now() })
  const { witnesses, restAfterMs } = auditLogOf(tenant)
  const pressure = createBackPressure({ backlog: () => backlogOf(db), restAfterMs })
  const audit = createAudit({ db, tenantId: tenant.id, clock, log, watch, pressure })
  const refusals = createEarlyRefusals({ audit, tenantId: tenant.id, clock })
  const receipts = createReceiptOffice({ db })
  const participants = createParticipants({ db, tenant, trustFramework: config.trustFramework, audit, clock, log })
  // What ends a consent ends everything issued under it, in the same transaction.
  const consents = createConsentStore({ db, tenantId: tenant.id, clock, audit, onTerminal: destroyGrant })
  const resources = createResourceLog({ db, tenantId: tenant.id, clock, audit, consents })
  const deviations = createDeviations({ db, clock, log })
  const keys = await createKeyRing({ db, tenant, clock, log })
  const dpop = capabilitiesOf(tenant).dpop ? await openDpop({ db, clock }) : null
  const authenticate = createLfiAuthentication({
    tenant,
    clock,
    keys: participants.applicationKeys,
    firstUse: createReplayMemory(clock, LFI_JTI_MAX),
  })
  const reports = createReports({ db, tenant, audit, clock })
  const witnessing = createWitnessing({ db, witnesses, clock, log })
  const levels = levelsOf(db, reports, witnesses)
  const certificates = certificatesOf(config, tenant)
  const counts = { witnesses: witnessing.counts, spans: shared.spans?.counts ?? null }
  const expiries = () =>
    certificates.map(({ name, expiresAt }) => ({ name, seconds: (expiresAt - clock.now()) / 1000 }))
  const metrics = createMetrics(levels, { ...counts, certificates: expiries, audit: pressure.restedMs })
  const endpoints = await createEndpoints({ db, tenant, audit, clock, log })
  const guard = createFetchGuard(config.outbound.allowedAddresses)
  // The bank may stand where no TPP's webhook may.
  const bankGuard = createFetchGuard([...config.outbound.allowedAddresses, ...(tenant.lfi.allowedAddresses ?? [])])
  const connector = createConnector({ tenant, clock, moves: { endpoints, guard: bankGuard } })
  const consentActions = createConsentActions({ tenant, connector, registry })
  const room = {
    tenant,
    db,
    audit,
    receipts,
    participants,
    consents,
    resources,
    deviations,
    payees: payeesOf(config),
    registry,
    keys,
    dpop,
    endpoints,
    connector,
    consentActions,
    authenticate,
    reports,
    metrics,
    migrations,
    clock,
    log,
  }
  const desk = createNoticeDesk(room)
  const notices = createNotices({ ...room, guard, drainSeconds: config.drainSeconds })
  const authServer = createAuthServer({ ...room, paymentIdsOf: resources.paymentIdsOf })
  const gateway = createGateway(room)
  const consentManager = createConsentManager(room)
  const portal = portalOf(config, {
    ...room,
    levels,
    desk,
    certificates,
    tryEndpoint: createTryEndpoint({ tenant, clock, guard: bankGuard }),
  })
  const mounts: Record<FixedRole, (app: HubApp) => void> = {
    auth: authServer.mountIssuer,
    as: authServer.mountTpp,
    rs: gateway.mount,
    hh: authServer.mountLfi,
    cm: (app) => app.use(consentManager),
    admin: (app) => mountAdmin(app, { ...room, desk, stopping: shared.stopping }),
  }
  const whole = createCapacity(tenant.limits.requestsInFlight)
  const doors = config.roles.flatMap((role): readonly Door[] => {
    if (role === 'worker') return []
    const listener = tenant.listeners[role]
    if (listener === undefined) return []
    const door = { role, capacity: capacityOf(role, tenant, whole), refused: refusals.count }
    const observe = (call: Parameters<NonNullable<AppDeps['observe']>>[0]) => metrics.observe({ ...call, door: role })
    const app = createApp({ log: log.child({ role }), clock, door, observe, spans: shared.spans?.of(tenant.id) })
    if (role === 'portal') portal?.mount(app)
    else mounts[role](app)
    return [
      {
        tenantId: tenant.id,
        role,
        listener,
        clientCertificates: asked(role, config),
        app,
        revocation: shared.revocation,
        connectionsMax: tenant.limits.connections,
      },
    ]
  })
  const warn = async () => warnOfCertificates(certificates, { clock, log })
  await warn()
  const timers = [
    every(REFUSALS_EVERY_MS, 'count of early refusals', log, () => refusals.write()),
    every(WARN_EVERY_MS, 'warning of certificates', log, warn),
  ]
  const sealer = createSealer({ ...auditLogOf(tenant), db, clock, log, watch })
  if (config.roles.includes('worker')) {
    sealer.start()
    notices.start()
    witnessing.start()
    timers.push(
      every(SWEEP_EVERY_MS, 'consent sweep', log, () => consents.sweep(SWEEP_BATCH)),
      every(FOLLOW_UP_EVERY_MS, 'follow-up of payments', log, () => gateway.followUpPayments(FOLLOW_UP_BATCH)),
      every(PURGE_EVERY_MS, 'destruction of old payments and requests', log, () =>
        resources.destroyExpired(tenant.retention?.resourceDays ?? RESOURCE_DAYS, DESTROY_BATCH),
      ),
      every(PURGE_EVERY_MS, 'purge of authorization records', log, () => authServer.purge()),
      every(REFRESH_EVERY_MS, 'refresh from the directory', log, () => participants.refreshDue()),
      every(REPORT_EVERY_MS, 'count of the audit log', log, () => reports.advance()),
      every(DESTROY_EVERY_MS, 'destruction by policy', log, () => reports.destroyExpired()),
      every(
        HEARTBEAT_EVERY_MS,
        'heartbeat of the LFI',
        log,
        createHeartbeat({ hello: gateway.hello, audit, tenantId: tenant.id, clock }),
      ),
      every(PURGE_EVERY_MS, 'purge of settled notices', log, () => notices.purge()),
    )
    if (portal !== null) timers.push(every(PURGE_EVERY_MS, 'purge of portal sessions', log, () => portal.purge()))
    if (tenant.keys.store !== null) {
      const { environment } = config
      const operations = createKeyOperations({ db, tenant, environment, audit, clock, actor: 'hub' })
      timers.push(every(PURGE_EVERY_MS, 'destruction of ended keys', log, () => operations.destroyEnded()))
    }
  }
  const note = (event: 'started' | 'stopped'): Promise<void> =>
    audit.record({
      kind: 'system',
      at: clock.now(),
      interactionId: null,
      tenantId: tenant.id,
      event,
      detail: config.roles.join(' '),
    })
  await note('started')
  return {
    id: tenant.id,
    doors,
    failing: () => failingParts({ ...room, tenantId: tenant.id, stopping: shared.stopping }),
    refusals,
    close: async () => {
      for (const timer of timers) await timer.stop()
      await notices.stop()
      await refusals.write().catch((error: unknown) => log.error({ err: error }, 'early refusals were not recorded'))
      await note('stopped').catch((error: unknown) => log.error({ err: error }, 'the stop was not recorded'))
      await deviations.close()
      await audit.close()
      await sealer.stop()
      await witnessing.stop()
      await keys.close()
      await endpoints.close()
      await connector.close()
      await portal?.close()
      await participants.close()
      await db.destroy()
    },
  }
}

async function failingOf(tenants: readonly Tenant[]): Promise<Readonly<Record<string, readonly string[]>>> {
  const all = await Promise.all(tenants.map(async (each) => [each.id, await each.failing()] as const))
  return Object.fromEntries(all.filter(([, parts]) => parts.length > 0))
}

/** null: this tenant has none. */
function portalOf({ environment }: Config, room: Omit<PortalDeps, 'portal' | 'origin' | 'environment'>): Portal | null {
  const { portal, listeners } = room.tenant
  if (portal === undefined || listeners.portal === undefined) return null
  return createPortal({ ...room, environment, portal, origin: listeners.portal.origin })
}

/** Whose hub to ask about an account, by the bank's part of its number. */
function payeesOf({ tenants, otherLfis = [] }: Config): ReadonlyMap<string, PayeeSource> {
  const own = tenants.map(({ bankCodes = [], listeners }) => ({
    bankCodes,
    issuer: listeners.auth.origin,
    resourceServer: listeners.rs.origin,
  }))
  return new Map(
    [...own, ...otherLfis].flatMap(({ bankCodes, issuer, resourceServer }) =>
      bankCodes.map((code) => [code, { issuer, resourceServer }] as const),
    ),
  )
}

/** Whoever looks after the hub gets through, however much is at work. */
const capacityOf = (role: ListenerRole, { limits }: TenantConfig, whole: Capacity): Capacity =>
  createCapacity(limits.requestsInFlightPerListener, role === 'admin' ? undefined : whole)

function asked(role: ListenerRole, config: Config): ClientCertificates {
  const mode = CLIENT_CERTIFICATES[role]
  return mode === 'none' ? mode : { mode, ca: config.trustFramework.ca }
}

async function migrateOnStart(tenant: TenantConfig, log: Log): Promise<void> {
  const db = openDatabase({
    url: tenant.databaseUrl,
    poolMax: 1,
    applicationName: `falaj-migrate-${tenant.id}`,
    isLong: true,
  })
  try {
    const applied = await migrate(db, migrations)
    if (applied.length > 0) log.info({ applied }, 'migrations applied')
  } finally {
    await db.destroy()
  }
}

async function refusePending(db: Db): Promise<void> {
  const pending = await pendingMigrations(db, migrations)
  if (pending.length > 0) {
    throw new OperatorError(`migrations are pending (${pending.join(', ')}): run \`falaj migrate\` first`)
  }
}
