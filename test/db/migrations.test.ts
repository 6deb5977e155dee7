import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { type Db, type Migration, migrate, openDatabase, pendingMigrations, query } from '../../src/db.ts'
import { migrations } from '../../src/migrations.ts'
import type { Secret } from '../../src/secret.ts'
import { falaj } from '../support/cli.ts'
import { type ConfigFiles, writeConfigFiles } from '../support/config-files.ts'
import { asHub, databaseUrl, HUB_ROLE } from '../support/database-url.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { dumpSchema } from '../support/schema-dump.ts'

const NAMES = migrations.map((migration) => migration.name)

let name: string
let url: Secret<string>
let db: Db
beforeEach(async () => {
  name = `empty_${randomBytes(6).toString('hex')}`
  await asAdmin((admin) => admin.raw('create database ??', [name]))
  url = databaseUrl(inject('postgresAdminUrl'), name)
  db = open()
})
afterEach(async () => {
  await db.destroy()
  await asAdmin((admin) => admin.raw('drop database ??', [name]))
})

const open = (): Db => openDatabase({ url, poolMax: 4, applicationName: 'test-migrations' })
async function asAdmin(work: (admin: Db) => Promise<unknown>): Promise<void> {
  const admin = openDatabase({
    url: databaseUrl(inject('postgresAdminUrl'), 'postgres'),
    poolMax: 1,
    applicationName: 'test-admin',
  })
  await work(admin)
  await admin.destroy()
}
const tables = async (): Promise<string[]> =>
  (
    await query<{ name: string }>(db, "select tablename as name from pg_tables where schemaname = 'public' order by 1")
  ).rows.map((row) => row.name)

describe('migrations', () => {
  test('have names in the order in which they run, and no two the same', () => {
    expect(NAMES).toEqual([...new Set(NAMES)].sort())
    for (const each of NAMES) expect(each).toMatch(/^\d{4}-[a-z-]+$/)
  })

  test('are pending on an empty database, and asking changes nothing', async () => {
    expect(await pendingMigrations(db, migrations)).toEqual(NAMES)
    expect(await tables()).toEqual([])
  })

  test('all apply to an empty database, and then no more', async () => {
    expect(await migrate(db, migrations)).toEqual(NAMES)
    expect(await pendingMigrations(db, migrations)).toEqual([])
    const once = await dumpSchema(db)
    expect(await migrate(db, migrations)).toEqual([])
    expect(await dumpSchema(db)).toBe(once)
  })

  test('by several at once are applied by one of them', async () => {
    const others = [open(), open()]
    const applied = await Promise.all([db, ...others].map((each) => migrate(each, migrations)))
    expect(applied.flat().sort()).toEqual(NAMES)
    expect((await query<{ name: string }>(db, 'select name from schema_migration order by name')).rows).toEqual(
      NAMES.map((each) => ({ name: each })),
    )
    for (const each of others) await each.destroy()
  })

  test('that fail leave nothing, not even a lock, and are tried again', async () => {
    let isBroken = true
    const two: Migration[] = [
      { name: '0001-good', up: (tx) => tx.raw('create table good (id int)') },
      {
        name: '0002-bad',
        up: async (tx) => {
          await tx.raw('create table half (id int)')
          if (isBroken) await tx.raw('select 1 / 0')
        },
      },
    ]
    await expect(migrate(db, two)).rejects.toThrow('division by zero')
    expect(await tables()).toEqual(['good', 'schema_migration'])
    expect(await pendingMigrations(db, two)).toEqual(['0002-bad'])
    isBroken = false
    expect(await migrate(db, two)).toEqual(['0002-bad'])
  })

  test('of a newer release do not stop the older one', async () => {
    await migrate(db, [...migrations, { name: '9999-future', up: async () => undefined }])
    expect(await pendingMigrations(db, migrations)).toEqual([])
    expect(await migrate(db, migrations)).toEqual([])
  })

  test('may take longer than a statement may, and so may waiting for one’s turn', async () => {
    const limits: unknown[] = []
    const asks: Migration = {
      name: '0001-asks',
      up: async (tx) => {
        limits.push((await query<{ statement_timeout: string }>(tx as Db, 'show statement_timeout')).rows[0])
      },
    }
    await migrate(db, [asks])
    expect(limits).toEqual([{ statement_timeout: '0' }])
    expect((await query(db, 'show statement_timeout')).rows).toEqual([{ statement_timeout: '15s' }])
  })
})

test('the schema is the one that was reviewed (else: node test/golden/update-schema.ts)', async () => {
  const migrated = await createTestDatabase()
  try {
    expect(await dumpSchema(migrated.db)).toBe(readFileSync('test/golden/schema.sql', 'utf8'))
  } finally {
    await migrated.close()
  }
})

test('the dump shows whatever a migration could do', async () => {
  await db.raw(`
    create type colour as enum ('red');
    create table a (id int primary key, c colour default 'red', n int generated always as (id + 1) stored);
    create table b (id bigint generated always as identity, a int references a check (a > 0));
    create index b_a on b (a) where a > 1;
    create view v as select id from a;
    create sequence s;
    create function f() returns trigger language plpgsql as 'begin return null; end';
    create trigger t before delete on b execute function f();`)
  const dump = await dumpSchema(db)
  for (const part of [
    'n integer generated always as ((id + 1)) stored',
    "c colour default 'red'::colour",
    'id bigint generated always as identity not null',
    'REFERENCES a(id)',
    'CHECK ((a > 0))',
    'CREATE INDEX b_a',
    'view v;',
    'sequence s;',
    'type colour;',
    'CREATE OR REPLACE FUNCTION public.f()',
    'CREATE TRIGGER t',
  ]) {
    expect(dump).toContain(part)
  }
})

describe('processes', () => {
  let files: ConfigFiles
  beforeAll(async () => {
    files = await writeConfigFiles()
  })
  afterAll(() => files.close())
  const run = (...args: string[]) => {
    const tenant = files.tenant() as { readonly database: { readonly migration: object } }
    const migration = { ...tenant.database.migration, grantTo: HUB_ROLE }
    files.write({
      deployment: { ...files.deployment(), environment: 'sandbox' },
      tenant: { ...tenant, database: { ...tenant.database, migration } },
    })
    // Each knows one secret: who migrates that of the owner, and the hub its own.
    return falaj(
      [...args, '--config', files.deploymentFile],
      args[0] === 'migrate' ? { EXAMPLE_OWNER_URL: url.reveal() } : { EXAMPLE_DATABASE_URL: asHub(url).reveal() },
    )
  }

  test('two that migrate at once share the work, and a hub does not start before it is done', async () => {
    const early = await run('hub')
    expect(early).toEqual({
      status: 1,
      out: '',
      err: `migrations are pending (${NAMES.join(', ')}): run \`falaj migrate\` first\n`,
    })
    expect(await tables()).toEqual([])
    const both = await Promise.all([run('migrate'), run('migrate')])
    expect(both.map(({ status, err }) => ({ status, err }))).toEqual([
      { status: 0, err: '' },
      { status: 0, err: '' },
    ])
    const applied = both.flatMap(({ out }) => out.match(/\d{4}-[a-z-]+/g) ?? [])
    expect(applied.sort()).toEqual(NAMES)
    expect((await run('migrate')).out).toBe('example: up to date\n')
    const hub = openDatabase({ url: asHub(url), poolMax: 1, applicationName: 'test-hub' })
    expect((await query(hub, 'select * from schema_migration')).rowCount).toBe(NAMES.length)
    await hub.destroy()
  })
})
