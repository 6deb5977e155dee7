/**
 * The mutation run: each weakening of the table in a copy of the repository, the hub of that copy started beside a
 * running sandbox, and all modules run against it. `node test/conformance/mutate.ts [part of a name]`
 */
import { startTestSandbox, type TestSandbox } from '../support/sandbox.ts'
import { SLOTS, startVariant } from './hub-variant.ts'
import type { Duration, Module } from './module.ts'
import { type Judgement, type Mutation, type Outcomes, tryMutation } from './mutation.ts'
import { MUTATIONS } from './mutations.ts'
import { PLANS, type Plan, type PlanName, planOf } from './plans.ts'
import { keep, ROOT, sourceDigest, type Verdicts } from './results.ts'
import { runModules } from './run-modules.ts'
import { enterSuite } from './suite.ts'

const REQUEST_URI_SECONDS = 5
/** One for each processor of a small machine; what only waits has places of its own. */
const WORKERS = 2

/** The last is for the slow modules on the hub as it is. */
const PLACES = SLOTS - WORKERS - 1

const [wanted = ''] = process.argv.slice(2)
const chosen = MUTATIONS.filter(({ name }) => name.includes(wanted))
const planFor = ({ plan }: Pick<Mutation, 'plan'>): Plan => planOf(plan as PlanName)
const names = (duration: Duration, mutation: Pick<Mutation, 'plan' | 'breaks'>): boolean =>
  planFor(mutation).modules.some((module) => module.duration === duration && mutation.breaks.includes(module.id))

/** Everything that answers at once, and of what takes its time the modules that this weakening is about. */
const modulesFor = (mutation: Mutation): readonly Module[] =>
  planFor(mutation).modules.filter(({ id, duration }) => duration === 'instant' || mutation.breaks.includes(id))

async function examine(sandbox: TestSandbox, slot: number, root: string, mutation: Mutation): Promise<Outcomes> {
  const { style } = planFor(mutation)
  const lifetimes = names('seconds', mutation) ? { requestUriSeconds: REQUEST_URI_SECONDS } : {}
  const variant = await startVariant(sandbox, { name: `mutation-${slot}`, slot, root, lifetimes, style })
  try {
    const suite = await enterSuite(sandbox, variant.doors, style)
    const outcomes = await runModules(modulesFor(mutation), suite)
    suite.close()
    return outcomes
  } finally {
    await variant.close()
  }
}

/** What is wrong with modules on the hub as it is; without this a red module would prove nothing. */
async function faultsUnchanged(
  sandbox: TestSandbox,
  slot: number,
  { name: plan, modules }: Plan,
  durations: readonly Duration[],
): Promise<number> {
  const breaks = modules.filter(({ duration }) => durations.includes(duration)).map(({ id }) => id)
  const outcomes = await examine(sandbox, slot, ROOT, { name: 'none', plan, edits: [], breaks })
  const faults = [...outcomes].flatMap(([id, error]) => (error === null ? [] : [`${id}: ${error.message}`]))
  if (faults.length > 0) console.error(`modules of ${plan} fail on the hub as it is:\n${faults.join('\n')}`)
  return faults.length
}

async function tryAll(sandbox: TestSandbox): Promise<readonly Judgement[]> {
  const judged: Judgement[] = []
  const tryOne = async (mutation: Mutation, slot: number) => {
    const since = performance.now()
    const bench = { root: ROOT, examine: (copy: string) => examine(sandbox, slot, copy, mutation) }
    const judgement = await tryMutation(bench, mutation)
    judged.push(judgement)
    tell(mutation, judgement, performance.now() - since)
  }
  const waiting = chosen.filter((mutation) => names('minute', mutation))
  const working = chosen.filter((mutation) => !names('minute', mutation))
  if (waiting.length > PLACES) throw new Error(`no more than ${PLACES} weakenings may take a minute`)
  const work = async (_worker: unknown, slot: number) => {
    for (let next = working.shift(); next !== undefined; next = working.shift()) await tryOne(next, slot)
  }
  const workers = Array.from({ length: WORKERS }, work)
  await Promise.all([...waiting.map((mutation, at) => tryOne(mutation, WORKERS + at)), ...workers])
  return judged
}

function tell({ name, breaks }: Mutation, { verdict, reason }: Judgement, took: number): void {
  const seconds = (took / 1000).toFixed(1).padStart(5)
  console.log(`${verdict.padEnd(16)} ${seconds} s ${String(breaks.length).padStart(3)} modules  ${name}`)
  if (verdict !== 'killed') console.log(reason.replaceAll(/^/gm, '    '))
}

async function run(): Promise<number> {
  const source = sourceDigest()
  const sandbox = await startTestSandbox()
  try {
    for (const plan of PLANS.filter(({ name }) => chosen.some((mutation) => mutation.plan === name))) {
      if ((await faultsUnchanged(sandbox, 0, plan, ['instant', 'seconds'])) > 0) return 1
    }
    const since = performance.now()
    const slow = wanted === '' ? faultsUnchanged(sandbox, SLOTS - 1, planOf('cbuae'), ['minute']) : 0
    const [judged, slowFaults] = await Promise.all([tryAll(sandbox), slow])
    const killed = judged.filter(({ verdict }) => verdict === 'killed').length
    const minutes = ((performance.now() - since) / 60_000).toFixed(1)
    console.log(`\n${killed} of ${judged.length} weakenings killed, each by exactly its modules, in ${minutes} minutes`)
    if (wanted === '') {
      const verdicts = judged.map(({ mutation, verdict }) => [mutation, verdict === 'killed' ? 'killed' : 'not killed'])
      keep('mutations', { source, results: Object.fromEntries(verdicts) as Verdicts })
    }
    return killed === chosen.length && slowFaults === 0 ? 0 : 1
  } finally {
    await sandbox.close()
  }
}

process.exitCode = await run()
