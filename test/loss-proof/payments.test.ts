/**
 * A node of the hub is killed at every statement and around every commit of a payment, also while the bank is paying and
 * when its answer has come. The node starts again, and the TPP repeats its request with the same idempotency key until it
 * has an answer, as a real one would. The bank has paid exactly once, and the consent has been used exactly once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { query } from '../../src/db.ts'
import type { Answer } from '../auth-server/support/wire.ts'
import { startWorld, type World } from '../auth-server/support/world.ts'
import { type MortalNode, startMortalNode } from './support/mortal-node.ts'
import { type Agreed, agree, executed, pay } from './support/payment.ts'
import type { Count, Moment } from './support/postgres-proxy.ts'
import { openTraces, type Traces } from './support/traces.ts'

const BOOT_MS = 180_000
const KILLS_MS = 600_000
/** Twice this and a little is how long an attempt without an answer keeps its key. */
const LFI_TIMEOUT_MS = 1_000
const PATIENCE_MS = 30_000

let world: World
let node: MortalNode
let traces: Traces
let cost: Count
let crashes = 0

beforeAll(async () => {
  world = await startWorld()
  node = await startMortalNode(world, { withGateway: true, lfiTimeoutMs: LFI_TIMEOUT_MS })
  traces = openTraces(world)
  // A first payment fills what a process reads once.
  for (const _ of [1, 2]) {
    const agreed = await agree(world, node.doors)
    node.proxy.count()
    expect((await pay(world, node.doors, agreed)).status).toBe(201)
    cost = node.proxy.count()
    await expectPaidOnce(agreed)
  }
}, BOOT_MS)
afterAll(async () => {
  await traces.db.destroy()
  await node.close()
  await world.close()
  process.stdout.write(
    `\na payment: ${cost.statements} statements, ${cost.commits} commits; ${crashes} crash points, none paid twice or lost\n`,
  )
}, BOOT_MS)

/** As a TPP does that wants its answer: the same key again, as long as it is told to come back. */
async function payUntilAnswered(agreed: Agreed): Promise<Answer> {
  for (const until = Date.now() + PATIENCE_MS; ; await sleep(200)) {
    const answer = await pay(world, node.doors, agreed).catch(() => null)
    if (answer?.status === 201 || Date.now() > until) return answer ?? Promise.reject(new Error('no answer'))
  }
}

async function expectPaidOnce({ consentId }: Agreed): Promise<void> {
  const [payment, another] = executed(world, consentId)
  expect([payment?.id, another]).toEqual([expect.any(String), undefined])
  expect(await traces.consents(consentId)).toEqual(['Consumed'])
  const { rows } = await query<{ state: string; payment_id: string }>(
    traces.db,
    'select state, payment_id from payment_log where consent_id = ?',
    [consentId],
  )
  expect(rows).toEqual([{ state: 'made', payment_id: payment?.id }])
  expect((await traces.recorded(consentId)).filter((change) => change === 'consume')).toHaveLength(1)
}

/** A payment that nobody has been told the end of. */
type Unsettled = { readonly at: number; readonly agreed: Agreed }

/** null: it did not come to the cut. */
async function killedAt(moment: Moment, at: number): Promise<Unsettled | null> {
  const agreed = await agree(world, node.doors)
  node.proxy.arm({ moment, at, kill: node.kill })
  const answer = await pay(world, node.doors, agreed).catch(() => null)
  const trip = await node.proxy.disarm()
  if (trip === null) {
    expect(answer?.status).toBe(201)
    return null
  }
  crashes += 1
  await node.start()
  return { at, agreed }
}

/** Repeated together, when nobody is killed any more: a repetition waits while the first attempt may still be on. */
const settled = (unsettled: readonly Unsettled[]) =>
  Promise.all(
    unsettled.map(async ({ at, agreed }) => {
      expect([at, (await payUntilAnswered(agreed)).status]).toEqual([at, 201])
      await expectPaidOnce(agreed)
    }),
  )

describe('a payment, killed', () => {
  test.each(['before', 'after'] as const)(
    '%s each of its commits, is made once',
    async (moment) => {
      expect(cost.commits).toBeGreaterThan(2)
      const killed: Unsettled[] = []
      for (let at = 1; at <= cost.commits; at += 1) {
        const unsettled = await killedAt(moment, at)
        if (unsettled !== null) killed.push(unsettled)
      }
      await settled(killed)
    },
    KILLS_MS,
  )

  test(
    'before each of its statements, is made once',
    async () => {
      const killed: Unsettled[] = []
      for (;;) {
        const unsettled = await killedAt('statement', killed.length + 1)
        if (unsettled === null) break
        killed.push(unsettled)
      }
      // Every statement there is was one to die at.
      expect(killed.length).toBeGreaterThan(cost.commits)
      await settled(killed)
    },
    KILLS_MS,
  )
})
