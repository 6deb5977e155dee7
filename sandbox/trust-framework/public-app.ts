/** What anyone may read: participants, the keystore, a page for people. */
import Router from '@koa/router'
import Koa from 'koa'
import type { Directory, KeySet } from './directory.ts'
import { found, parameter, refusals } from './http.ts'
import { landingPage } from './landing-page.ts'
import { participants } from './participants.ts'
import type { RevocationList } from './revocation-list.ts'

const PARTICIPANTS_SECONDS = 900
const KEYS_SECONDS = 600

/** Where the authority's revocation list is. */
export const REVOCATION_LIST_PATH = '/pki/issuing.crl'

export function publicApp(directory: Directory, revocationList: RevocationList | null): Koa {
  const router = new Router()
  router.get('/', (ctx) => {
    ctx.set('content-security-policy', "default-src 'none'")
    ctx.type = 'html'
    ctx.body = landingPage(directory)
  })
  router.get('/participants', (ctx) => {
    ctx.set('cache-control', `max-age=${PARTICIPANTS_SECONDS}`)
    ctx.body = participants(directory)
  })
  router.get(REVOCATION_LIST_PATH, async (ctx) => {
    ctx.body = found(revocationList === null ? null : await revocationList())
    ctx.set('cache-control', 'no-store')
    ctx.type = 'application/pkix-crl'
  })
  for (const set of ['application', 'transport'] as const satisfies readonly KeySet[]) {
    router.get([`/:organisation/${set}.jwks`, `/:organisation/:client/${set}.jwks`], (ctx) => {
      const keys = found(directory.keys(set, parameter(ctx, 'organisation'), ctx.params['client']))
      ctx.set('cache-control', `max-age=${KEYS_SECONDS}`)
      ctx.type = 'application/jwk-set+json'
      ctx.body = JSON.stringify({ keys })
    })
  }
  router.get('/:organisation/:file', (ctx) => {
    const kid = /^([A-Za-z0-9_-]{43})\.pem$/.exec(parameter(ctx, 'file'))?.[1] ?? ''
    ctx.body = found(directory.pem(parameter(ctx, 'organisation'), kid))
    ctx.set('cache-control', `max-age=${KEYS_SECONDS}`)
    ctx.type = 'application/x-pem-file'
  })
  const app = new Koa()
  app.use(refusals).use(router.routes()).use(router.allowedMethods())
  return app
}
