/** The gateway of one tenant: what TPPs call with an access token, and their registration. */
import type { Audit, ReceiptOffice } from '../audit/index.ts'
import type { Clock } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import type { ConsentStore } from '../consent-store/index.ts'
import type { Db } from '../db.ts'
import type { Deviations } from '../deviations/index.ts'
import type { Dpop } from '../dpop.ts'
import type { KeyRing } from '../keys/index.ts'
import type { Connector } from '../lfi/index.ts'
import type { HubApp } from '../listener.ts'
import type { Log } from '../log.ts'
import type { Participants } from '../participants/index.ts'
import { createRateLimit } from '../rate-limit.ts'
import type { Reports } from '../reports/index.ts'
import type { ResourceLog } from '../resource-log/index.ts'
import type { SchemaRegistry } from '../schema-registry.ts'
import { createAccessTokens } from './access-token.ts'
import { apiSetOf } from './api-sets.ts'
import { followUp } from './payments/follow-up.ts'
import { createPaymentLinks } from './payments/links.ts'
import { createRefunds } from './payments/refunds.ts'
import { createPaymentReplies } from './payments/reply.ts'
import { createRouteTable, type RouteTable } from './route-table.ts'
import { isService, type ReadRoute, ROUTES, type Route } from './routes.ts'
import { createServe } from './serve.ts'
import type { PayeeSource } from './services.ts'
import { createTranslator } from './transform/index.ts'
import { createServiceTranslator } from './transform/service-translation.ts'
import { type ApiVersion, servedRoutes, VERSIONS } from './versions.ts'

export type { PayeeSource } from './services.ts'

export type Gateway = {
  mount(app: HubApp): void
  /** Asks the LFI about up to `limit` payments that wait; how many have moved on. */
  followUpPayments(limit: number): Promise<number>
  /** Whether the LFI can be reached; for health checks. */
  hello: Connector['hello']
}

export type GatewayDeps = {
  readonly tenant: TenantConfig
  readonly db: Db
  readonly consents: ConsentStore
  readonly participants: Participants
  readonly resources: ResourceLog
  readonly deviations: Deviations
  /** By bank code, where to ask about its accounts. */
  readonly payees: ReadonlyMap<string, PayeeSource>
  readonly audit: Audit
  readonly receipts: ReceiptOffice
  readonly registry: SchemaRegistry
  readonly connector: Connector
  /** Signs answers and verifies access tokens. */
  readonly keys: KeyRing
  /** Null where no client uses DPoP. */
  readonly dpop: Dpop | null
  readonly reports: Reports
  readonly clock: Clock
  readonly log: Log
  /** What is served; by default every version there is. */
  readonly versions?: readonly ApiVersion[]
}

export function createGateway(deps: GatewayDeps): Gateway {
  const { tenant, clock, registry, keys, deviations } = deps
  const served = servedRoutes(ROUTES, deps.versions ?? VERSIONS, registry)
  const routes = createRouteTable(served, registry)
  const paymentReplies = createPaymentReplies(registry)
  const paymentLinks = createPaymentLinks(tenant.listeners.rs.origin + registry.basePath('bank-initiation'))
  const serve = createServe({
    ...deps,
    routes,
    endpoints: endpointsOf(served, routes),
    rateLimit: createRateLimit(tenant.limits.requestsPerSecond),
    accessTokens: createAccessTokens({
      issuer: tenant.listeners.auth.origin,
      audience: tenant.listeners.rs.origin,
      keys,
      clock,
      bindings: new Set(deps.dpop === null ? ['mtls'] : ['mtls', 'dpop']),
    }),
    paymentReplies,
    paymentLinks,
    refunds: createRefunds(registry),
    translator: createTranslator(
      served.filter((route): route is ReadRoute => route.follows === 'read-resource'),
      registry,
      deviations.note,
    ),
    serviceTranslator: createServiceTranslator(served.filter(isService), registry, deviations.note),
  })
  return {
    followUpPayments: (limit) => followUp({ ...deps, paymentReplies, paymentLinks }, limit),
    mount: (app) => {
      // The last thing on its listener: what it does not know is a 404 of its own, with its audit entry.
      app.use((ctx) => serve(ctx))
    },
    hello: deps.connector.hello,
  }
}

function endpointsOf(served: readonly Route[], routes: RouteTable) {
  return served.flatMap((route) => {
    const apiSet = apiSetOf(route)
    if (apiSet === null || !('scope' in route)) return []
    return [{ apiSet, method: route.method, url: routes.template(route), scope: route.scope }]
  })
}
