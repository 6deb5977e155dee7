/**
 * `npm run bench -- consents`: what the reads of the consent store cost in one tenant of 10,000, 100,000 and 1,000,000
 * consents, as ratios to the smallest; then the expiry of 100,000 while reads go on, beside reads of an idle store.
 * A number after it is the largest size.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createAudit } from '../../src/audit/index.ts'
import { type Clock, systemClock, toInstant } from '../../src/clock.ts'
import { type ConsentStore, createConsentStore } from '../../src/consent-store/index.ts'
import { type Db, migrate, openDatabase, query } from '../../src/db.ts'
import { startEmbeddedPostgres } from '../../src/embedded-postgres.ts'
import type { ConsentId, TenantId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { migrations } from '../../src/migrations.ts'
import type { Secret } from '../../src/secret.ts'
import { accountId, consentId, fill, sizes, userId } from './consents-fill.ts'

const SIZES = [10_000, 100_000, 1_000_000]
const CALLS = 200
const EXPIRING = 100_000
/** Before those: what lists of what ended are read of, without anything that is due. */
const ENDED = 1_250
/** Before and after, as long. */
const QUIET_MS = 15_000
const SWEEPER = fileURLToPath(new URL('consents-sweep.ts', import.meta.url))
const PORT = 31_490

type Read = (store: ConsentStore, size: number, call: number) => Promise<unknown>
const page = { page: 1, pageSize: 25 }
/** Different consents on every call, spread over all there are. */
const anyOf = (size: number, call: number): number => 1 + ((call * 7919) % size)

const READS: Readonly<Record<string, Read>> = {
  'by id': (store, size, call) => store.find(consentId(anyOf(size, call)) as ConsentId),
  'by user': (store, size, call) => store.listForLfi({ psuUserId: userId(anyOf(size, call)), ...page }),
  'by account': (store, size, call) => store.listForLfi({ accountId: accountId(anyOf(size, call)), ...page }),
  'by group': (store, size, call) =>
    store.listForLfi({ groupId: consentId(4 * Math.floor(anyOf(size, call) / 4) + 2), ...page }),
  'first page': (store) => store.listForLfi(page),
  'first page of a status': (store) => store.listForLfi({ status: 'Authorized', ...page }),
  'first page of a rare status': (store) => store.listForLfi({ status: 'Suspended', ...page }),
  'first page of a rare type': (store) => store.listForLfi({ consentType: 'insurance', ...page }),
  'changes of late': (store, size) =>
    store.listForLfi({ updatedAfter: toInstant(Date.UTC(2020, 0, 1) + (size - 50) * 120_000), ...page }),
  'page after page, deep': (store, size, call) => store.listForLfi({ page: size / 50 + call, pageSize: 25 }),
}
/** One call each: nobody has walked there. */
const JUMPS: Readonly<Record<string, Read>> = {
  'jump to the middle': (store, size, call) => store.listForLfi({ page: size / 50 - call * 2, pageSize: 25 }),
  'jump to the end': (store, size, call) => store.listForLfi({ page: size / 25 - call * 2, pageSize: 25 }),
  'jump in a status': (store, size, call) =>
    store.listForLfi({ status: 'Authorized', page: size / 50 - call * 2, pageSize: 25 }),
  'jump in the changes': (store, size, call) =>
    store.listForLfi({ updatedAfter: toInstant(Date.UTC(2020, 0, 2)), page: size / 50 - call * 2, pageSize: 25 }),
  'changes from the beginning': (store, _, call) =>
    store.listForLfi({ updatedAfter: toInstant(Date.UTC(2020, 0, 2) + call * 120_000), ...page }),
}

