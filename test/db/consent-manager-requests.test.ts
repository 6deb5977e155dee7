/** What the LFI says of account openings and quotes, over its real door (lfi-api 2.9). */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { iso } from '../../src/clock.ts'
import type { JsonObject, Subscription } from '../../src/consent-store/index.ts'
import { inTransaction } from '../../src/db.ts'
import type { RequestKind } from '../../src/resource-log/index.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { openManager, said, type TestManager } from '../unit/consent-store/manager.ts'
import { CLIENT, NOW, ORGANISATION, TPP, WEBHOOK } from '../unit/consent-store/support.ts'

let database: TestDatabase
let cm: TestManager
beforeAll(async () => {
  database = await createTestDatabase()
  cm = await openManager(database.db)
})
afterAll(async () => {
  await cm?.close()
  await database?.close()
})
beforeEach(() => cm.hub.clock.set(NOW))

const notices = (resource: string, id: string) =>
  database.db('outbox').where({ resource, resource_id: id }).orderBy('id').select()

const amount = (text: string) => ({ Amount: text, Currency: 'AED' })
const TRADE = { SellAmount: amount('100.00'), BuyAmount: { Amount: '27.20', Currency: 'USD' } }
const COMPLETED = {
  QuoteStatus: 'Completed',
  PolicyTerm: 'P1Y',
  Premium: {
    OneYearPremiumExcludingVAT: amount('100.00'),
    VATAmount: amount('5.00'),
    TotalOneYearPremium: amount('105.00'),
  },
  CustomerPaidInFull: true,
  PolicyCountrySubDivision: 'Dubai',
}
type Kind = {
  readonly kind: RequestKind
  readonly path: string
  readonly member: string
  readonly first: string
  /** On the way, then an end. */
  readonly next: JsonObject
  readonly end: JsonObject
  readonly told: (id: string, body: JsonObject) => JsonObject
  readonly refused: readonly unknown[]
}
const KINDS: readonly Kind[] = [
  {
    kind: 'account-opening',
    path: '/account-opening-log',
    member: 'OpeningStatus',
    first: 'Pending',
    next: { OpeningStatus: 'AwaitingUserInput', AdditionalStatusInformation: 'Please visit us' },
    end: { OpeningStatus: 'Completed' },
    told: (id, body) => ({ AccountId: id, LinkedOperations: { FxQuoteId: 'fx-1' }, ...body }),
    refused: [{}, { OpeningStatus: 'Opened' }, { OpeningStatus: 'Pending', AdditionalStatusInformation: '' }, [], null],
  },
  {
    kind: 'fx-quote',
    path: '/fx-quote-log',
    member: 'QuoteStatus',
    first: 'Available',
    next: { QuoteStatus: 'Funded', AdditionalStatusInformation: 'Arrived' },
    end: { QuoteStatus: 'Completed', Trade: TRADE, Commission: { CommissionAmount: amount('1.00') } },
    told: (id, body) => ({ FxQuoteId: id, ...body }),
    refused: [
      {},
      { QuoteStatus: 'Accepted' },
      { QuoteStatus: 'Completed' },
      { QuoteStatus: 'Completed', Trade: TRADE },
      {
        QuoteStatus: 'Completed',
        Trade: { ...TRADE, SellAmount: amount('1') },
        Commission: { CommissionAmount: amount('1.00') },
      },
    ],
  },
  {
    kind: 'insurance-quote',
    path: '/insurance-quote-log',
    member: 'QuoteStatus',
    first: 'Available',
    next: { QuoteStatus: 'PaymentRequired', BrokerInstructions: [{ ActionRequired: 'Collect' }] },
    end: COMPLETED,
    told: (_id, body) => body,
    refused: [
      {},
      { QuoteStatus: 'Completed' },
      { ...COMPLETED, PolicyTerm: '1Y' },
      { ...COMPLETED, PolicyCountrySubDivision: 'Muscat' },
      { QuoteStatus: 'PaymentRequired', BrokerInstructions: [] },
      { QuoteStatus: 'PaymentRequired', BrokerInstructions: [{}] },
    ],
  },
]

