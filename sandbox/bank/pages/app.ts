/** The authorization side of the bank: login, consent, connected apps (lfi-api 1.7, 2.10). */
import Router from '@koa/router'
import Koa from 'koa'
import type { Book } from '../data/book.ts'
import type { Log } from '../log.ts'
import type { PersonalReader } from '../payments/personal.ts'
import { STAFF } from '../staff.ts'
import { authorizationRoutes } from './authorization.ts'
import { connectedAppsRoutes } from './connected-apps.ts'
import type { Hub } from './hub.ts'
import { HubFailure } from './hub-transport.ts'
import { createLogin } from './login.ts'
import type { Rooms } from './rooms.ts'
import { createSessions } from './session.ts'
import { staffRoutes } from './staff.ts'
import { style, type ThemeName } from './style.ts'
import { errorPage, type Site } from './templates.ts'
import { type Ctx, createCookie, protect, type State, Stop } from './visit.ts'

export type PagesDeps = {
  readonly book: Book
  readonly name: string
  readonly theme: ThemeName
  readonly publicBase: string
  readonly hub: Hub
  readonly personal: PersonalReader
  readonly log: Log
  readonly now: () => number
}

export function createPages(deps: PagesDeps): Koa<State> {
  const base = new URL(deps.publicBase).pathname.replace(/\/$/, '')
  const site: Site = { book: deps.book, name: deps.name, base }
  const sessions = createSessions(deps.now)
  const rooms: Rooms = {
    site,
    hub: deps.hub,
    personal: deps.personal,
    now: deps.now,
    sessions,
    cookie: createCookie(sessions, deps.book.bank.code, base),
    login: createLogin(deps.book.bank.users, deps.now),
    staffLogin: createLogin([STAFF], deps.now),
  }
  const router = new Router<State>({ prefix: base })
  authorizationRoutes(router, rooms)
  connectedAppsRoutes(router, rooms)
  staffRoutes(router, rooms)
  router.get('/style.css', (ctx) => {
    ctx.type = 'text/css'
    ctx.body = style(deps.theme)
  })

  const app = new Koa<State>()
  app.use(async (ctx, next) => {
    const began = deps.now()
    ctx.state.formTargets = []
    await next().catch((thrown: unknown) => stop(ctx, site, thrown))
    if (ctx.status === 404) stop(ctx, site, new Stop(404, 'No such page', 'There is nothing at this address.'))
    protect(ctx)
    deps.log({
      surface: 'pages',
      method: ctx.method,
      route: typeof ctx['_matchedRoute'] === 'string' ? ctx['_matchedRoute'] : 'none',
      status: ctx.status,
      ms: deps.now() - began,
      interactionId: null,
      ...(ctx.state.reason === undefined ? {} : { reason: ctx.state.reason }),
    })
  })
  app.use(router.routes()).use(router.allowedMethods())
  return app
}

function stop(ctx: Ctx, site: Site, thrown: unknown): void {
  const halt = toStop(thrown)
  ctx.state.reason =
    thrown instanceof Stop ? thrown.title : `failed: ${thrown instanceof Error ? thrown.name : 'thrown value'}`
  ctx.status = halt.status
  ctx.type = 'html'
  ctx.body = errorPage(site, { title: halt.title, reason: halt.message, interactionId: halt.interactionId })
}

function toStop(thrown: unknown): Stop {
  if (thrown instanceof Stop) return thrown
  if (thrown instanceof HubFailure) {
    return new Stop(502, 'The open-finance hub does not answer', 'Please try again in a moment.', thrown.interactionId)
  }
  return new Stop(500, 'Something went wrong', 'The bank could not show this page.')
}
