/**
 * A node of the hub is killed at every commit of every step of an authorization: just before the commit, and just after
 * it, when PostgreSQL has it and the caller has no answer. The node starts again, the caller repeats its request as a
 * real one would, and goes on. Nothing may be lost, and nothing granted twice.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyLive } from '../../src/audit/index.ts'
import type { Answer } from '../auth-server/support/wire.ts'
import { startWorld, type World } from '../auth-server/support/world.ts'
import { type Doors, type MortalNode, startMortalNode } from './support/mortal-node.ts'
import type { Count, Moment } from './support/postgres-proxy.ts'
import { begin, type Journey, type Step, stepsOf } from './support/steps.ts'
import { openTraces, type Traces } from './support/traces.ts'

const BOOT_MS = 180_000
const KILLS_MS = 120_000
const MOMENTS: readonly Moment[] = ['before', 'after']
const STEP_NAMES = [
  'POST /par',
  'GET /auth',
  'PATCH /consents/{id}',
  'POST doConfirm',
  'POST /token, code',
  'POST /token, refresh',
] as const

type Row = {
  readonly step: string
  readonly moment: Moment
  readonly at: number
  readonly what: string
  outcome: string
}

let world: World
let node: MortalNode
let traces: Traces
let steps: readonly Step[]
const costs = new Map<string, Count>()
const table: Row[] = []
let [lost, journeys] = [0, 0]

beforeAll(async () => {
  world = await startWorld()
  node = await startMortalNode(world)
  steps = stepsOf(world)
  traces = openTraces(world)
  await undisturbed()
}, BOOT_MS)
afterAll(async () => {
  await traces.db.destroy()
  await node.close()
  await world.close()
  print()
}, BOOT_MS)

/** What each step commits when nobody is killed. */
async function undisturbed(): Promise<void> {
  // A first journey fills what a process reads once.
  for (const _ of [1, 2]) {
    const journey = begin(world)
    for (const step of steps) {
      node.proxy.count()
      step.take(journey, await step.send(journey, node.doors))
      await traces.settled(journey.push.consentId)
      costs.set(step.name, node.proxy.count())
    }
    await expectWhole(journey)
  }
}

describe.each(STEP_NAMES)('%s', (name) => {
  test.each(MOMENTS)(
    'killed just %s each of its commits, started again, and repeated',
    async (moment) => {
      const { commits } = costs.get(name) ?? { commits: 0 }
      // A step that commits nothing would prove nothing.
      expect(commits).toBeGreaterThan(0)
      for (let at = 1; at <= commits; at += 1) {
        const row = await killed({ step: name, moment, at })
        expect(row, `commit ${at} of ${commits}`).toMatchObject({ outcome: expect.not.stringMatching('lost') })
      }
    },
    KILLS_MS,
  )
})

describe('killed after the first commit, and repeated at once at another node', () => {
  test.each(STEP_NAMES)(
    '%s',
    async (step) => {
      const row = await killed(
        { step, moment: 'after', at: 1 },
        { as: world.doors.as, hh: world.doors.hh, cm: world.doors.cm },
      )
      expect(row?.outcome).toBe('repeated at another node')
    },
    KILLS_MS,
  )
})

/** `elsewhere`: the node that is asked when this one has been killed; otherwise the same, started again. */
async function killed(cut: Pick<Row, 'step' | 'moment' | 'at'>, elsewhere?: Doors): Promise<Row | null> {
  const journey = begin(world)
  let row: Row | null = null
  let doors: Doors = node.doors
  journeys += 1
  try {
    for (const step of steps) {
      if (step.name !== cut.step) {
        step.take(journey, await step.send(journey, doors))
        continue
      }
      const { answer, what } = await sendAndCut(step, journey, cut)
      if (what !== null) {
        row = { ...cut, what, outcome: 'lost' }
        table.push(row)
        if (elsewhere === undefined) await node.start()
        else doors = elsewhere
      }
      step.take(journey, answer ?? (await step.send(journey, doors)))
      if (row !== null)
        row.outcome = answer !== null ? 'had its answer' : elsewhere ? 'repeated at another node' : 'repeated'
    }
    await expectWhole(journey, doors)
  } catch (error) {
    lost += 1
    throw error
  } finally {
    if (elsewhere !== undefined) await node.start()
  }
  return row
}

