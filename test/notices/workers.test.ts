/** Several workers, workers that die, and what the operator does about events that were given up. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAuditReader } from '../../src/audit/index.ts'
import { plus, toMilliseconds } from '../../src/clock.ts'
import { newCorrelationId } from '../../src/ids.ts'
import { claimLfiEvents, claimWebhooks, postpone, settle } from '../../src/notices/queue.ts'
import { silence, status } from './support/receiver.ts'
import { createRig, type Rig } from './support/rig.ts'

let rig: Rig
let shared: Rig
beforeAll(async () => {
  shared = await createRig({ tpps: 2, webhooks: { perReceiver: 4 } })
})
afterAll(() => shared.close())
beforeEach(() => {
  rig = shared
})
afterEach(() => (rig === shared ? rig.rest() : rig.close()))

const claim = (limit = 10) =>
  claimWebhooks(rig.db, rig.clock.now(), plus(rig.clock.now(), toMilliseconds(60_000)), { busy: [], limit })
const jtis = async () =>
  (await Promise.all(rig.tpp.receiver.received.map(({ body }) => rig.open(rig.tpp, body)))).map(
    ({ claims }) => claims.jti,
  )

test('any number of workers send each webhook and each event to the LFI once, in the order of each consent', async () => {
  const ids = await Promise.all(Array.from({ length: 12 }, () => rig.subscribed()))
  for (const id of ids) await rig.authorize(id)
  for (const id of ids) await rig.suspend(id)
  for (let index = 0; index < 3; index += 1) rig.work()
  for (const id of ids) await rig.revoke(id)
  await rig.settled('tpp-webhook')
  await rig.settled('lfi-event')
  expect(new Set(await jtis()).size).toBe(36)
  expect(rig.tpp.receiver.received).toHaveLength(36)
  const said = await Promise.all(rig.tpp.receiver.received.map(({ body }) => rig.open(rig.tpp, body)))
  const perConsent = Map.groupBy(said, ({ claims }) => claims.message.Data['ConsentId'])
  expect(
    new Set([...perConsent.values()].map((each) => each.map(({ claims }) => claims.message.Data['Status']).join(' '))),
  ).toEqual(new Set(['Authorized Suspended Revoked']))
  const told = Map.groupBy(rig.lfi.received, ({ body }) => (JSON.parse(body) as { id: string }).id)
  expect(new Set([...told.values()].map((each) => each.map(({ path }) => path.split('/').at(-1)).join(' ')))).toEqual(
    new Set(['post patch patch patch']),
  )
  expect(told.size).toBe(12)
})

describe('a claim', () => {
  test('is one of each receiver, the oldest of its consent, and nobody else gets it', async () => {
    const [first, second] = [await rig.subscribed(), await rig.subscribed(rig.tpps[1])]
    for (const id of [first, second]) {
      await rig.authorize(id)
      await rig.suspend(id)
    }
    const claims = await Promise.all([claim(), claim(), claim()])
    const all = claims.flat()
    expect(all.map(({ about }) => 'consentId' in about && about.consentId).sort()).toEqual([first, second].sort())
    expect(all.map(({ attempts }) => attempts)).toEqual([1, 1])
    expect(await claim()).toEqual([])
  })

  test('of a worker that has died runs out, and the webhook goes out again with the same id', async () => {
    await rig.authorize(await rig.subscribed())
    // The first worker dies after it has sent and before it has said so.
    const [lost] = await claim()
    if (lost === undefined) throw new Error('nothing was claimed')
    rig.work()
    rig.advance(59_000)
    await new Promise((later) => setTimeout(later, 200))
    expect(rig.tpp.receiver.received).toEqual([])
    rig.advance(2_000)
    await rig.settled('tpp-webhook')
    expect(await jtis()).toEqual([lost.eventId])
    expect(await rig.rows('tpp-webhook')).toMatchObject([{ state: 'delivered', attempts: 2 }])
    // Were it only late, what it has to say now would be about somebody else's claim.
    expect(await settle(rig.db, lost, 'dead', 'too late', rig.clock.now())).toBe(false)
    expect(await postpone(rig.db, lost, 'too late', rig.clock.now())).toBe(false)
    expect(await rig.rows('tpp-webhook')).toMatchObject([{ state: 'delivered', outcome: 'answered 202' }])
  })

  test('of an event to the LFI runs out as well, and it does not go out again', async () => {
    await rig.subscribed()
    // One that came after those nobody wants were removed is not told to the LFI either.
    const until = plus(rig.clock.now(), toMilliseconds(60_000))
    expect(await claimLfiEvents(rig.db, until, { heard: ['insurance'], limit: 10 })).toEqual([])
    const [lost] = await claimLfiEvents(rig.db, until, { heard: ['account-access'], limit: 10 })
    expect(lost).toMatchObject({ event: 'post' })
    expect(await claimLfiEvents(rig.db, rig.clock.now(), { heard: ['account-access'], limit: 10 })).toEqual([])
    rig.work()
    rig.advance(61_000)
    await rig.settled('lfi-event')
    expect(await rig.rows('lfi-event')).toMatchObject([{ state: 'failed', outcome: 'lost with its worker' }])
    expect(rig.lfi.received).toEqual([])
  })
})

test('a worker that is asked to stop takes up nothing new and finishes what is on its way', async () => {
  let go = (): void => {}
  const gate = new Promise<void>((open) => {
    go = open
  })
  rig.tpp.receiver.answer = (received, response) => void gate.then(() => status(202)(received, response))
  const worker = rig.work()
  await rig.authorize(await rig.subscribed())
  await rig.tpp.receiver.until(1)
  const stopped = worker.stop()
  await rig.authorize(await rig.subscribed())
  go()
  await stopped
  expect((await rig.rows('tpp-webhook')).map(({ state }) => state)).toEqual(['delivered', 'waiting'])
})

test('a receiver that hangs does not keep a worker from stopping, and gets the event later', async () => {
  rig = await createRig({ drainSeconds: 0, webhooks: { timeoutMs: 60_000 as never } })
  rig.tpp.receiver.answer = silence
  const worker = rig.work()
  await rig.authorize(await rig.subscribed())
  await rig.tpp.receiver.until(1)
  await worker.stop()
  expect(await rig.rows('tpp-webhook')).toMatchObject([{ state: 'waiting', attempts: 1 }])
  rig.tpp.receiver.answer = status(202)
  rig.advance(61_000)
  rig.work()
  await rig.settled('tpp-webhook')
  expect(new Set(await jtis()).size).toBe(1)
})

describe('the operator', () => {
  const dead = async () => {
    rig.tpp.receiver.answer = status(410)
    rig.work()
    const id = await rig.subscribed()
    await rig.authorize(id)
    await rig.settled('tpp-webhook')
    return id
  }
  const by = { actor: 'operator', interactionId: newCorrelationId() }

  test('sees dead letters, without what they say, and sends one again', async () => {
    const consentId = await dead()
    const [letter, ...others] = await rig.desk.list('dead')
    expect(others).toEqual([])
    expect(letter).toEqual({
      id: expect.any(String),
      eventId: expect.any(String),
      at: expect.any(String),
      state: 'dead',
      attempts: 1,
      outcome: 'answered 410',
      dueAt: null,
      settledAt: expect.any(String),
      resource: 'consent',
      resourceId: null,
      consentId,
      clientId: rig.tpp.clientId,
    })
    expect(await rig.desk.counts()).toEqual(expect.arrayContaining([{ kind: 'tpp-webhook', state: 'dead', count: 1 }]))
    rig.tpp.receiver.answer = status(204)
    // Given up long ago: the time counts from now.
    rig.advance(3 * 86_400_000)
    expect(await rig.desk.redeliver(letter?.id ?? '', by)).toBe(true)
    await rig.settled('tpp-webhook')
    expect(await rig.desk.list('dead')).toEqual([])
    expect(await rig.desk.list('delivered')).toMatchObject([{ id: letter?.id, attempts: 1, outcome: 'answered 204' }])
    expect(new Set(await jtis())).toEqual(new Set([letter?.eventId]))
    const recorded = await createAuditReader({ db: rig.db }).findByInteraction(by.interactionId)
    expect(recorded.map(({ entry }) => entry)).toMatchObject([
      { kind: 'admin-act', actor: 'operator', act: 'webhook redelivered', target: letter?.id },
    ])
  })

  test('cannot send again what is under way, what is no webhook, and what is not there', async () => {
    rig.tpp.receiver.answer = silence
    await rig.authorize(await rig.subscribed())
    const [waiting] = await rig.rows('tpp-webhook')
    const [event] = await rig.rows('lfi-event')
    for (const id of [waiting?.id, event?.id, '999999']) expect(await rig.desk.redeliver(id ?? '', by)).toBe(false)
    rig.work()
    await rig.tpp.receiver.until(1)
    expect(await rig.desk.redeliver(waiting?.id ?? '', by)).toBe(false)
  })
})

test('what was settled is removed after its time, and what is open is not', async () => {
  const worker = rig.work()
  await rig.authorize(await rig.subscribed())
  await rig.settled('tpp-webhook')
  await rig.settled('lfi-event')
  rig.tpp.receiver.answer = status(500)
  await rig.authorize(await rig.subscribed())
  await rig.tried(1)
  await rig.settled('lfi-event')
  expect(await worker.purge()).toBe(0)
  await worker.stop()
  rig.advance(31 * 86_400_000)
  expect(await worker.purge()).toBe(5)
  expect(await rig.rows('lfi-event')).toEqual([])
  expect(await rig.rows('tpp-webhook')).toMatchObject([{ state: 'waiting', outcome: 'answered 500' }])
})
