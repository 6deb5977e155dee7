/** One PostgreSQL server for the whole run, and in it one migrated database for all tests to be cloned from. */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { grantRights } from '../../src/database-rights.ts'
import { migrate, openDatabase } from '../../src/db.ts'
import { startEmbeddedPostgres } from '../../src/embedded-postgres.ts'
import { migrations } from '../../src/migrations.ts'
import { databaseUrl, HUB_ROLE, TEMPLATE } from './database-url.ts'
import { freePort } from './free-port.ts'
import { announceTemplate } from './sandbox-template.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'falaj-test-'))
  // Run by root, the server works as another account, which has to pass through here.
  await chmod(folder, 0o711)
  const server = await startEmbeddedPostgres({
    dataDirectory: join(folder, 'postgres'),
    port: await freePort(),
    // A test asks whether a transaction was committed, not whether it outlives a power cut.
    flags: ['fsync=off', 'full_page_writes=off', 'max_connections=60'],
  })
  const teardown = async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await makeTemplate(server.adminUrl.reveal())
  } catch (thrown) {
    await teardown()
    throw thrown
  }
  announceTemplate(join(folder, 'sandbox'))
  project.provide('postgresAdminUrl', server.adminUrl.reveal())
  return teardown
}

async function makeTemplate(adminUrl: string): Promise<void> {
  const admin = openDatabase({ url: databaseUrl(adminUrl, 'postgres'), poolMax: 1, applicationName: 'test-setup' })
  await admin.raw('create database ??', [TEMPLATE])
  await admin.destroy()
  const template = openDatabase({ url: databaseUrl(adminUrl, TEMPLATE), poolMax: 1, applicationName: 'test-setup' })
  await migrate(template, migrations)
  await template.raw(`create role ${HUB_ROLE} login password '${HUB_ROLE}'`)
  await grantRights(template, HUB_ROLE)
  await template.destroy()
}
