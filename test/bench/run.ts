/**
 * `npm run bench`: the account list through the hub beside the same bytes through a bare http-proxy, both between the
 * same two mutual TLS legs, in interleaved rounds of one run. The machine is what it is; the ratios are the result.
 * `npm run bench -- auth` measures the authorization server (auth-run.ts), `-- audit` the audit log (audit-run.ts).
 * A number at the end is that of rounds, or of audit entries. `npm run bench -- payments` measures POST /payments alone.
 * `npm run bench -- consents` measures the consent store as it grows (consents-run.ts).
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { LfiCode } from '../../sandbox/trust-framework/ecosystem.ts'
import { runAuditBenchmark } from './audit-run.ts'
import { runAuthBenchmark } from './auth-run.ts'
import { runConsentBenchmark } from './consents-run.ts'
import type { LoadResult, LoadSettings } from './load.ts'
import { paymentCalls, tppKey } from './payments.ts'
import { accountIdsOf, type Stage, setStage } from './stage.ts'

const ROUNDS = 5
const AUDIT_ENTRIES = 1_000_000
const CONNECTIONS = 32
const WARM_UP_MS = 1_500
const RUN_MS = 4_000
/** Linux counts CPU time in hundredths of a second. */
const TICKS_PER_SECOND = 100
/** Number of accounts that makes answers of about this size. */
const CASES = [
  { name: '4 KB', accounts: 8 },
  { name: '60 KB', accounts: 115 },
] as const

/** JWT Auth signs every call to the bank; the yardstick signs nothing, so the hub is also measured without. */
const HUBS = [
  { code: 'meridian', variant: 'hub, mTLS' },
  { code: 'aurora', variant: 'hub, JWT Auth' },
] as const satisfies readonly { code: LfiCode; variant: string }[]

type Variant = { readonly name: string; readonly pid: number; readonly load: LoadSettings }
type Round = LoadResult & { readonly cpuMicroseconds: number }

const [first, second] = process.argv.slice(2)
if (first === 'auth') await runAuthBenchmark(Number(second ?? ROUNDS))
else if (first === 'consents') await runConsentBenchmark(Number(second ?? Number.POSITIVE_INFINITY))
else if (first === 'audit') await runAuditBenchmark(Number(second ?? AUDIT_ENTRIES))
else if (first === 'payments') await runGatewayBenchmark(Number(second ?? ROUNDS), [])
else await runGatewayBenchmark(Number(first ?? ROUNDS), CASES)

async function runGatewayBenchmark(rounds: number, cases: readonly (typeof CASES)[number][]): Promise<void> {
  const stage = await setStage()
  try {
    const proxyPort = stage.place.ports.edge
    const proxy = await stage.start('./bare-proxy.ts', proxySettings(stage, proxyPort))
    console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}`)
    console.log(
      `${CONNECTIONS} connections, ${rounds} rounds of ${RUN_MS / 1000} s each, medians; load generator and PostgreSQL share the cores\n`,
    )
    for (const { name, accounts } of cases) {
      const variants = [proxyVariant(stage, { proxy, proxyPort, accounts })]
      for (const { code, variant } of HUBS) variants.push(await hubVariant(stage, { code, variant, accounts }))
      const measured = new Map<string, Round[]>(variants.map((variant) => [variant.name, []]))
      for (let round = 0; round < rounds; round += 1) {
        for (const variant of variants) measured.get(variant.name)?.push(await measure(variant))
      }
      report(`GET /accounts, about ${name}`, 'http-proxy', measured)
    }
    proxy.kill('SIGTERM')
    await measurePayments(stage, rounds)
  } finally {
    await stage.close()
  }
}

/** POST /payments, recorded before and after, beside a forwarder that only verifies and signs. */
async function measurePayments(stage: Stage, rounds: number): Promise<void> {
  const { enrolment } = stage
  const port = stage.place.ports.edge
  const bare = await stage.start('./bare-payments.ts', {
    ...proxySettings(stage, port),
    signing: enrolment.hubs.aurora.signing[0],
    tppKey: tppKey(stage),
  })
  const path = '/open-finance/payment/v2.1/payments'
  const name = 'forwarder'
  const calls = await paymentCalls(stage, 'meridian')
  const variants: Variant[] = [
    { name, pid: bare.pid ?? 0, load: load(stage, { origin: `https://localhost:${port}`, path, calls }) },
  ]
  for (const { code, variant } of HUBS) {
    const origin = stage.place.urls.hubs[code].rs
    const own = code === 'meridian' ? calls : await paymentCalls(stage, code)
    variants.push({ name: variant, pid: stage.hubs[code].pid ?? 0, load: load(stage, { origin, path, calls: own }) })
  }
  const measured = new Map<string, Round[]>(variants.map((variant) => [variant.name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const variant of variants) measured.get(variant.name)?.push(await measure(variant))
  }
  report('POST /payments, one signature verified and one made', name, measured)
  bare.kill('SIGTERM')
}

