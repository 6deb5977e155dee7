/** Writes schema.sql anew: `node test/golden/update-schema.ts`. The diff is what a reviewer of a migration reads. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate, openDatabase } from '../../src/db.ts'
import { startEmbeddedPostgres } from '../../src/embedded-postgres.ts'
import { migrations } from '../../src/migrations.ts'
import { freePort } from '../support/free-port.ts'
import { dumpSchema } from '../support/schema-dump.ts'

const folder = await mkdtemp(join(tmpdir(), 'falaj-schema-'))
const server = await startEmbeddedPostgres({ dataDirectory: join(folder, 'postgres'), port: await freePort() })
try {
  await server.ensureDatabase('golden')
  const db = openDatabase({ url: server.databaseUrl('golden'), poolMax: 4, applicationName: 'update-schema' })
  await migrate(db, migrations)
  await writeFile(new URL('./schema.sql', import.meta.url), await dumpSchema(db))
  await db.destroy()
} finally {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}
