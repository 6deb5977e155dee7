/**
 * `npm run bench -- auth`: the authorization server on PostgreSQL beside a bare oidc-provider with its records in
 * memory, step by step and as complete flows, in interleaved rounds of one run. The ratios are the result.
 */
import { fork } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { AuthLoadResult, AuthLoadSettings, Operation } from './auth-load.ts'
import { childrenOf, cpuSeconds } from './auth-processes.ts'
import { type AuthVariant, setAuthStage } from './auth-stage.ts'

const CALLERS = 16
/** Calls of one round: a few seconds of work for either. */
const COUNTS: Readonly<Record<Operation, { readonly bare: number; readonly hub: number }>> = {
  PAR: { bare: 3_000, hub: 1_000 },
  'token, code': { bare: 1_500, hub: 600 },
  'token, refresh': { bare: 2_000, hub: 1_000 },
  'token, client credentials': { bare: 3_000, hub: 1_500 },
  'complete flow': { bare: 1_000, hub: 400 },
}
const WARM_UP_SHARE = 0.2

type Round = AuthLoadResult & { readonly cpu: number; readonly databaseCpu: number }

export async function runAuthBenchmark(rounds: number): Promise<void> {
  const stage = await setAuthStage()
  try {
    console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}`)
    console.log(
      `${CALLERS} callers, ${rounds} rounds, medians; load generator and PostgreSQL share the cores\n` +
        'rate and capacity: × bare oidc-provider in memory; capacity is calls per CPU second, of the process itself and with its database\n',
    )
    for (const operation of Object.keys(COUNTS) as Operation[]) {
      // JWT Auth is the bank's, which has no part in the steps of the TPP alone.
      const variants = stage.variants.filter(
        ({ target }) => operation === 'complete flow' || target.lfi.jwtAuth === null,
      )
      const measured = new Map<string, Round[]>(variants.map(({ name }) => [name, []]))
      for (let round = 0; round < rounds; round += 1) {
        for (const variant of variants) measured.get(variant.name)?.push(await measure(operation, variant))
      }
      report(operation, measured)
    }
  } finally {
    await stage.close()
  }
}

async function measure(operation: Operation, { name, target, pid, databasePid }: AuthVariant): Promise<Round> {
  const count = COUNTS[operation][databasePid === null ? 'bare' : 'hub']
  const settings: AuthLoadSettings = { operation, target, callers: CALLERS, warmUp: count * WARM_UP_SHARE, count }
  const load = fork(fileURLToPath(new URL('./auth-load.ts', import.meta.url)), [JSON.stringify(settings)])
  // PostgreSQL has a process for each connection.
  const spent = () => [cpuSeconds([pid]), databasePid === null ? 0 : cpuSeconds(childrenOf(databasePid))] as const
  let before = spent()
  const result = await new Promise<AuthLoadResult>((resolve, reject) => {
    load.on('message', (message) => {
      if (message === 'measuring') before = spent()
      else resolve(message as AuthLoadResult)
    })
    load.once('exit', () => reject(new Error(`the load of ${operation} on ${name} gave no result`)))
  })
  const after = spent()
  const perCall = (index: 0 | 1) => ((after[index] - before[index]) / result.calls) * 1e6
  return { ...result, cpu: perCall(0), databaseCpu: perCall(1) }
}

function report(operation: Operation, measured: ReadonlyMap<string, readonly Round[]>): void {
  const rows = [...measured].map(([name, rounds]) => ({
    name,
    rate: median(rounds.map(({ calls, seconds }) => calls / seconds)),
    cpu: median(rounds.map(({ cpu }) => cpu)),
    database: median(rounds.map(({ databaseCpu }) => databaseCpu)),
    p50: median(rounds.map(({ p50 }) => p50)),
    p99: median(rounds.map(({ p99 }) => p99)),
    steps: rounds[0]?.steps ?? {},
  }))
  const bare = rows[0]
  console.log(operation)
  console.log('  variant             /s   CPU µs   DB CPU µs   p50 ms   p99 ms   rate   capacity   with DB')
  for (const row of rows) {
    const cells = [
      row.name.padEnd(15),
      row.rate.toFixed(0).padStart(6),
      row.cpu.toFixed(0).padStart(8),
      row.database.toFixed(0).padStart(11),
      row.p50.toFixed(1).padStart(8),
      row.p99.toFixed(1).padStart(8),
      (row.rate / (bare?.rate ?? Number.NaN)).toFixed(2).padStart(6),
      ((bare?.cpu ?? Number.NaN) / row.cpu).toFixed(2).padStart(10),
      ((bare?.cpu ?? Number.NaN) / (row.cpu + row.database)).toFixed(2).padStart(9),
    ]
    console.log(`  ${cells.join(' ')}`)
  }
  if (operation === 'complete flow') {
    for (const { name, steps } of rows) {
      const times = Object.entries(steps).map(([step, ms]) => `${step} ${ms.toFixed(1)}`)
      console.log(`  ${name}, mean ms of each step: ${times.join(', ')}`)
    }
  }
  console.log('')
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
