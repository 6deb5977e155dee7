/** A certificate that its authority has revoked is refused at every door and node, wherever TLS ends. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Seconds } from '../../src/clock.ts'
import type { FixedRole } from '../../src/config.ts'
import type { Answer, Call } from '../gateway/support/tpp.ts'
import { type ListSource, startListSource } from '../support/list-source.ts'
import { flowOf } from './support/flow.ts'
import { type Node, startSecondNode } from './support/second-node.ts'
import { createProfileWorld, type Party, type ProfileWorld } from './support/world.ts'

const READ =
  '/open-finance/account-information/v2.1/account-access-consents?baseConsentId=6d2b4c1e-5f0a-4c39-9d5e-0a1b2c3d4e5f'
const OWN = { grant_type: 'client_credentials', scope: 'accounts' }
type Json = Record<string, unknown>
type CallAt = (role: FixedRole, asked: Call) => Promise<Answer>

const revocationOf = (source: ListSource) => ({
  crl: 'when-available' as const,
  crlUrls: [source.url],
  // More often than a deployment can ask for: each step waits for two readings.
  refreshSeconds: 0.2 as Seconds,
  believedSeconds: 600 as Seconds,
  bytesMax: 65_536,
})
/** Until the lists have been read again, which happens in the background. */
const untilRead = async (source: ListSource, nodes: number): Promise<void> => {
  const before = source.asked()
  while (source.asked() < before + 2 * nodes) await new Promise((done) => setTimeout(done, 20))
  await new Promise((done) => setTimeout(done, 100))
}

describe.each(['in-process', 'behind-proxy'] as const)('TLS that ends %s', (ends) => {
  let source: ListSource
  let world: ProfileWorld
  let second: Node | null
  let by: Party
  beforeAll(async () => {
    source = await startListSource()
    world = await createProfileWorld(['uae', 'fapi2'], { ends, trustFramework: { revocation: revocationOf(source) } })
    // Behind the proxy there is one port only, and the first node is on it.
    second = ends === 'in-process' ? await startSecondNode(world) : null
    by = world.parties.uae
  }, 120_000)
  afterAll(async () => {
    await second?.close()
    await world?.close()
    await source.close()
  })
  const calls = (): readonly CallAt[] => [world.call, ...(second === null ? [] : [second.call])]

  test('before, in between and after', async () => {
    const how = { certificate: by.certificate }
    const { access_token: access } = (await flowOf(world).token(by, OWN, how)).answer.json() as { access_token: string }
    const authorization = `Bearer ${access}`
    const expectEverywhere = async (isServed: boolean) => {
      for (const call of calls()) {
        const flow = flowOf({ ...world, call })
        const { answer: pushed } = await flow.push(by, flow.request().params, how)
        const { answer: token } = await flow.token(by, OWN, how)
        const read = await call('rs', { path: READ, ...how, headers: { authorization } })
        const registered = await call('rs', { method: 'POST', path: '/tpp-registration', ...how })
        const statuses = [pushed, token, read, registered].map(({ status }) => status)
        expect(statuses).toEqual(isServed ? [201, 200, 200, 204] : [401, 401, 401, 401])
        if (isServed) continue
        for (const refused of [pushed, token]) {
          expect(refused.json() as Json).toMatchObject({
            error: 'invalid_client',
            error_description: expect.stringMatching(/revoked by its authority/),
          })
        }
        for (const refused of [read, registered]) {
          expect(refused.headers['www-authenticate']).toMatch(/error="invalid_token".*revoked by its authority/)
        }
      }
    }
    source.publish(await world.framework.list([]))
    await untilRead(source, calls().length)
    await expectEverywhere(true)
    source.publish(await world.framework.list([by.certificate]))
    await untilRead(source, calls().length)
    await expectEverywhere(false)
    // Another client, and a client that shows no certificate at all, are not touched.
    const { otherUae, dpop } = world.parties
    expect((await flowOf(world).token(otherUae, OWN, { certificate: otherUae.certificate })).answer.status).toBe(200)
    expect((await flowOf(world).token(dpop, OWN)).answer.status).toBe(400)
    source.answer((_request, response) => void response.writeHead(500).end())
    await untilRead(source, calls().length)
    await expectEverywhere(false)
    source.publish(await world.framework.list([]))
    await untilRead(source, calls().length)
    await expectEverywhere(true)
  })

  test('the LFI’s own', async () => {
    source.publish(await world.framework.list([world.bank]))
    await untilRead(source, calls().length)
    const how = { certificate: world.bank }
    const answers = await Promise.all([
      world.call('hh', { path: '/hello-mtls', ...how }),
      world.call('cm', { path: '/hello-mtls', ...how }),
      world.call('admin', { path: '/clients', ...how }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401])
    source.publish(await world.framework.list([]))
    await untilRead(source, calls().length)
    expect((await world.call('admin', { path: '/clients', ...how })).status).toBe(200)
  })
})

describe('where a list is required', () => {
  test('callers with a certificate come back later while there is none', async () => {
    const source = await startListSource()
    const world = await createProfileWorld(['uae', 'fapi2'], { trustFramework: { revocation: revocationOf(source) } })
    const node = await startSecondNode(world, { revocation: { crl: 'required' } })
    try {
      const { uae: by, dpop } = world.parties
      const flow = flowOf({ ...world, call: node.call })
      const how = { certificate: by.certificate }
      const answers: [Answer, Json][] = [
        [(await flow.token(by, OWN, how)).answer, { error: 'temporarily_unavailable' }],
        [await node.call('rs', { path: READ, ...how }), { Errors: [{ Code: 'GenericRecoverableError' }] }],
        [
          await node.call('cm', { path: '/consents/x', certificate: world.bank }),
          { errorCode: 'GenericRecoverableError' },
        ],
        [await node.call('hh', { path: '/auth', certificate: world.bank }), { error: 'temporarily_unavailable' }],
        [
          await node.call('admin', { path: '/clients', certificate: world.bank }),
          { errorCode: 'GenericRecoverableError' },
        ],
      ]
      for (const [answer, body] of answers) {
        expect(answer.status).toBe(503)
        expect(answer.headers).toMatchObject({ 'retry-after': '1', 'cache-control': 'no-store' })
        expect(answer.headers['x-fapi-interaction-id']).toMatch(/^[\da-f-]{36}$/)
        expect(answer.json()).toMatchObject(body)
      }
      // Who shows none has none that could be revoked, and whom nobody trusts is told so.
      expect((await flow.token(dpop, OWN)).answer.status).toBe(400)
      const rogue = await world.rogue.issue({ O: 'x', OU: by.organisationId, CN: by.clientId })
      expect((await flow.token(by, OWN, { certificate: rogue })).answer.status).toBe(401)
      source.publish(await world.framework.list([]))
      await untilRead(source, 2)
      expect((await flow.token(by, OWN, how)).answer.status).toBe(200)
    } finally {
      await node.close()
      await world.close()
      await source.close()
    }
  }, 60_000)
})
