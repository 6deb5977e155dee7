/** The database of Aurora's hub, for what no outside party can see or bring about. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Db, openDatabase } from '../../../src/db.ts'
import { Secret } from '../../../src/secret.ts'
import type { World } from './world.ts'

export async function inDatabase(world: World, work: (db: Db) => Promise<void>): Promise<void> {
  const url = readFileSync(join(dirname(world.manifest.lfis.aurora.hubConfigFile), 'database.url'), 'utf8').trim()
  const db = openDatabase({ url: new Secret(url), poolMax: 1, applicationName: 'test' })
  try {
    await work(db)
  } finally {
    await db.destroy()
  }
}
