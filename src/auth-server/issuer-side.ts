/** The `auth` door: discovery and keys, for everybody. */
import mount from 'koa-mount'
import type { Provider } from 'oidc-provider'
import type { TenantConfig } from '../config.ts'
import { publicJwk, type SigningKey } from '../jose.ts'
import type { HubApp } from '../listener.ts'
import { hideBrowser, hideFromBrowser } from './browserless.ts'
import { DISCOVERY_MAX_AGE_SECONDS, DISCOVERY_PATH, publish } from './discovery.ts'

export function mountIssuerSide(
  app: HubApp,
  deps: {
    readonly tenant: TenantConfig
    readonly provider: Provider
    readonly signingKeys: readonly SigningKey[]
    readonly encryptionKeys: readonly SigningKey[]
  },
): void {
  const keys = {
    keys: [
      ...deps.signingKeys.map((key) => publicJwk(key, 'sig')),
      ...deps.encryptionKeys.map((key) => publicJwk(key, 'enc')),
    ],
  }
  app.use(async (ctx, next) => {
    hideBrowser(ctx)
    if (ctx.path !== DISCOVERY_PATH && ctx.path !== '/jwks') return
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
      ctx.status = 405
      ctx.set('allow', 'GET, HEAD')
      return
    }
    ctx.set('cache-control', `max-age=${DISCOVERY_MAX_AGE_SECONDS}`)
    if (ctx.path === '/jwks') {
      ctx.type = 'application/jwk-set+json'
      ctx.body = keys
      return
    }
    await next()
    hideFromBrowser(ctx)
    ctx.body = publish(ctx.body as Record<string, unknown>, deps.tenant)
  })
  app.use(mount(deps.provider) as Parameters<HubApp['use']>[0])
}
