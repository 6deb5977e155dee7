/** The life of a quote and of an account opening: who began it may look at it, take it further and hear of it. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ServiceRoute } from '../../src/gateway/routes.ts'
import { complete, mutualAnswers, SERVICE_ROUTES, tppBodies } from '../unit/gateway/service-samples.ts'
import { undeclared } from './support/declared.ts'
import { json } from './support/outside.ts'
import { bodyOf, callService, errorOf } from './support/signed.ts'
import { createWorld, LFI_CALLER, type Tpp, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(async () => {
  expect(await undeclared(world)).toEqual([])
  await world.close()
})
beforeEach(() => {
  world.lfi.asked.length = 0
})

const routeOf = (service: string) => SERVICE_ROUTES.find((route) => route.service === service) as ServiceRoute
const FAMILIES = {
  'fx-quote': {
    base: '/open-finance/fx/v2.1',
    scope: 'fx',
    begin: routeOf('new-quote'),
    show: routeOf('quote'),
    id: 'FxQuoteId',
  },
  'account-opening': {
    base: '/open-finance/account-opening/v2.1',
    scope: 'account-opening',
    begin: routeOf('new-account'),
    show: routeOf('account-status'),
    id: 'AccountId',
  },
} as const
type Kind = keyof typeof FAMILIES
const pathOf = (kind: Kind, id: string) =>
  kind === 'fx-quote' ? `/open-finance/fx/v2.1/fx-quotes/${id}` : `/open-finance/account-opening/v2.1/accounts/${id}`
const shownAt = (kind: Kind, id: string) => pathOf(kind, id) + (kind === 'fx-quote' ? '' : '/status')
const subscribe = (kind: Kind, id: string, Url: string, tpp?: Tpp) =>
  callService(
    world,
    { method: 'PATCH', path: `${pathOf(kind, id)}/subscription`, scope: FAMILIES[kind].scope, as: 'json' },
    { Data: { Webhook: { Url, IsActive: true } } },
    tpp === undefined ? {} : { tpp },
  )

async function begin(kind: Kind, more: { readonly id?: string; readonly subscription?: object } = {}) {
  const { begin: route, base, id: name } = FAMILIES[kind]
  const id = more.id ?? randomUUID()
  const lfi = complete(mutualAnswers(route)) as { data: Record<string, unknown> }
  lfi.data[name] = id
  world.lfi.answer = json(route.lfi.answers, lfi)
  const { Data } = complete(tppBodies(route)) as { Data: object }
  const body = { Data, ...(more.subscription === undefined ? {} : { Subscription: more.subscription }) }
  const as = kind === 'fx-quote' ? 'json' : 'jwt'
  const answer = await callService(world, { method: 'POST', path: base + route.path, scope: route.scope, as }, body)
  return { id, answer }
}
async function show(kind: Kind, id: string, tpp?: Tpp) {
  const { show: route, scope, id: name } = FAMILIES[kind]
  const lfi = complete(mutualAnswers(route)) as { data: Record<string, unknown> }
  lfi.data[name] = id
  world.lfi.answer = json(200, lfi)
  return callService(
    world,
    { method: 'GET', path: shownAt(kind, id), scope, as: 'none' },
    undefined,
    tpp === undefined ? {} : { tpp },
  )
}
async function accept(id: string, more: object = {}) {
  const route = routeOf('quote-acceptance')
  const { Data } = complete(tppBodies(route)) as { Data: object }
  world.lfi.answer = (_asked, response) => response.writeHead(204).end()
  return callService(
    world,
    { method: 'PATCH', path: pathOf('fx-quote', id), scope: 'fx', as: 'jwt' },
    { Data, ...more },
  )
}
const WEBHOOK = { Webhook: { Url: 'https://tpp.example/events', IsActive: true } }
const found = (kind: Kind, id: string) => world.resources.findRequest(kind, id)

describe.each(Object.keys(FAMILIES) as Kind[])('%s', (kind) => {
  test('is the client’s once the LFI has begun it, and says where it is shown', async () => {
    const { id, answer } = await begin(kind, kind === 'account-opening' ? { subscription: WEBHOOK } : {})
    expect(answer.status).toBe(201)
    expect(bodyOf(answer)).toMatchObject({ Links: { Self: world.tenant.listeners.rs.origin + shownAt(kind, id) } })
    expect(await found(kind, id)).toMatchObject({
      clientId: world.one.clientId,
      organisationId: world.one.organisationId,
      subscription: kind === 'account-opening' ? WEBHOOK : null,
    })
    expect((await show(kind, id)).status).toBe(200)
  })

  test('another client’s does not exist, nor does one that nobody began', async () => {
    const { id } = await begin(kind)
    world.lfi.asked.length = 0
    for (const answer of [await show(kind, id, world.two), await show(kind, randomUUID())]) {
      expect([answer.status, answer.text]).toEqual([404, ''])
    }
    expect((await subscribe(kind, id, WEBHOOK.Webhook.Url, world.two)).status).toBe(404)
    expect(world.lfi.asked).toEqual([])
  })

  test('an LFI that gives an id twice is at fault', async () => {
    const { id } = await begin(kind)
    const { answer } = await begin(kind, { id })
    expect([answer.status, errorOf(answer).Code]).toEqual([500, 'GenericError'])
  })

  test('events go to an address of the client, and nowhere else', async () => {
    const { id } = await begin(kind)
    if (kind === 'fx-quote') expect((await accept(id)).status).toBe(204)
    world.lfi.asked.length = 0
    expect((await subscribe(kind, id, WEBHOOK.Webhook.Url)).status).toBe(204)
    expect((await found(kind, id))?.subscription).toEqual(WEBHOOK)
    const refused = await subscribe(kind, id, 'https://elsewhere.example/events')
    expect([refused.status, errorOf(refused).Code, errorOf(refused).Path]).toEqual([
      400,
      'Body.InvalidFormat',
      'Data.Webhook.Url',
    ])
    const plain = await subscribe(kind, id, 'http://tpp.example/plain')
    expect(plain.status).toBe(400)
    expect((await found(kind, id))?.subscription).toEqual(WEBHOOK)
    // The LFI has no part in it.
    expect(world.lfi.asked).toEqual([])
  })
})

describe('a quote', () => {
  test('has the words that the LFI says about its status, as long as that is its status', async () => {
    const { id } = await begin('fx-quote')
    const shown = async (status: string, own?: string) => {
      const { show: route, scope } = FAMILIES['fx-quote']
      const lfi = complete(mutualAnswers(route)) as { data: Record<string, unknown> }
      world.lfi.answer = json(200, {
        ...lfi,
        data: { ...lfi.data, FxQuoteId: id, QuoteStatus: status, AdditionalStatusInformation: own },
      })
      const answer = await callService(
        world,
        { method: 'GET', path: shownAt('fx-quote', id), scope, as: 'none' },
        undefined,
      )
      const body = bodyOf(answer) as { Data: Record<string, unknown> }
      expect([answer.status, world.registry.response('fx', 'FxQuote_read', 200)?.(body)]).toEqual([200, []])
      return body.Data['AdditionalStatusInformation']
    }
    expect(await shown('Available')).toBeUndefined()
    const said = { QuoteStatus: 'Funded', AdditionalStatusInformation: 'The money has arrived' }
    await world.resources.patchRequestByLfi('fx-quote', id, said, LFI_CALLER)
    expect([await shown('Funded'), await shown('Actioned')]).toEqual(['The money has arrived', undefined])
    expect(await shown('Funded', 'Newer')).toBe('Newer')
    await world.resources.patchRequestByLfi('fx-quote', id, { QuoteStatus: 'Funded' }, LFI_CALLER)
    expect(await shown('Funded')).toBe('The money has arrived')
    await world.resources.patchRequestByLfi('fx-quote', id, { QuoteStatus: 'Actioned' }, LFI_CALLER)
    expect(await shown('Actioned')).toBeUndefined()
  })

  test('for which the LFI has no offer has no content, and is nobody’s', async () => {
    world.lfi.answer = (_asked, response) => response.writeHead(204).end()
    const route = routeOf('new-quote')
    const answer = await callService(
      world,
      { method: 'POST', path: '/open-finance/fx/v2.1/fx-quotes', scope: 'fx', as: 'json' },
      complete(tppBodies(route)),
    )
    expect([answer.status, answer.text]).toEqual([204, ''])
  })

  test('is accepted: the LFI hears of it, the hub keeps where events go', async () => {
    const { id } = await begin('fx-quote')
    world.lfi.asked.length = 0
    expect((await accept(id, { Subscription: WEBHOOK })).status).toBe(204)
    expect(world.lfi.asked[0]?.body).not.toContain('Subscription')
    expect(await found('fx-quote', id)).toMatchObject({ status: 'Accepted', subscription: WEBHOOK })
  })

  test('is not accepted with events to somewhere else, and the LFI does not hear of it', async () => {
    const { id } = await begin('fx-quote')
    world.lfi.asked.length = 0
    const answer = await accept(id, { Subscription: { Webhook: { Url: 'https://elsewhere.example', IsActive: true } } })
    expect([answer.status, errorOf(answer).Path]).toEqual([400, 'Subscription.Webhook.Url'])
    expect(world.lfi.asked).toEqual([])
  })

  test('has no events before it is accepted', async () => {
    const { id } = await begin('fx-quote')
    const answer = await subscribe('fx-quote', id, WEBHOOK.Webhook.Url)
    expect([answer.status, errorOf(answer).Code]).toEqual([400, 'Event.UnexpectedEvent'])
  })

  test('that has ended is not accepted any more', async () => {
    const { id } = await begin('fx-quote')
    await world.resources.patchRequestByLfi('fx-quote', id, { QuoteStatus: 'Expired' }, LFI_CALLER)
    const answer = await accept(id)
    expect([answer.status, errorOf(answer).Code]).toEqual([400, 'Event.UnexpectedEvent'])
  })

  test.each(['not-a-uuid', '..', '%2e%2e', '3f6f2b0c-7c5d-4a53-9f43-0b1c2d3e4f5'])('has no id %s', async (id) => {
    const answer = await callService(
      world,
      { method: 'GET', path: pathOf('fx-quote', id), scope: 'fx', as: 'none' },
      undefined,
    )
    expect(answer.status).toBe(400)
    expect(world.lfi.asked).toEqual([])
  })
})
