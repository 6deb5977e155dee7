/**
 * `npm run bench -- audit [entries]`: the audit log on PostgreSQL with fsync. Appends through the group commit as the
 * gateway makes them, with a sealer beside them; then proofs, an export, and the verifier over all of it, each beside
 * a naive hashing of the same entries. The machine is what it is; the ratios are the result.
 */
import { spawnSync } from 'node:child_process'
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import {
  type AuditEntry,
  auditPublicKey,
  backlogOf,
  createAudit,
  createBackPressure,
  createReceiptOffice,
  createSealer,
} from '../../src/audit/index.ts'
import { systemClock } from '../../src/clock.ts'
import { type Db, migrate, openDatabase, query } from '../../src/db.ts'
import { startEmbeddedPostgres } from '../../src/embedded-postgres.ts'
import type { ClientId, ConsentId, CorrelationId, OrganisationId, TenantId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { migrations } from '../../src/migrations.ts'
import { Secret } from '../../src/secret.ts'
import { freePort } from '../support/free-port.ts'

/** Calls under way at once, each waiting for its own entries to be durable. */
const CALLERS = 512
const SAMPLES = 2_000
const VERIFIER = fileURLToPath(new URL('../../src/audit/verifier/falaj-verify.ts', import.meta.url))
const EXPORT = fileURLToPath(new URL('audit-export.ts', import.meta.url))

const tenantId = 'aurora' as TenantId
const log = createLog({ level: 'silent', name: 'bench' })
const key = new Secret(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
const deps = { tenantId, key, clock: systemClock, log }

export async function runAuditBenchmark(wanted: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'falaj-bench-audit-'))
  const server = await startEmbeddedPostgres({ dataDirectory: join(folder, 'postgres'), port: await freePort() })
  await server.ensureDatabase('audit')
  const db = openDatabase({ url: server.databaseUrl('audit'), poolMax: 8, applicationName: 'bench' })
  try {
    await migrate(db, migrations)
    const [{ fsync } = { fsync: '?' }] = (await query<{ fsync: string }>(db, 'show fsync')).rows
    console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}, fsync ${fsync}`)
    const tenth = Math.ceil(wanted / 10)
    const keyFile = join(folder, 'audit.key.pem')
    await writeFile(keyFile, key.reveal(), { mode: 0o600 })
    const exportTo = (name: string) => runExport([server.databaseUrl('audit').reveal(), keyFile, join(folder, name)])
    await measureAppends(db, tenth)
    // Twice, and right after the load both times: what a receipt costs must not depend on how long the log is.
    await measureReceipts(db, tenth)
    // Twice as well: the memory that an export takes must not grow with the log.
    exportTo('tenth')
    await measureAppends(db, wanted - tenth)
    await measureDelay(db)
    await measureReceipts(db, wanted)
    exportTo('whole')
    await measureVerifier(join(folder, 'whole'), wanted)
  } finally {
    await db.destroy()
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** What one read leaves: the TPP's call and the call to the bank. */
function entriesOfCall(): readonly AuditEntry[] {
  const common = { at: systemClock.now(), tenantId, interactionId: randomUUID() as CorrelationId }
  const clientId = '11111111-2222-4333-8444-555555555555' as ClientId
  const consentId = randomUUID() as ConsentId
  /** A read has no body, and nothing led to it. */
  const uncaused = { requestDigest: null, parentInteractionId: null }
  const answered = {
    method: 'GET',
    route: '/accounts/{AccountId}/balances',
    operationId: 'GetAccountsAccountIdBalances',
  }
  return [
    {
      kind: 'tpp-call',
      ...common,
      ...answered,
      clientId,
      consentId,
      organisationId: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee' as OrganisationId,
      softwareStatementId: 'bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee',
      surface: 'rs',
      status: 200,
      errorCode: null,
      attended: true,
      hubMs: 4.2,
      lfiMs: 20.1,
      lfiStatus: 200,
      records: 3,
      apiSet: 'BankDataSharing',
      hubInMs: 2.1,
      hubOutMs: 2.1,
      lfiOutcome: 'answered',
      paymentType: null,
      merchantId: null,
      resource: 'balances',
      rule: null,
      expected: null,
      seen: null,
      path: null,
      responseDigest: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
      ...uncaused,
    },
    {
      kind: 'lfi-call',
      ...common,
      ...answered,
      ...uncaused,
      clientId,
      consentId,
      status: 200,
      outcome: 'answered',
      lfiMs: 20.1,
    },
  ]
}

async function measureAppends(db: Db, wanted: number): Promise<void> {
  const pressure = createBackPressure({ backlog: () => backlogOf(db) })
  const audit = createAudit({ ...deps, db, pressure })
  const sealer = createSealer({ ...deps, db })
  sealer.start()
  let begun = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (begun < wanted) {
        begun += 2
        await audit.record(...entriesOfCall())
      }
    }),
  )
  const seconds = (performance.now() - began) / 1_000
  await sealer.sealNow()
  const sealed = (performance.now() - began) / 1_000
  await sealer.stop()
  await audit.close()
  console.log(`appends          ${rate(begun, seconds)} durable, ${rate(begun, sealed)} sealed; ${begun} entries`)
  console.log(`rested           ${(pressure.restedMs() / 1_000).toFixed(2)} s, for the sealer to keep up`)
}

/** From acceptance to the first signed tree that has the entry. */
async function measureDelay(db: Db): Promise<void> {
  const { rows } = await query<{ p50: number; p99: number; most: number }>(
    db,
    `with last as (select max(index) as index from audit_leaf), sample as (
       select l.index, e.accepted_at from audit_leaf l join audit_entry e on e.id = l.entry_id, last
       where l.index > 0 and l.index % greatest(1, last.index / ?) = 0
     ), delay as (
       select extract(epoch from (
         select c.signed_at from audit_checkpoint c where c.size > s.index order by c.size limit 1
       ) - s.accepted_at) * 1000 as ms from sample s
     )
     select percentile_cont(0.5) within group (order by ms) as p50, percentile_cont(0.99) within group (order by ms) as p99,
       max(ms) as most from delay`,
    [SAMPLES],
  )
  const { p50 = 0, p99 = 0, most = 0 } = rows[0] ?? {}
  console.log(
    `delay to seal    p50 ${Number(p50).toFixed(0)} ms, p99 ${Number(p99).toFixed(0)} ms, most ${Number(most).toFixed(0)} ms`,
  )
}

async function measureReceipts(db: Db, wanted: number): Promise<void> {
  const office = createReceiptOffice({ db })
  const { rows } = await query<{ id: CorrelationId }>(
    db,
    `select e.interaction_id as id from audit_leaf l join audit_entry e on e.id = l.entry_id
     where e.interaction_id is not null and l.index % ? = 7 limit 100`,
    [Math.max(8, Math.floor(wanted / 128))],
  )
  const began = performance.now()
  let bytes = 0
  let hashes = 0
  let count = 0
  for (const { id } of rows) {
    for (const { proof } of (await office.find(id, { of: 'everything' }))?.receipts ?? []) {
      bytes += proof.length
      hashes += (proof.slice(0, proof.indexOf('\n\n')).match(/\n/g)?.length ?? 2) - 2
      count += 1
    }
  }
  const ms = (performance.now() - began) / count
  console.log(
    `receipts         ${(hashes / count).toFixed(1)} hashes, ${(bytes / count).toFixed(0)} bytes, ${ms.toFixed(1)} ms each`,
  )
}

type ExportRun = { readonly size: number; readonly seconds: number; readonly mostBytes: number }

/** Room for what it needs at any one time. With more, Node.js leaves garbage for later and so takes more with time. */
const SMALL = ['--max-old-space-size=48', '--max-semi-space-size=4']

/** As a process of its own: the memory of this one is also that of the load. */
function runExport(args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...SMALL, EXPORT, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  const { size, seconds, mostBytes } = JSON.parse(stdout) as ExportRun
  const most = (mostBytes / 2 ** 20).toFixed(0)
  console.log(
    `export           ${rate(size, seconds)}, ${seconds.toFixed(1)} s for ${size}, ${most} MiB resident at most`,
  )
}

async function measureVerifier(path: string, wanted: number): Promise<void> {
  const size = Number(readFileSync(join(path, 'checkpoint'), 'utf8').split('\n')[1])
  const { seconds, cpu } = runVerifier(path)
  const reported = runVerifier(path, '--reports')
  const naive = await hashNaively(join(path, 'entries.ndjson'))
  console.log(
    `verifier         ${rate(size, seconds)}, ${seconds.toFixed(1)} s for everything in the export, ${cpu.toFixed(1)} s of CPU`,
  )
  console.log(
    `and reports      ${rate(size, reported.seconds)}, ${reported.seconds.toFixed(1)} s, ${reported.cpu.toFixed(1)} s of CPU`,
  )
  console.log(
    `naive hashing    ${rate(size, naive)}, ${naive.toFixed(1)} s for the list of entries alone, leaf by leaf`,
  )
  console.log(`verifier × naive ${(seconds / naive).toFixed(2)} of its time; ${wanted} entries asked for`)
}

const TELL_CPU = `data:text/javascript,process.on('exit',()=>{const c=process.cpuUsage();console.error((c.user+c.system)/1e6)})`

function runVerifier(path: string, ...more: readonly string[]): { readonly seconds: number; readonly cpu: number } {
  const from = performance.now()
  const args = ['--import', TELL_CPU, VERIFIER, path, '--key', auditPublicKey(tenantId, key), ...more]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (status !== 0) throw new Error(stdout)
  return { seconds: (performance.now() - from) / 1_000, cpu: Number(stderr.trim().split('\n').at(-1)) }
}

/** The yardstick: read the list of entries and hash leaf after leaf, in the obvious way, and then the tree. */
async function hashNaively(file: string): Promise<number> {
  const began = performance.now()
  let row: Buffer[] = []
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const { entry } = JSON.parse(line) as { readonly entry: unknown }
    row.push(createHash('sha256').update(Buffer.of(0)).update(JSON.stringify(entry)).digest())
  }
  while (row.length > 1) {
    const above: Buffer[] = []
    for (let at = 0; at < row.length; at += 2) {
      const [left, right] = [row[at] as Buffer, row[at + 1]]
      above.push(
        right === undefined ? left : createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest(),
      )
    }
    row = above
  }
  return (performance.now() - began) / 1_000
}

const rate = (count: number, seconds: number): string => `${(count / seconds).toFixed(0).padStart(6)} entries/s`