describe.each(KINDS)('$kind', ({ kind, path, member, first, next, end, told, refused }) => {
  const active: Subscription = { Webhook: { Url: WEBHOOK, IsActive: true } }
  const asked = async (subscription: Subscription | null): Promise<string> => {
    const resourceId = randomUUID()
    const echoed = kind === 'account-opening' ? { LinkedOperations: { FxQuoteId: 'fx-1' } } : {}
    const request = {
      kind,
      resourceId,
      clientId: CLIENT,
      organisationId: ORGANISATION,
      status: first,
      subscription,
      echoed,
    }
    await inTransaction(database.db, (tx) => cm.resources.recordRequest(tx, request, TPP))
    return resourceId
  }
  const say = (id: string, body: unknown) => cm.call('PATCH', `${path}/${id}`, { body })

  test('goes on until it ends, and its TPP hears of it', async () => {
    const id = await asked(active)
    cm.hub.clock.advance(1000)
    expect(said(await say(id, { ...next, unknownToTheDocument: 'stays here' }))).toBe('204')
    cm.hub.clock.advance(1000)
    expect(said(await say(id, end))).toBe('204')
    const [one, two, ...more] = await notices(kind, id)
    expect(more).toEqual([])
    const opening = kind === 'account-opening'
    const at = (ms: number) => (opening ? { OpeningStatusUpdateDateTime: iso((NOW + ms) as typeof NOW) } : {})
    expect(one.body).toEqual({ ...told(id, next), ...at(1000) })
    expect(two.body).toEqual({ ...told(id, end), ...at(2000) })
    expect(one).toMatchObject({
      consent_id: null,
      client_id: CLIENT,
      url: WEBHOOK,
      event: 'Resource.Updated',
      revision: 2,
    })

    const after = await say(id, next)
    expect([said(after), after.body['errorMessage']]).toEqual(['400 Event.UnexpectedEvent', 'The request has ended'])
    expect(await cm.resources.findRequest(kind, id)).toMatchObject({ status: end[member], revision: 3 })
    const { id: logged } = await database.db('service_request').where({ resource_id: id }).first()
    const trail = await database.db('resource_trail').where({ resource: kind, log_id: logged }).orderBy('revision')
    expect(trail.map(({ change, status_to }) => [change, status_to])).toEqual([
      ['asked', first],
      ['patched', next[member]],
      ['patched', end[member]],
    ])
  })

  test('of a TPP that did not subscribe is told to nobody', async () => {
    for (const subscription of [null, { Webhook: { Url: WEBHOOK, IsActive: false } }]) {
      const id = await asked(subscription)
      expect(said(await say(id, next))).toBe('204')
      expect(await notices(kind, id)).toEqual([])
    }
  })

  test('keeps nothing of what the LFI says but the status', async () => {
    const id = await asked(null)
    await say(id, end)
    const row = await database.db('service_request').where({ kind, resource_id: id }).first()
    expect(JSON.stringify(row)).not.toMatch(/100\.00|Collect|visit/)
  })

  test('is refused in any other form', async () => {
    const id = await asked(active)
    for (const body of refused) expect(said(await say(id, body)), JSON.stringify(body)).toBe('400 Body.InvalidFormat')
    expect(said(await cm.call('PATCH', `${path}/${id}`, { raw: '{', type: 'application/json' }))).toBe(
      '400 Body.InvalidFormat',
    )
    expect(said(await cm.call('PATCH', `${path}/${id}`, { raw: '{}', type: 'text/plain' }))).toBe('415')
    expect(said(await cm.call('PATCH', `${path}/${id}`))).toBe('415')
    expect(said(await cm.call('PATCH', `${path}/${id}?dry=1`, { body: next }))).toBe('400 Resource.InvalidFormat')
    expect(await cm.resources.findRequest(kind, id)).toMatchObject({ status: first, revision: 1 })
    expect(await notices(kind, id)).toEqual([])
  })

  test('that is not there is an unknown one, of another kind as well', async () => {
    const id = await asked(active)
    const other = KINDS.find((each) => each.kind !== kind)
    const replies = [
      await say(randomUUID(), next),
      await cm.call('PATCH', `${other?.path}/${id}`, { body: other?.next }),
    ]
    for (const reply of replies)
      expect([said(reply), reply.body['errorMessage']]).toEqual([
        '400 Resource.InvalidFormat',
        'There is no such request',
      ])
  })

  test('is the business of the LFI alone', async () => {
    const id = await asked(active)
    for (const as of [{}, cm.otherLfi, cm.stranger])
      expect(said(await cm.call('PATCH', `${path}/${id}`, { as, body: next }))).toBe('401')
    expect(await cm.resources.findRequest(kind, id)).toMatchObject({ revision: 1 })
  })
})
