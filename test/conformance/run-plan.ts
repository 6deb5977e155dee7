/** One plan as vitest tests: a test for each module, with the module's id as its title. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts'
import { type RunningVariant, startVariant } from './hub-variant.ts'
import type { Duration, Module } from './module.ts'
import { type PlanName, planOf } from './plans.ts'
import { profileOf } from './style.ts'
import { enterSuite, hubDoors, type Suite } from './suite.ts'

const BOOT_MS = 180_000
const MODULE_MS: Readonly<Record<Duration, number>> = { instant: 60_000, seconds: 90_000, minute: 150_000 }
/** The least that a hub may be configured with. */
const REQUEST_URI_SECONDS = 5
const isSlowLane = process.env['CONFORMANCE_SLOW'] === '1'

export function runPlan(name: PlanName): void {
  const { modules, style } = planOf(name)
  let sandbox: TestSandbox | undefined
  const variants: RunningVariant[] = []
  const suites = new Map<'usual' | 'short-lived', Suite>()
  beforeAll(async () => {
    sandbox = await startTestSandbox()
    const variant = async (slot: number, lifetimes: Readonly<Record<string, number>>) => {
      const started = await startVariant(sandbox as TestSandbox, { name: `${name}-${slot}`, slot, lifetimes, style })
      variants.push(started)
      return started.doors
    }
    // The sandbox's own hub serves the profile that every client has who is not named.
    const usual = profileOf(style) === null ? hubDoors(sandbox) : await variant(0, {})
    suites.set('usual', await enterSuite(sandbox, usual, style))
    const shortLived = await variant(1, { requestUriSeconds: REQUEST_URI_SECONDS })
    suites.set('short-lived', await enterSuite(sandbox, shortLived, style))
  }, BOOT_MS)
  afterAll(async () => {
    for (const suite of suites.values()) suite.close()
    for (const variant of variants) await variant.close()
    await sandbox?.close()
  }, BOOT_MS)

  const define = ({ id, duration, run }: Module) =>
    test(id, () => run(entered(suites.get(duration === 'seconds' ? 'short-lived' : 'usual'))), MODULE_MS[duration])
  const [quick, slow] = [false, true].map((isSlow) =>
    modules.filter(({ duration }) => (duration === 'minute') === isSlow),
  )

  describe(name, () => {
    for (const module of quick ?? []) define(module)
  })
  describe.skipIf(!isSlowLane)(`${name}, waiting until a code of 60 s is over: npm run test:conformance`, () => {
    for (const module of slow ?? []) define(module)
  })
}

function entered(suite: Suite | undefined): Suite {
  if (suite === undefined) throw new Error('the suite was not entered')
  return suite
}