async function sendAndCut(
  step: Step,
  journey: Journey,
  { moment, at }: Pick<Row, 'moment' | 'at'>,
): Promise<{ readonly answer: Answer | null; readonly what: string | null }> {
  const { consentId } = journey.push
  await traces.settled(consentId)
  node.proxy.arm({ moment, at, kill: node.kill })
  const answer = await step.send(journey, node.doors).catch(() => null)
  // What is done after the answer belongs to the step as well.
  await Promise.race([traces.settled(consentId), cut()])
  const trip = await node.proxy.disarm()
  if (trip === null && answer === null) throw new Error(`no answer, and nobody was killed: ${step.name}`)
  return { answer, what: trip?.what ?? null }
}

async function cut(): Promise<void> {
  while (!node.proxy.hasCut()) await sleep(10)
}

/** The journey has come to its end, and has come to it once. */
async function expectWhole({ push, code, tokens, refreshed }: Journey, doors: Doors = node.doors): Promise<void> {
  for (const { access_token: token } of [tokens, refreshed]) {
    expect((await world.tpp.read(String(token))).status).toBe(200)
  }
  // Whatever was granted names its consent: no code beside the one that was redeemed, no second grant.
  expect(await traces.held(push.consentId)).toMatchObject({ AuthorizationCode: 1, Grant: 1, RefreshToken: 1 })
  expect(await traces.consents(push.consentId)).toEqual(['Authorized'])
  const recorded = await traces.recorded(push.consentId)
  for (const once of ['lodged', 'authorize']) expect(recorded.filter((each) => each === once)).toHaveLength(1)
  expect(recorded).toEqual(expect.arrayContaining(['get-auth', 'do-confirm', 'token-code', 'token-refresh']))
  await expectUsedUp(push.verifier, code, tokens, doors)
}

/** The code was good once. Where the hub cannot know that its answer has arrived, it gives the same one again. */
async function expectUsedUp(verifier: string, code: string, tokens: Answer['json'], doors: Doors): Promise<void> {
  const exchange = steps.find(({ name }) => name === 'POST /token, code')
  if (exchange === undefined) throw new Error('there is such a step')
  const { push, ...rest } = begin(world)
  const again = await exchange.send({ ...rest, code, push: { ...push, verifier } }, doors)
  if (again.status === 200) return expect(again.json).toEqual(tokens)
  expect([again.status, again.json['error']]).toEqual([400, 'invalid_grant'])
  expect((await world.tpp.read(String(tokens['access_token']))).status).toBe(401)
}

test(
  'many at once end well where there are two connections for all of them',
  async () => {
    const all = Array.from({ length: 32 }, () => begin(world))
    for (const step of steps) {
      const answers = await Promise.all(all.map((journey) => step.send(journey, node.doors)))
      for (const [at, journey] of all.entries()) step.take(journey, answers[at] as Answer)
    }
    for (const { push } of all) {
      expect(await traces.held(push.consentId)).toMatchObject({ AuthorizationCode: 1, Grant: 1, RefreshToken: 1 })
    }
  },
  KILLS_MS,
)

test('no connection was lost, and the audit log holds all of it', async () => {
  expect(journeys).toBeGreaterThanOrEqual(table.length)
  expect(lost).toBe(0)
  const { auditPublicKey: publicKey } = world.manifest.lfis.aurora
  await expect
    .poll(() => verifyLive(traces.db, { publicKey }), { timeout: 10_000 })
    .toMatchObject({ ok: true, pending: 0 })
})

function print(): void {
  const cost = [...costs].map(
    ([step, { statements, commits }]) => `${step.padEnd(22)} ${statements} statements, ${commits} commits`,
  )
  const crashes = table.map(({ step, moment, at, what, outcome }) =>
    [step.padEnd(22), `${moment} commit ${at}`.padEnd(17), outcome.padEnd(25), what].join(' '),
  )
  const sum = `${table.length} crash points, ${journeys} journeys, lost connections: ${lost}`
  process.stdout.write(['', ...cost, '', ...crashes, '', sum, ''].join('\n'))
}
