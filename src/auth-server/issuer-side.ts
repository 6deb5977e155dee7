/** The `auth` door: discovery and keys, for everybody. */
import mount from 'koa-mount'
import type { Provider } from 'oidc-provider'
import type { TenantConfig } from '../config.ts'
import { type InForce, withEndpoints } from '../endpoints/index.ts'
import type { KeyRing } from '../keys/index.ts'
import type { HubApp } from '../listener.ts'
import { hideBrowser, hideFromBrowser } from './browserless.ts'
import { DISCOVERY_MAX_AGE_SECONDS, DISCOVERY_PATH, publish } from './discovery.ts'

export function mountIssuerSide(
  app: HubApp,
  deps: {
    readonly tenant: TenantConfig
    readonly provider: Provider
    readonly keys: KeyRing
    readonly endpoints: InForce
  },
): void {
  // Whoever keeps the keys longer than they are published ahead would meet one that it does not know.
  const aheadSeconds = deps.tenant.keys.store?.publishAheadSeconds ?? DISCOVERY_MAX_AGE_SECONDS
  const keysMaxAgeSeconds = Math.min(DISCOVERY_MAX_AGE_SECONDS, aheadSeconds)
  app.use(async (ctx, next) => {
    hideBrowser(ctx)
    if (ctx.path !== DISCOVERY_PATH && ctx.path !== '/jwks') return
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.status = 405
      ctx.set('allow', 'GET, HEAD')
      return
    }
    if (ctx.path === '/jwks') {
      ctx.body = deps.keys.now().published
      ctx.type = 'application/jwk-set+json'
      ctx.set('cache-control', `max-age=${keysMaxAgeSeconds}`)
      return
    }
    ctx.set('cache-control', `max-age=${DISCOVERY_MAX_AGE_SECONDS}`)
    await next()
    hideFromBrowser(ctx)
    ctx.body = publish(ctx.body as Record<string, unknown>, withEndpoints(deps.tenant, deps.endpoints.now()))
  })
  app.use(mount(deps.provider) as Parameters<HubApp['use']>[0])
}
