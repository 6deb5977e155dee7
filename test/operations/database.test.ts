/** A database that is away, silent, slow or full: what callers are told and how soon, and that all goes on by itself. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Milliseconds } from '../../src/clock.ts'
import { query } from '../../src/db.ts'
import { Secret } from '../../src/secret.ts'
import type { Answer } from '../gateway/support/tpp.ts'
import { flowOf } from '../profiles/support/flow.ts'
import { createProfileWorld, type ProfileWorld } from '../profiles/support/world.ts'
import { type Gate, startGate } from './support/gate.ts'

const BOOT_MS = 120_000
const POOL = 3
const ACQUIRE_MS = 1_500
const STATEMENT_MS = 1_000
/** One wait for a connection and one statement at a time, and some room for a busy machine. */
const SOON_MS = 20_000

let gate: Gate
let world: ProfileWorld
beforeAll(async () => {
  gate = await startGate()
  world = await createProfileWorld(['uae'], {
    database: { poolMax: POOL, acquireMs: ACQUIRE_MS as Milliseconds, statementMs: STATEMENT_MS as Milliseconds },
    tenant: (tenant) => {
      const url = new URL(tenant.databaseUrl.reveal())
      gate.aim({ host: url.hostname, port: Number(url.port) })
      url.port = String(gate.port)
      return { ...tenant, databaseUrl: new Secret(url.href) }
    },
  })
}, BOOT_MS)
afterEach(() => gate.set('open'))
afterAll(async () => {
  await world.close()
  await gate.close()
})

const token = async (): Promise<Answer> => {
  const { uae } = world.parties
  const form = { grant_type: 'client_credentials', scope: 'accounts' }
  return (await flowOf(world).token(uae, form, { certificate: uae.certificate })).answer
}
const list = (): Promise<Answer> => world.call('cm', { path: '/consents', certificate: world.bank })
const ready = (): Promise<Answer> => world.call('admin', { path: '/health/ready', certificate: world.bank })
/** With an answer, and within the time. */
async function soon(asked: () => Promise<Answer>): Promise<Answer> {
  const answer = await Promise.race([asked(), sleep(SOON_MS).then(() => null)])
  if (answer === null) throw new Error('no answer in time')
  return answer
}
async function untilItWorks(): Promise<void> {
  while ((await token()).status !== 200 || (await list()).status !== 200) await sleep(100)
}
/** Whoever wants to see a consent waits, until it is let go of. */
async function holdConsents(): Promise<() => Promise<void>> {
  const held = await world.db.transaction()
  const release = async (): Promise<void> => void (await held.rollback())
  onTestFinished(release)
  await held.raw('lock table consent in access exclusive mode')
  return release
}
async function expectFailure(): Promise<void> {
  const [issued, listed, standing] = await Promise.all([soon(token), soon(list), soon(ready)])
  expect([issued.status, issued.json()]).toEqual([
    500,
    { error: 'server_error', error_description: expect.any(String) },
  ])
  expect([listed.status, listed.json()]).toMatchObject([500, { errorCode: 'GenericRecoverableError' }])
  expect([standing.status, standing.json()]).toMatchObject([503, { status: 'not-ready', failing: ['database'] }])
  // Nothing of the inside: no address, no statement.
  for (const { text } of [issued, listed]) expect(text).not.toMatch(/127\.0\.0\.1|select|insert|knex|ECONN/i)
}

describe.each(['gone', 'silent'] as const)('a database that is %s', (state) => {
  test('costs every call its answer, soon, and all goes on by itself when it is back', async () => {
    await untilItWorks()
    gate.set(state)
    await expectFailure()
    // More than there are connections for, at once.
    const crowd = await Promise.all(Array.from({ length: POOL * 3 }, () => soon(list)))
    expect(crowd.map(({ status }) => status)).toEqual(crowd.map(() => 500))
    gate.set('open')
    await untilItWorks()
    expect((await ready()).status).toBe(200)
  }, 120_000)
})

test('a statement that takes too long is ended by the database, and its caller is told', async () => {
  await untilItWorks()
  const release = await holdConsents()
  const answer = await soon(list)
  expect([answer.status, answer.json()]).toMatchObject([500, { errorCode: 'GenericRecoverableError' }])
  // What does not need that table goes on meanwhile.
  expect((await token()).status).toBe(200)
  await release()
  expect((await list()).status).toBe(200)
}, 60_000)

test('a call that finds no connection free waits its time, and no longer', async () => {
  await untilItWorks()
  const release = await holdConsents()
  // Each holds a connection until its statement is ended; those behind them wait for one.
  const began = performance.now()
  const crowd = await Promise.all(Array.from({ length: POOL * 4 }, () => soon(list)))
  expect(crowd.map(({ status }) => status)).toEqual(crowd.map(() => 500))
  expect(performance.now() - began).toBeGreaterThan(STATEMENT_MS - 50)
  await release()
  expect((await list()).status).toBe(200)
  const { rows } = await query<{ count: number }>(
    world.db,
    "select count(*)::integer as count from pg_stat_activity where datname = current_database() and application_name = 'falaj-aurora'",
  )
  expect(rows[0]?.count).toBeLessThanOrEqual(POOL)
}, 60_000)
