/** The Ozone Connect side of the bank: what the hub calls (lfi-api 3). */
import Router from '@koa/router'
import Koa from 'koa'
import type { Book } from '../data/book.ts'
import { createDesk } from '../data/desk.ts'
import type { UserSpec } from '../data/spec.ts'
import type { Log } from '../log.ts'
import type { Ledger } from '../payments/ledger.ts'
import type { PersonalReader } from '../payments/personal.ts'
import { paymentRoutes } from '../payments/routes.ts'
import { consentRoutes } from './consents.ts'
import { faultOf } from './faults.ts'
import { healthRoutes, socketOf } from './health.ts'
import type { HubCaller } from './hub-caller.ts'
import { ACCOUNT_OPERATIONS, accountList, askedFor, held, readable } from './operations.ts'
import { invalid, Refusal } from './refusal.ts'
import { readConsentHeaders, readHeaders } from './request.ts'
import { serviceRoutes } from './services.ts'

type State = { reason?: string }

export function createOzoneConnect(deps: {
  readonly book: Book
  readonly hub: HubCaller
  readonly ledger: Ledger
  readonly personal: PersonalReader
  readonly log: Log
  readonly now: () => number
  readonly asOfDay: number
}): Koa<State> {
  const { book, hub } = deps
  const app = new Koa<State>()
  const router = new Router<State>()
  healthRoutes(router)
  serviceRoutes(router, { book, hub, desk: createDesk(book.bank, deps.now), asOfDay: deps.asOfDay })
  consentRoutes(router, {
    bank: book.bank.code,
    admit: (ctx) => hub.admit(socketOf(ctx), ctx.req.headers.authorization),
  })

  /** The hub, on behalf of one of our users. */
  async function admit(ctx: Koa.Context, method: 'GET' | 'POST' = 'GET'): Promise<UserSpec> {
    await hub.admit(socketOf(ctx), ctx.req.headers.authorization)
    const user = book.user(readHeaders(ctx.req.headers, book.bank.code, method).userId)
    if (user === null) throw new Refusal(400, 'Consent.InvalidUserIdentifier', 'no such user')
    return user
  }

  paymentRoutes(router, {
    book,
    ledger: deps.ledger,
    personal: deps.personal,
    admit,
    admitForConsent: async (ctx) => {
      await hub.admit(socketOf(ctx), ctx.req.headers.authorization)
      return readConsentHeaders(ctx.req.headers, book.bank.code)
    },
  })

  /** Reads, unless the account orders something else. */
  async function answer(ctx: Koa.Context, accountId: string | null, read: () => object): Promise<void> {
    const fault = accountId === null ? null : await faultOf(accountId)?.run()
    if (fault?.does === 'drop') {
      ctx.respond = false
      ctx.req.socket.destroy()
      return
    }
    ctx.body = fault?.does === 'answer' ? fault.body : read()
  }

  router.get('/accounts', async (ctx) => {
    const user = await admit(ctx)
    const body = accountList(book, user, ctx.query)
    const [first, second] = askedFor(ctx.query)
    await answer(ctx, second === undefined ? (first ?? null) : null, () => body)
  })
  router.get('/customer', async (ctx) => {
    const user = await admit(ctx)
    ctx.body = { data: book.customer(user), meta: {} }
  })
  for (const { path, read } of ACCOUNT_OPERATIONS) {
    router.get(path, async (ctx) => {
      const user = await admit(ctx)
      const account = readable(held(book, user, ctx.params['accountId'] ?? ''))
      const show = currencyOf(ctx.get('o3-fx-transactions'))
      await answer(ctx, account.id, () => read({ book, account, query: ctx.query, show }))
    })
  }

  app.use(async (ctx, next) => {
    const began = deps.now()
    await next().catch((thrown: unknown) => refuse(ctx, thrown))
    ctx.set('cache-control', 'no-store')
    if (ctx.respond !== false && ctx.status === 404 && ctx.body === undefined)
      refuse(ctx, new Refusal(404, 'Resource.NotFound', 'no such path'))
    deps.log({
      surface: 'ozone-connect',
      method: ctx.method,
      route: typeof ctx['_matchedRoute'] === 'string' ? ctx['_matchedRoute'] : 'none',
      status: ctx.respond === false ? null : ctx.status,
      ms: deps.now() - began,
      interactionId: ctx.get('o3-ozone-interaction-id') || null,
      ...(ctx.state.reason === undefined ? {} : { reason: ctx.state.reason }),
    })
  })
  app.use(router.routes()).use(router.allowedMethods())
  return app
}

function currencyOf(header: string): 'all' | 'foreign' {
  if (header === '' || header === 'false') return 'all'
  if (header === 'true') return 'foreign'
  throw invalid('header o3-fx-transactions is not a boolean')
}

function refuse(ctx: Koa.ParameterizedContext<State>, thrown: unknown): void {
  const refusal = thrown instanceof Refusal ? thrown : new Refusal(500, 'GenericError', 'the bank failed')
  ctx.state.reason =
    refusal === thrown ? refusal.message : `failed: ${thrown instanceof Error ? thrown.name : 'thrown value'}`
  ctx.status = refusal.status
  ctx.set({ ...refusal.headers })
  ctx.body = { errorCode: refusal.errorCode, errorMessage: refusal.message }
}
