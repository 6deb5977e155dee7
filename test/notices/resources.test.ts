/** Webhooks about payments, quotes and openings (tpp-api 8.3), from what the LFI says to the receiver. */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject, Subscription } from '../../src/consent-store/index.ts'
import { inTransaction } from '../../src/db.ts'
import { newCorrelationId } from '../../src/ids.ts'
import type { RequestKind } from '../../src/resource-log/index.ts'
import { loadSchemas } from '../../src/schema-registry.ts'
import { status } from './support/receiver.ts'
import { createRig, type Rig } from './support/rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await createRig()
})
afterEach(() => rig.rest())
afterAll(() => rig.close())

const RS = 'https://rs.aurora.example/open-finance'
const isEvent = loadSchemas().requestBody('webhook', 'UnsignedEventNotificationPayload_SignedEventNotificationPayload')
const MINUTE_MS = 60_000
const AED = (Amount: string) => ({ Amount, Currency: 'AED' })
const OPERATOR = { actor: 'operator', interactionId: newCorrelationId() }

type Subject = {
  readonly name: string
  /** One more, and its id. */
  readonly begin: () => Promise<string>
  /** What the LFI says of it, first and afterwards. */
  readonly say: readonly ((id: string) => Promise<unknown>)[]
  /** Of the event, in the same order. */
  readonly statuses: readonly string[]
  readonly member: string
  readonly resource: string
  readonly at: (id: string) => string
  readonly idIn: (meta: Readonly<Record<string, unknown>>, id: string) => Promise<void>
  readonly unsubscribe: (id: string) => Promise<unknown>
}

const silenced = (): Subscription => ({ Webhook: { Url: `${rig.tpp.receiver.origin}/events`, IsActive: false } })
const requested = (
  kind: RequestKind,
  member: string,
  id: string,
  at: (id: string) => string,
  said: readonly JsonObject[],
): Subject => ({
  name: kind,
  begin: () =>
    rig.asked(kind, rig.tpp, kind === 'account-opening' ? { LinkedOperations: { FxQuoteId: randomUUID() } } : {}),
  say: said.map((body) => (each: string) => rig.told(kind, each, body)),
  statuses: said.map((body) => String(body[member])),
  member,
  resource: kind,
  at,
  idIn: async (meta, each) => {
    expect(meta).toMatchObject({ [id]: each })
    expect(meta).not.toHaveProperty('ConsentId')
  },
  unsubscribe: (resourceId) =>
    inTransaction(rig.db, (tx) =>
      rig.resources.changeSubscription(tx, { kind, resourceId, clientId: rig.tpp.clientId }, silenced(), {
        by: 'tpp',
        organisationId: rig.tpp.organisationId,
        clientId: rig.tpp.clientId,
        softwareStatementId: rig.tpp.clientId,
        interactionId: null,
      }),
    ),
})
const consentOf = async (paymentId: string) => {
  const payment = await rig.resources.findPayment(paymentId)
  if (payment === null) throw new Error('no such payment')
  return payment.consentId
}
const SUBJECTS: readonly Subject[] = [
  {
    name: 'payment',
    begin: async () => {
      const consentId = await rig.payingConsent(rig.tpp)
      await rig.authorize(consentId)
      const id = await rig.paid(rig.tpp, consentId)
      // What is told of the consent is another matter.
      await rig.db('outbox').where({ kind: 'tpp-webhook', resource: 'consent' }).delete()
      return id
    },
    say: [
      (id) => rig.says(id, 'AcceptedSettlementCompleted'),
      (id) => rig.says(id, 'AcceptedCreditSettlementCompleted'),
    ],
    statuses: ['AcceptedSettlementCompleted', 'AcceptedCreditSettlementCompleted'],
    member: 'Status',
    resource: 'payment',
    at: (id) => `/payment/v2.1/payments/${id}`,
    idIn: async (meta, id) => {
      expect(meta).toMatchObject({ ConsentId: await consentOf(id) })
      expect(meta).not.toHaveProperty('PaymentId')
    },
    unsubscribe: async (id) => rig.patchByTpp(rig.tpp, await consentOf(id), silenced()),
  },
  requested('account-opening', 'OpeningStatus', 'AccountId', (id) => `/account-opening/v2.1/accounts/${id}/status`, [
    { OpeningStatus: 'AwaitingUserInput', AdditionalStatusInformation: 'Please visit us' },
    { OpeningStatus: 'Completed' },
  ]),
  requested('fx-quote', 'QuoteStatus', 'FxQuoteId', (id) => `/fx/v2.1/fx-quotes/${id}`, [
    { QuoteStatus: 'Funded' },
    {
      QuoteStatus: 'Completed',
      Trade: { BuyAmount: AED('1.00'), SellAmount: AED('2.00') },
      Commission: { CommissionAmount: AED('0.10') },
    },
  ]),
  requested('insurance-quote', 'QuoteStatus', 'QuoteId', (id) => `/insurance/v2.1/quotes/${id}`, [
    { QuoteStatus: 'PaymentRequired', BrokerInstructions: [{ ActionRequired: 'Collect' }] },
    { QuoteStatus: 'LFICancelled', Reason: 'Too late' },
  ]),
]

