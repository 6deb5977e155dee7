/** What the account of a running hub may do in its database. The hubs of all other tests work with these rights. */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { grantRights, RIGHTS } from '../../src/database-rights.ts'
import { type Db, openDatabase, query } from '../../src/db.ts'
import { HUB_ROLE } from '../support/database-url.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'

let database: TestDatabase
let hub: Db
beforeAll(async () => {
  database = await createTestDatabase()
  hub = openDatabase({ url: database.url, poolMax: 1, applicationName: 'test-hub' })
})
afterAll(async () => {
  await hub.destroy()
  await database.close()
})

const granted = async (role: string): Promise<Record<string, string[]>> => {
  const { rows } = await query<{ name: string; rights: string[] }>(
    database.db,
    `select table_name as name, array_agg(lower(privilege_type) order by privilege_type) as rights
     from information_schema.role_table_grants where grantee = ? and table_schema = 'public' group by 1`,
    [role],
  )
  return Object.fromEntries(rows.map(({ name, rights }) => [name, rights]))
}
const wanted = Object.fromEntries(Object.entries(RIGHTS).map(([table, rights]) => [table, [...rights].sort()]))

test('every table has its line, and what is granted is what it says', async () => {
  const { rows } = await query<{ name: string }>(
    database.db,
    "select tablename as name from pg_tables where schemaname = 'public'",
  )
  expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(RIGHTS).sort())
  expect(await granted(HUB_ROLE)).toEqual(wanted)
})

/** Read from the sources, so that a statement which only the owner of the tables has tried does not wait for a deployment. */
test('every statement that changes a table has the right to', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    // Those are of the owner.
    .filter((name) => name.endsWith('.ts') && !/migrations|embedded-postgres|^db\.ts$/.test(name))
    .map((name) => [name, readFileSync(join('src', name), 'utf8')] as const)
  const found = files.flatMap(([name, text]) =>
    [
      ...text.matchAll(
        /\b(delete)\s+from\s+([a-z_]+)|\b(insert)\s+into\s+([a-z_]+)|\b(update)\s+([a-z_]+)(?:\s+as)?(?:\s+\w+)?\s+set\b/g,
      ),
    ].map(([, deletes, from, inserts, into, , updated]) => ({
      name,
      right: (deletes ?? inserts ?? 'update') as 'delete' | 'insert' | 'update',
      table: from ?? into ?? updated ?? '',
    })),
  )
  const missing = found.filter(({ table, right }) => RIGHTS[table] !== undefined && !RIGHTS[table].includes(right))
  expect(missing).toEqual([])
  expect(new Set(found.map(({ table }) => table)).size).toBeGreaterThan(20)
})

const APPEND_ONLY = Object.keys(RIGHTS).filter((table) => !RIGHTS[table]?.includes('update'))
describe.each(APPEND_ONLY)('%s', (table) => {
  test.each([
    ['changed', `update ${table} set ctid = ctid`],
    ['emptied', `truncate ${table}`],
    ['dropped', `drop table ${table}`],
    ['robbed of its triggers', `alter table ${table} disable trigger all`],
    ['given a rule', `create rule no_insert as on insert to ${table} do instead nothing`],
    ['given to others', `grant select on ${table} to public`],
  ])('cannot be %s by the hub', async (_how, sql) => {
    // A grant of what one may not grant is a warning, and nothing is granted.
    const tried = hub.raw(sql)
    if (sql.startsWith('grant')) {
      await tried
      expect(await granted('PUBLIC')).toEqual({})
    } else await expect(tried).rejects.toThrow(/permission denied|must be owner|cannot assign to system column/)
  })
})

test.each([
  'audit_entry',
  'audit_leaf',
  'audit_checkpoint',
  'consent_trail',
  'consent_version',
  'payment_log',
  'resource_trail',
])('no row of %s can be removed by the hub', async (table) => {
  await expect(hub.raw('delete from ??', [table])).rejects.toThrow(`permission denied for table ${table}`)
})

test.each([
  ['create a table', 'create table x ()'],
  ['create a function', 'create function x() returns int language sql as $$ select 1 $$'],
  [
    'replace a trigger function',
    'create or replace function audit_is_append_only() returns trigger language plpgsql as $$ begin return null; end $$',
  ],
  ['set its triggers aside', "set session_replication_role = 'replica'"],
  ['become the owner', 'set role postgres'],
  ['read a file', "select pg_read_file('PG_VERSION')"],
])('the hub cannot %s', async (_what, sql) => {
  await expect(hub.raw(sql)).rejects.toThrow(/permission denied|must be owner/)
})

describe('granting', () => {
  const role = `r_${randomBytes(6).toString('hex')}`
  afterAll(() => database.db.raw('drop owned by ??', [role]).then(() => database.db.raw('drop role ??', [role])))

  test('a role that does not exist is a fault with a name', async () => {
    await expect(grantRights(database.db, role)).rejects.toThrow(`the database has no role ${role}: create it first`)
  })

  test('gives what is missing and takes what is too much, and leaves tables of other releases alone', async () => {
    await database.db.raw('create role ??', [role])
    await database.db.raw('create table of_the_next_release ()')
    await database.db.raw('grant all on all tables in schema public to ??', [role])
    await grantRights(database.db, role)
    const { of_the_next_release, ...ours } = await granted(role)
    expect(ours).toEqual(wanted)
    expect(of_the_next_release).toContain('delete')
    await grantRights(database.db, role)
    expect(await granted(role)).toMatchObject(wanted)
    await database.db.raw('drop table of_the_next_release')
  })

  test('refuses a role that no right holds back', async () => {
    const above = `s_${randomBytes(6).toString('hex')}`
    await database.db.raw(`create role ${above} superuser`)
    await expect(grantRights(database.db, above)).rejects.toThrow(`the role ${above} is not held by rights`)
    await database.db.raw(`drop role ${above}`)
    await expect(grantRights(database.db, 'postgres')).rejects.toThrow('the role postgres is not held by rights')
  })
})
