import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Audit } from '../../src/audit/index.ts'
import { HubError } from '../../src/errors.ts'
import { SAMPLES } from '../unit/gateway/samples.ts'
import { json } from './support/outside.ts'
import { createWorld, type World } from './support/world.ts'

let world: World
/** Stands between the gateway and the real audit log, for as long as a test wants. */
let between: (record: () => Promise<void>) => Promise<void> = (record) => record()

beforeAll(async () => {
  world = await createWorld({
    requestsPerSecond: 20,
    audit: (audit): Audit => ({ ...audit, record: (...entries) => between(() => audit.record(...entries)) }),
  })
  world.lfi.answer = json(200, SAMPLES.balances.lfi)
})
afterAll(() => world.close())
afterEach(() => {
  between = (record) => record()
})

const read = async () => world.get('/accounts/acc-1/balances', await world.userToken(await world.consentOf({})))

describe('an answer', () => {
  test('does not leave before it is recorded', async () => {
    const recording = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    between = async (record) => {
      recording.resolve()
      await release.promise
      await record()
    }
    let answered = false
    const answer = read().finally(() => {
      answered = true
    })
    await recording.promise
    await new Promise((done) => setTimeout(done, 150))
    expect(answered).toBe(false)
    release.resolve()
    expect((await answer).status).toBe(200)
  })

  test('that cannot be recorded is not given: no data leaves', async () => {
    between = () => Promise.reject(new HubError('GenericRecoverableError'))
    const answer = await read()
    expect([answer.status, answer.error?.Code]).toEqual([500, 'GenericRecoverableError'])
    expect(answer.text).not.toContain('Balance')
  })

  test('neither is a refusal that cannot be recorded', async () => {
    between = () => Promise.reject(new Error('the database is gone'))
    const answer = await world.call({ path: '/nowhere' })
    expect([answer.status, answer.error?.Code]).toEqual([500, 'GenericRecoverableError'])
  })
})

describe('too many requests', () => {
  test('of one client are turned away, recorded, and nobody else is', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => world.call({ path: '/nowhere/at/all' })))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]))

    const path = '/open-finance/account-information/v2.1/accounts'
    // However slow the machine: so many at once, again and again, that the bucket must run dry at some point.
    let refused: Awaited<ReturnType<typeof world.call>>[] = []
    for (let burst = 0; burst < 10 && refused.length === 0; burst += 1) {
      const calls = await Promise.all(Array.from({ length: 120 }, () => world.call({ path })))
      refused = calls.filter(({ status }) => status === 429)
    }
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]).toMatchObject({ text: '', headers: { 'retry-after': '1' } })
    expect(await world.entries(refused[0]?.headers['x-fapi-interaction-id'])).toMatchObject([
      { kind: 'tpp-call', status: 429, errorCode: 'TooManyRequests', clientId: world.one.clientId },
    ])
    const other = await world.call({ path, certificate: world.two.certificate })
    expect(other.status).toBe(401)
  })
})
