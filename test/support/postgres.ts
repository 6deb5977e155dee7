/** A database of one's own for a test: a clone of the migrated template, dropped when the test is done with it. */
import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { type Db, openDatabase } from '../../src/db.ts'
import type { Secret } from '../../src/secret.ts'
import { asHub, databaseUrl, TEMPLATE } from './database-url.ts'

export type TestDatabase = {
  /** For a hub, which has its rights and no more. */
  readonly url: Secret<string>
  /** Of the owner. */
  readonly db: Db
  /** Drops the database. Fails when somebody still holds a connection to it: a leak is a fault of what was tested. */
  close(): Promise<void>
}

const POOL_MAX = 8

export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`
  await asAdmin((admin) => admin.raw('create database ?? template ??', [name, TEMPLATE]))
  const url = databaseUrl(inject('postgresAdminUrl'), name)
  const db = openDatabase({ url, poolMax: POOL_MAX, applicationName: 'test' })
  return {
    url: asHub(url),
    db,
    close: async () => {
      await db.destroy()
      // PostgreSQL itself waits some seconds for connections that are on their way out, then refuses.
      await asAdmin((admin) => admin.raw('drop database ??', [name]))
    },
  }
}

async function asAdmin(work: (admin: Db) => Promise<unknown>): Promise<void> {
  const url = databaseUrl(inject('postgresAdminUrl'), 'postgres')
  const admin = openDatabase({ url, poolMax: 1, applicationName: 'test-admin' })
  try {
    await work(admin)
  } finally {
    await admin.destroy()
  }
}
