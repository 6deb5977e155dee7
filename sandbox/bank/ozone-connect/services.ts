/** Operations without a consent: cash machines, products, leads, quotes, openings, and whose an account is. */
import type Router from '@koa/router'
import type Koa from 'koa'
import type { Book } from '../data/book.ts'
import type { Desk, OpeningAsk, QuoteAsk } from '../data/desk.ts'
import { accountByIban, owners } from '../data/owners.ts'
import { cashMachines, type Offer, offers } from '../data/shop.ts'
import { socketOf } from './health.ts'
import type { HubCaller } from './hub-caller.ts'
import { readable } from './operations.ts'
import { readJson } from './read-json.ts'
import { invalid, Refusal } from './refusal.ts'
import { paged, readMoment, readPage, readServiceHeaders, type ServiceNeeds, single } from './request.ts'

type Deps = { readonly book: Book; readonly desk: Desk; readonly hub: HubCaller; readonly asOfDay: number }
type Ask = { readonly ctx: Koa.Context; readonly client: string; readonly body: unknown }
type Operation = {
  readonly method: 'get' | 'post' | 'patch'
  readonly path: string
  readonly needs: ServiceNeeds
  /** Null is no content. */
  readonly answer: (ask: Ask, deps: Deps) => { readonly status: 200 | 201; readonly body: object } | null
}

const ok = (body: object) => ({ status: 200, body }) as const
const created = (body: object) => ({ status: 201, body }) as const
const found = <T extends object>(body: T | null): T => {
  if (body === null) throw new Refusal(404, 'Resource.NotFound', 'there is none such')
  return body
}
const dataOf = (body: unknown): object => {
  const data = (body as { readonly data?: unknown } | null)?.data
  if (typeof data !== 'object' || data === null) throw invalid('the body has no data')
  return data
}

const OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/customers/action/cop-query',
    needs: { aspsp: true, customerIp: false },
    answer({ ctx, body }, { book }) {
      const page = readPage(ctx.query)
      const { account } = dataOf(body) as { readonly account?: { readonly identification?: unknown } }
      const known = accountByIban(book.bank, String(account?.identification))
      const { rows, meta } = paged(known === null ? [] : owners(readable(known), book.bank), page)
      return ok({ data: rows, meta })
    },
  },
  {
    method: 'get',
    path: '/atm',
    needs: { aspsp: false, customerIp: false },
    answer: (_ask, { book, asOfDay }) => ok(cashMachines(book.bank, asOfDay)),
  },
  {
    method: 'get',
    path: '/products',
    needs: { aspsp: false, customerIp: true },
    answer({ ctx }, { book, asOfDay }) {
      const { rows, meta } = paged(chosen(offers(book.bank, asOfDay), ctx.query), readPage(ctx.query))
      return ok({ data: [{ LFIId: book.bank.code, LFIBrandId: book.bank.code, Products: rows }], meta })
    },
  },
  {
    method: 'post',
    path: '/leads',
    needs: { aspsp: false, customerIp: true },
    answer: ({ body }, { desk }) => created(desk.lead(dataOf(body))),
  },
  {
    method: 'post',
    path: '/fx-quotes',
    needs: { aspsp: false, customerIp: false },
    answer({ client, body }, { desk }) {
      const quote = desk.quote(dataOf(body) as QuoteAsk, client)
      return quote === null ? null : created(quote)
    },
  },
  {
    method: 'get',
    path: '/fx-quotes/:id',
    needs: { aspsp: false, customerIp: false },
    answer: ({ ctx, client }, { desk }) => ok(found(desk.quoteOf(String(ctx['params'].id), client))),
  },
  {
    method: 'patch',
    path: '/fx-quotes/:id',
    needs: { aspsp: false, customerIp: false },
    answer({ ctx, client }, { desk }) {
      if (!desk.accept(String(ctx['params'].id), client)) found(null)
      return null
    },
  },
  {
    method: 'post',
    path: '/accounts',
    needs: { aspsp: false, customerIp: false },
    answer: ({ client, body }, { desk }) => ok(desk.open(dataOf(body) as OpeningAsk, client)),
  },
  {
    method: 'get',
    path: '/accounts/:id/status',
    needs: { aspsp: false, customerIp: false },
    answer: ({ ctx, client }, { desk }) => ok(found(desk.openingOf(String(ctx['params'].id), client))),
  },
]

export function serviceRoutes<State>(router: Router<State>, deps: Deps): void {
  for (const { method, path, needs, answer } of OPERATIONS) {
    router[method](path, async (ctx) => {
      await deps.hub.admit(socketOf(ctx), ctx.req.headers.authorization)
      const { client } = readServiceHeaders(ctx.req.headers, deps.book.bank.code, ctx.method, needs)
      const body = method === 'get' ? null : await readJson(ctx.req)
      const answered = answer({ ctx, client, body }, deps)
      ctx.status = answered?.status ?? 204
      if (answered !== null) ctx.body = answered.body
    })
  }
}

function chosen(all: readonly Offer[], query: Koa.Context['query']): readonly Offer[] {
  const category = single(query, 'ProductCategory')
  const sharia = single(query, 'IsShariaCompliant')
  const since = readMoment(query, 'LastUpdatedDateTime')
  const by = single(query, 'SortField') === 'ProductId' ? 'ProductId' : 'LastUpdatedDateTime'
  const way = single(query, 'SortOrder') === 'desc' ? -1 : 1
  return all
    .filter((offer) => category === null || offer.ProductCategory === category)
    .filter((offer) => sharia === null || String(offer.IsShariaCompliant) === sharia)
    .filter((offer) => since === null || Date.parse(offer.LastUpdatedDateTime) >= since)
    .toSorted((a, b) => way * (a[by] < b[by] ? -1 : a[by] > b[by] ? 1 : 0))
}
