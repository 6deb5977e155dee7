/**
 * What every sandbox of a run would make again: keys and certificates, the cluster of PostgreSQL, and in it the databases
 * of the hubs at this release. The first file that starts a sandbox makes it, the others copy it; starting finds it in
 * place, as a second start from the same folder would (test/sandbox/lifecycle.test.ts starts from nothing).
 */
import { execFile } from 'node:child_process'
import { appendFileSync, chmodSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { folderOf, topology } from '../../sandbox/topology.ts'
import { LFI_CODES } from '../../sandbox/trust-framework/ecosystem.ts'
import { enrol } from '../../sandbox/trust-framework/enrol.ts'
import { migrate, openDatabase } from '../../src/db.ts'
import { startEmbeddedPostgres } from '../../src/embedded-postgres.ts'
import { migrations } from '../../src/migrations.ts'
import { freePort } from './free-port.ts'

/** Where the global setup says that it may lie; started in another way than by a run of tests, there is none. */
const PLACE = 'FALAJ_TEST_SANDBOX_TEMPLATE'
const POLL_MS = 50

export function announceTemplate(folder: string): void {
  process.env[PLACE] = folder
}

/** Fills an empty data folder. */
export async function copyTemplateTo(dataDir: string): Promise<void> {
  const template = process.env[PLACE]
  if (template === undefined) return
  await untilMade(template)
  // Keeps owners: run by root, PostgreSQL works as another account, which has to pass through here.
  await promisify(execFile)('cp', ['-a', `${template}/.`, dataDir])
  chmodSync(dataDir, 0o711)
}

/** By one of those who ask at the same time. */
async function untilMade(template: string): Promise<void> {
  const unfinished = `${template}.unfinished`
  for (; !existsSync(template); await pause(POLL_MS)) {
    if (existsSync(unfinished)) continue
    try {
      mkdirSync(unfinished, { mode: 0o711 })
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw thrown
    }
    try {
      await make(unfinished)
      renameSync(unfinished, template)
    } catch (thrown) {
      await rm(unfinished, { recursive: true, force: true })
      throw thrown
    }
  }
}

async function make(dataDir: string): Promise<void> {
  const place = topology({ dataDir, basePort: 0 })
  const none = { redirectUris: [], webhookUris: [] }
  await Promise.all([
    // Addresses are written down anew at each start.
    enrol({
      dataDir,
      origins: { edge: place.urls.edge, keystore: place.urls.directory, hubs: place.urls.hubs },
      tpp: { primary: none, second: none },
    }),
    makeDatabases(folderOf(place, 'postgres')),
  ])
}

async function makeDatabases(dataDirectory: string): Promise<void> {
  const flags = ['fsync=off', 'full_page_writes=off']
  const postgres = await startEmbeddedPostgres({ dataDirectory, port: await freePort(), flags })
  try {
    for (const code of LFI_CODES) {
      const name = `falaj_${code}`
      await postgres.ensureDatabase(name)
      const url = postgres.databaseUrl(name)
      const db = openDatabase({ url, poolMax: 1, applicationName: 'test-template', isLong: true })
      await migrate(db, migrations)
      await db.destroy()
    }
  } finally {
    await postgres.stop()
  }
  // A test asks whether a transaction was committed, not whether it outlives a power cut.
  appendFileSync(join(dataDirectory, 'cluster/postgresql.conf'), flags.map((flag) => `\n${flag}\n`).join(''))
}