function proxySettings({ enrolment, stub }: Stage, port: number) {
  return {
    port,
    cert: enrolment.hubs.aurora.server.certFile,
    key: enrolment.hubs.aurora.server.keyFile,
    ca: enrolment.ca.bundleFile,
    clientCert: enrolment.hubs.aurora.toLfi.certFile,
    clientKey: enrolment.hubs.aurora.toLfi.keyFile,
    target: stub.origin,
  }
}

function load({ enrolment }: Stage, call: Pick<LoadSettings, 'origin' | 'path' | 'calls'>): LoadSettings {
  const { transport } = enrolment.tpp.primary
  return {
    ...call,
    ca: enrolment.ca.bundleFile,
    cert: transport.certFile,
    key: transport.keyFile,
    connections: CONNECTIONS,
    warmUpMs: WARM_UP_MS,
    runMs: RUN_MS,
  }
}

function proxyVariant(
  stage: Stage,
  { proxy, proxyPort, accounts }: { proxy: ChildProcess; proxyPort: number; accounts: number },
): Variant {
  const path = `/accounts?accountIds=${accountIdsOf(accounts).join(',')}&page=1&page-size=100`
  const origin = `https://localhost:${proxyPort}`
  return { name: 'http-proxy', pid: proxy.pid ?? 0, load: load(stage, { origin, path, calls: [{ headers: {} }] }) }
}

async function hubVariant(
  stage: Stage,
  { code, variant, accounts }: { code: LfiCode; variant: string; accounts: number },
): Promise<Variant> {
  const accessToken = await stage.token(code, accounts)
  const call = {
    origin: stage.place.urls.hubs[code].rs,
    path: '/open-finance/account-information/v2.1/accounts',
    calls: [{ headers: { authorization: `Bearer ${accessToken}`, 'x-fapi-customer-ip-address': '127.0.0.1' } }],
  }
  return { name: variant, pid: stage.hubs[code].pid ?? 0, load: load(stage, call) }
}

async function measure({ name, pid, load }: Variant): Promise<Round> {
  const generator = fork(fileURLToPath(new URL('./load.ts', import.meta.url)), [JSON.stringify(load)])
  let before = 0
  const result = await new Promise<LoadResult>((resolve, reject) => {
    generator.on('message', (message) => {
      if (message === 'measuring') before = cpuSeconds(pid)
      else resolve(message as LoadResult)
    })
    generator.once('exit', () => reject(new Error(`the load on ${name} gave no result`)))
  })
  const cpu = cpuSeconds(pid) - before
  if (result.refused > 0) throw new Error(`${name}: ${result.refused} of ${result.requests} calls were not answered`)
  return { ...result, cpuMicroseconds: (cpu / result.requests) * 1e6 }
}

/** User and system time of a process so far (proc(5), fields 14 and 15). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

function report(title: string, yardstickName: string, rounds: ReadonlyMap<string, readonly Round[]>): void {
  const rows = [...rounds].map(([variant, each]) => ({
    variant,
    bytes: median(each.map((round) => round.bytes)),
    rate: median(each.map((round) => round.requests / round.seconds)),
    cpu: median(each.map((round) => round.cpuMicroseconds)),
    p50: median(each.map((round) => round.p50)),
    p99: median(each.map((round) => round.p99)),
  }))
  const yardstick = rows[0]
  console.log(title)
  console.log(
    `  variant         bytes     req/s   CPU µs/req   p50 ms   p99 ms ${`rate × ${yardstickName}`.padStart(19)} ${`per CPU × ${yardstickName}`.padStart(22)}`,
  )
  for (const row of rows) {
    const rate = row.rate / (yardstick?.rate ?? Number.NaN)
    const perCpu = (yardstick?.cpu ?? Number.NaN) / row.cpu
    const cells = [
      row.variant.padEnd(14),
      String(row.bytes).padStart(7),
      row.rate.toFixed(0).padStart(9),
      row.cpu.toFixed(0).padStart(12),
      row.p50.toFixed(1).padStart(8),
      row.p99.toFixed(1).padStart(8),
      rate.toFixed(2).padStart(19),
      perCpu.toFixed(2).padStart(22),
    ]
    console.log(`  ${cells.join(' ')}`)
  }
  console.log('')
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
