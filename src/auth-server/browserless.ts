/**
 * The engine is made for browsers: it keeps its state in cookies and opens its endpoints to scripts of other origins.
 * Every caller here is a server, so neither gets in or out (authorization-server 3, FAPI 2.0 SP 5.3.2).
 */
import type { HubContext } from '../listener.ts'

const FOR_BROWSERS = [
  'set-cookie',
  'vary',
  'access-control-allow-origin',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-expose-headers',
  'access-control-max-age',
]

export function hideBrowser(ctx: HubContext): void {
  delete ctx.req.headers.cookie
  delete ctx.req.headers.origin
}

export function hideFromBrowser(ctx: HubContext): void {
  for (const name of FOR_BROWSERS) ctx.remove(name)
}