const opened = async () => {
  const events = await Promise.all(rig.tpp.receiver.received.map(({ body }) => rig.open(rig.tpp, body)))
  return events.map(({ claims }) => claims)
}
const outcomes = async () => (await rig.settled('tpp-webhook')).map(({ state, outcome }) => [state, outcome])

describe.each(SUBJECTS)('$name', ({ begin, say, statuses, member, resource, at, idIn, unsubscribe }) => {
  const sayAll = async (id: string) => {
    for (const each of say) await each(id)
  }

  test('is told as the document says, in the order of the changes', async () => {
    const id = await begin()
    await sayAll(id)
    rig.work()
    expect(await outcomes()).toEqual(say.map(() => ['delivered', 'answered 202']))
    const events = await opened()
    expect(events.map(({ message }) => message.Data[member])).toEqual(statuses)
    for (const event of events) {
      expect(isEvent?.(event)).toEqual([])
      const { EventDateTime, EventResource, EventType } = event.message.Meta
      expect([EventResource, EventType]).toEqual([RS + at(id), 'Resource.Updated'])
      expect(EventDateTime).toMatch(/^\d{4}-/)
      await idIn(event.message.Meta, id)
    }
    expect(await rig.desk.list('delivered')).toMatchObject(
      statuses.map(() => ({ resource, resourceId: id, clientId: rig.tpp.clientId })),
    )
  })

  test('one that is not taken holds back what comes after it about the same thing, and nothing else', async () => {
    const [held, free] = [await begin(), await begin()]
    let first = true
    rig.tpp.receiver.answer = (received, response) => {
      status(first ? 500 : 202)(received, response)
      first = false
    }
    await say[0]?.(held)
    rig.work()
    await rig.tried(1)
    await say[1]?.(held)
    await say[0]?.(free)
    await rig.tpp.receiver.until(2)
    rig.advance(2 * MINUTE_MS)
    await rig.tpp.receiver.until(4)
    const told = (await opened()).map(({ message }) => [message.Meta['EventResource'], message.Data[member]])
    expect(told).toEqual([
      [RS + at(held), statuses[0]],
      [RS + at(free), statuses[0]],
      [RS + at(held), statuses[0]],
      [RS + at(held), statuses[1]],
    ])
  })

  test('a TPP that has unsubscribed since hears no more of it', async () => {
    const id = await begin()
    await say[0]?.(id)
    await unsubscribe(id)
    rig.work()
    expect(await outcomes()).toEqual([['dropped', 'the TPP has unsubscribed']])
    await say[1]?.(id)
    expect(await rig.rows('tpp-webhook')).toHaveLength(1)
    expect(rig.tpp.receiver.received).toEqual([])
  })

  test('what was refused for good is a dead letter, and goes out once more at the wish of the operator', async () => {
    const id = await begin()
    rig.tpp.receiver.answer = status(410)
    await say[0]?.(id)
    rig.work()
    expect(await outcomes()).toEqual([['dead', 'answered 410']])
    const [letter, ...others] = await rig.desk.list('dead')
    expect(others).toEqual([])
    expect(letter).toMatchObject({ resource, resourceId: id, clientId: rig.tpp.clientId })
    rig.tpp.receiver.answer = status(204)
    expect(await rig.desk.redeliver(letter?.id ?? '', OPERATOR)).toBe(true)
    expect(await outcomes()).toEqual([['delivered', 'answered 204']])
    expect(new Set((await opened()).map(({ jti }) => jti)).size).toBe(1)
  })
})

test('a request that is gone leaves nobody to tell', async () => {
  const id = await rig.asked('fx-quote', rig.tpp)
  await rig.told('fx-quote', id, { QuoteStatus: 'Expired' })
  await rig.db('service_request').where({ resource_id: id }).delete()
  rig.work()
  expect(await outcomes()).toEqual([['dropped', 'what it is about is gone']])
})