export async function runConsentBenchmark(largest: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'falaj-bench-consents-'))
  const postgres = await startEmbeddedPostgres({ dataDirectory: join(folder, 'postgres'), port: PORT })
  try {
    await postgres.ensureDatabase('consents')
    const url = postgres.databaseUrl('consents')
    const db = openDatabase({ url, poolMax: 8, applicationName: 'bench' })
    try {
      await migrate(db, migrations)
      console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}`)
      await growth(
        db,
        SIZES.filter((size) => size <= largest),
      )
      await expiry(db, url)
      report(await sizes(db))
    } finally {
      await db.destroy()
    }
  } finally {
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const storeOf = (db: Db, clock: Clock): { store: ConsentStore; close: () => Promise<void> } => {
  const tenantId = 'aurora' as TenantId
  const audit = createAudit({ db, tenantId, clock, log: createLog({ level: 'silent', name: 'bench' }) })
  return { store: createConsentStore({ db, tenantId, clock, audit }), close: () => audit.close() }
}

async function growth(db: Db, wanted: readonly number[]): Promise<void> {
  const costs = new Map<string, number[]>()
  let filled = 0
  for (const size of wanted) {
    const began = performance.now()
    await fill(db, filled, size)
    filled = size
    console.log(`${size} consents, filled in ${((performance.now() - began) / 1000).toFixed(0)} s`)
    for (const [name, read] of [...Object.entries(READS), ...Object.entries(JUMPS)]) {
      // A store of its own: nothing is remembered from before.
      const { store, close } = storeOf(db, systemClock)
      const calls = name in JUMPS ? 20 : CALLS
      const took: number[] = []
      for (let call = 0; call < calls; call += 1) {
        const start = performance.now()
        await read(store, size, call)
        took.push(performance.now() - start)
      }
      costs.set(name, [...(costs.get(name) ?? []), quantile(took, 0.1)])
      await close()
    }
  }
  // Other work on the machine slows some calls down and speeds none up.
  console.log(`\na read, tenth quickest of a hundred, as ratio to ${wanted[0]} consents (and ms there)`)
  console.log(`  ${'read'.padEnd(30)}${wanted.map((size) => String(size).padStart(12)).join('')}`)
  for (const [name, each] of costs) {
    const [smallest = Number.NaN] = each
    const ratios = each.map((ms, at) => (at === 0 ? `1 (${ms.toFixed(2)})` : (ms / smallest).toFixed(2)).padStart(12))
    console.log(`  ${name.padEnd(30)}${ratios.join('')}`)
  }
}

/** What is read while many end, all of it by one reader in turn. */
const MEANWHILE: Readonly<Record<string, Read>> = {
  'by id': (store, _, call) => store.find(consentId(anyOf(10_000, call)) as ConsentId),
  'first page of a status': (store, _, call) =>
    store.listForLfi({ status: 'Expired', page: 1, pageSize: 25 + (call % 20) }),
  'jump in a status': (store, _, call) =>
    store.listForLfi({ status: 'Expired', page: 6 + (call % 20) * 2, pageSize: 25 }),
  'changes of a status': (store, _, call) =>
    store.listForLfi({
      status: 'Expired',
      updatedAfter: toInstant(Date.UTC(2020, 0, 2) + call),
      page: 1,
      pageSize: 25,
    }),
  'counts by status': (store) => store.countByStatus(),
}
type Times = Readonly<Record<string, readonly number[]>>

/** One sweep after another by a worker, a process of its own as in a deployment, until nothing is due. */
async function expiry(db: Db, url: Secret<string>): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.raw('set local statement_timeout = 0')
    await tx.raw('alter table consent disable trigger consent_keep')
    const ending = `update consent set expires_at = ? where id in
      (select id from consent where status = 'Authorized' and expires_at > now() order by id limit ?)`
    // As many as the reads below jump over have ended before; the others end in a moment.
    await tx.raw(ending, ['2026-01-01', ENDED])
    await tx.raw('alter table consent enable trigger consent_keep')
  })
  await sweeping(url)
  await db.raw('vacuum analyze consent')
  const { store, close } = storeOf(db, systemClock)
  const before = await reads(store, wait(QUIET_MS))
  await db.transaction(async (tx) => {
    await tx.raw('set local statement_timeout = 0')
    await tx.raw('alter table consent disable trigger consent_keep')
    await tx.raw(
      `update consent set expires_at = now() - interval '1 second' where id in
       (select id from consent where status = 'Authorized' order by id desc limit ?)`,
      [EXPIRING],
    )
    await tx.raw('alter table consent enable trigger consent_keep')
  })
  await db.raw('vacuum analyze consent')
  const [due] = (await query<{ due: string }>(db, 'select count(*) as due from consent where due_at <= now()')).rows
  const began = performance.now()
  const ended = sweeping(url)
  const during = await reads(store, ended)
  const seconds = (performance.now() - began) / 1000
  const after = await reads(store, wait(QUIET_MS))
  await close()
  const many = await ended
  console.log(
    `\nexpiry of ${due?.due} consents: ${many} written down in ${seconds.toFixed(0)} s, ${(many / seconds).toFixed(0)} a second`,
  )
  console.log(`  ${'a read meanwhile'.padEnd(26)}${'median, × idle'.padStart(24)}${'p99, × idle'.padStart(24)}`)
  for (const name of Object.keys(MEANWHILE)) {
    const idle = [...(before[name] ?? []), ...(after[name] ?? [])]
    const cell = (at: number): string => {
      const [quiet, busy] = [quantile(idle, at), quantile(during[name] ?? [], at)]
      return `${(busy / quiet).toFixed(2)} (${busy.toFixed(2)} ms)`.padStart(24)
    }
    console.log(`  ${name.padEnd(26)}${cell(0.5)}${cell(0.99)}`)
  }
}

async function sweeping(url: Secret<string>): Promise<number> {
  return Number((await promisify(execFile)(process.execPath, [SWEEPER, url.reveal()])).stdout)
}

async function reads(store: ConsentStore, work: Promise<unknown>): Promise<Times> {
  const took: Record<string, number[]> = {}
  let done = false
  const working = work.finally(() => {
    done = true
  })
  for (let call = 0; !done; call += 1) {
    for (const [name, read] of Object.entries(MEANWHILE)) {
      const start = performance.now()
      await read(store, 0, call)
      const times = took[name] ?? []
      times.push(performance.now() - start)
      took[name] = times
      await wait(2)
    }
  }
  await working
  return took
}

function report(tables: Awaited<ReturnType<typeof sizes>>): void {
  console.log('\n  table                     rows   bytes/row   of indexes        MB')
  for (const { name, rows, heap, indexes } of tables) {
    const cells = [
      name.padEnd(20),
      String(rows).padStart(9),
      (heap / rows).toFixed(0).padStart(11),
      (indexes / rows).toFixed(0).padStart(12),
      ((heap + indexes) / 1e6).toFixed(0).padStart(9),
    ]
    console.log(`  ${cells.join(' ')}`)
  }
}

function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? Number.NaN
}
