/** A TPP asks for the proof of what it was answered, at the door where it was answered. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditPublicKey, createSealer, type Receipts } from '../../src/audit/index.ts'
import { verifyReceipts } from '../../src/audit/verifier/falaj-verify.ts'
import { systemClock } from '../../src/clock.ts'
import { newAuditKey, silent } from '../support/audit-log.ts'
import { SAMPLES } from '../unit/gateway/samples.ts'
import { json } from './support/outside.ts'
import { createWorld, type World } from './support/world.ts'

const key = newAuditKey()
let world: World
let seal: () => Promise<number>
beforeAll(async () => {
  world = await createWorld()
  world.lfi.answer = json(200, SAMPLES.balances.lfi)
  seal = createSealer({ db: world.db, tenantId: world.tenant.id, key, clock: systemClock, log: silent }).sealNow
})
afterAll(() => world.close())

const ask = async (id: unknown, over: Partial<Parameters<World['call']>[0]> & { readonly token?: string } = {}) => {
  const { token = await world.clientToken(world.one), ...more } = over
  return world.call({ path: `/audit/receipts/${String(id)}`, headers: { authorization: `Bearer ${token}` }, ...more })
}
const read = async () => world.get('/accounts/acc-1/balances', await world.userToken(await world.consentOf({})))
const publicKey = () => auditPublicKey(world.tenant.id, key)

describe('GET /audit/receipts/{interactionId}', () => {
  test('proves the answer that was given, to the letter', async () => {
    const answer = await read()
    const id = answer.headers['x-fapi-interaction-id']
    expect(JSON.parse((await ask(id)).text)).toEqual({ interactionId: id, pending: 1, receipts: [] })
    await seal()
    const found = await ask(id)
    expect([found.status, found.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
    const { receipts, pending } = JSON.parse(found.text) as Receipts
    expect([pending, receipts.map(({ kind }) => kind)]).toEqual([0, ['tpp-call']])
    const [verdict] = verifyReceipts(found.text, { key: publicKey() })
    expect(verdict).toMatchObject({ ok: true, entry: { status: 200, route: expect.stringMatching('/balances$') } })
    // The TPP kept the answer: it is the one in the log.
    expect(verdict?.opened['responseDigest']).toBe(createHash('sha256').update(answer.text).digest('base64'))
  })

  test('proves refusals as well', async () => {
    const refused = await world.call({ path: '/open-finance/account-information/v2.1/accounts' })
    await seal()
    const found = await ask(refused.headers['x-fapi-interaction-id'])
    expect(verifyReceipts(found.text, { key: publicKey() })).toMatchObject([{ ok: true, entry: { status: 401 } }])
  })

  test('knows nothing of the calls of others, nor of calls that were not', async () => {
    const id = (await read()).headers['x-fapi-interaction-id']
    await seal()
    const other = { token: await world.clientToken(world.two), certificate: world.two.certificate }
    expect((await ask(id, other)).status).toBe(404)
    expect((await ask(crypto.randomUUID())).status).toBe(404)
  })

  test.each([
    ['without a token', () => ask(crypto.randomUUID(), { headers: {} }), 401],
    ['with the certificate of another', () => ask(crypto.randomUUID(), { certificate: world.two.certificate }), 401],
    ['for what is no interaction id', () => ask('x'), 400],
    ['by another method', () => ask(crypto.randomUUID(), { method: 'DELETE' }), 405],
    [
      'with the token of a user',
      async () => ask(crypto.randomUUID(), { token: await world.userToken(await world.consentOf({})) }),
      403,
    ],
  ])('is refused %s', async (_how, asked, status) => {
    expect((await asked()).status).toBe(status)
  })
})
