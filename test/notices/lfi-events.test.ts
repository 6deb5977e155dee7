/** Events to the LFI: each once, whatever comes of it, over mutual TLS. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createAuditReader } from '../../src/audit/index.ts'
import type { ConsentId } from '../../src/ids.ts'
import { loadSchemas } from '../../src/schema-registry.ts'
import { json, silence, status } from './support/receiver.ts'
import { createRig, type Options, type Rig } from './support/rig.ts'

const registry = loadSchemas()
let rig: Rig
/** Of all tests that need no other. */
let shared: Rig
beforeAll(async () => {
  shared = await createRig({ actions: { eventTimeoutMs: 300 as never } })
})
afterAll(() => shared.close())
const begin = async (options: Options | null = null) => {
  rig = options === null ? shared : await createRig(options)
  rig.work()
}
afterEach(() => (rig === shared ? rig.rest() : rig.close()))

const entries = async (id: ConsentId) =>
  (await createAuditReader({ db: rig.db }).findByConsent(id, 100)).flatMap(({ entry }) =>
    entry?.kind === 'lfi-call' ? [entry] : [],
  )

test('the LFI hears of the new consent and of each change, in the form of the contract', async () => {
  await begin()
  const id = await rig.subscribed()
  await rig.lfi.until(1)
  await rig.authorize(id)
  await rig.lfi.until(2)
  await rig.revoke(id)
  await rig.lfi.until(3)
  await rig.settled('lfi-event')
  expect(rig.lfi.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /oc/consent/event/post',
    'POST /oc/consent/event/patch',
    'POST /oc/consent/event/patch',
  ])
  const bodies = rig.lfi.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
  for (const body of bodies) expect(registry.requestBody('consent-events-actions', 'consentEvent')?.(body)).toEqual([])
  expect(bodies.map((body) => [body['id'], body['status']])).toEqual([
    [id, 'AwaitingAuthorization'],
    [id, 'Authorized'],
    [id, 'Revoked'],
  ])
  expect(bodies[1]).toMatchObject({ psuIdentifiers: { userId: 'user-7' }, accountIds: ['acc-1'] })
  for (const { headers } of rig.lfi.received) {
    expect(registry.parameters('consent-events-actions', 'consentEvent').header(headers)).toEqual([])
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'o3-provider-id': 'aurora',
      'o3-consent-id': id,
      'o3-caller-org-id': rig.tpp.organisationId,
      'o3-caller-client-id': rig.tpp.clientId,
      'o3-caller-software-statement-id': rig.tpp.clientId,
    })
  }
  // Before the user is known there is none to name.
  expect(rig.lfi.received.map(({ headers }) => headers['o3-psu-identifier'])).toEqual([
    undefined,
    Buffer.from('{"userId":"user-7"}').toString('base64'),
    Buffer.from('{"userId":"user-7"}').toString('base64'),
  ])
  expect(
    (await entries(id)).map(({ operationId, route, status: answered, outcome, consentId }) => [
      operationId,
      route,
      answered,
      outcome,
      consentId,
    ]),
  ).toEqual(Array.from({ length: 3 }, () => ['consentEvent', '/consent/event/{operation}', 204, 'answered', id]))
})

describe('is not told again, and the change stands', () => {
  test.each([
    ['a refusal', json(400, { errorCode: 'x', errorMessage: 'y' }), 'answered 400', 400, 'answered'],
    ['a fault', status(500), 'answered 500', 500, 'answered'],
    ['a redirect', status(307, { location: '/elsewhere' }), 'answered 307', 307, 'answered'],
    ['silence', silence, 'timeout', null, 'timeout'],
  ] as const)('after %s', async (_name, answer, outcome, answered, audited) => {
    await begin()
    rig.lfi.answer = answer
    const id = await rig.subscribed()
    expect(await rig.settled('lfi-event')).toMatchObject([{ state: 'failed', outcome, attempts: 1 }])
    rig.advance(3_600_000)
    await new Promise((later) => setTimeout(later, 200))
    expect(rig.lfi.received).toHaveLength(1)
    expect((await rig.consents.find(id))?.id).toBe(id)
    expect(await entries(id)).toMatchObject([{ status: answered, outcome: audited }])
  })

  test('when nobody is there', async () => {
    rig = await createRig()
    await rig.lfi.close()
    rig.work()
    await rig.subscribed()
    expect(await rig.settled('lfi-event')).toMatchObject([{ state: 'failed', outcome: 'unreachable' }])
  })
})

test('an LFI that does not want them is told nothing, and nothing is kept for it', async () => {
  await begin({ actions: { events: ['insurance'] } })
  const id = await rig.subscribed()
  await rig.authorize(id)
  await rig.tpp.receiver.until(1)
  while ((await rig.rows('lfi-event')).length > 0) await new Promise((later) => setTimeout(later, 20))
  expect(rig.lfi.received).toEqual([])
})

test('an LFI that hangs holds up no webhook', async () => {
  await begin()
  rig.lfi.answer = silence
  for (let index = 0; index < 12; index += 1) await rig.authorize(await rig.subscribed())
  await rig.tpp.receiver.until(12)
  expect(rig.tpp.receiver.received).toHaveLength(12)
})
