import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { inTransaction, openDatabase, query } from '../../src/db.ts'
import { Secret } from '../../src/secret.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  await database.db.raw('create table kept (id text primary key, tags jsonb)')
})
afterAll(() => database.close())

test('a statement that fails does not tell its values', async () => {
  const { db } = database
  await query(db, 'insert into kept values (?, null)', ['hunter2'])
  // All are waited for from the start: one that fails while another is looked at would be nobody's.
  const failures = await Promise.allSettled([
    query(db, 'insert into kept values (?, null)', ['hunter2']),
    query(db, "insert into kept select ?, tags from kept where tags is null or tags \\? 'x'", ['hunter2']),
    db('kept').insert({ id: 'hunter2' }),
  ])
  for (const failure of failures) {
    const thrown = failure.status === 'rejected' ? (failure.reason as Error) : null
    expect(thrown?.message).toMatch(/duplicate key value/)
    expect(thrown?.message).not.toContain('hunter2')
  }
})

test('a transaction keeps all or nothing', async () => {
  const { db } = database
  const broken = inTransaction(db, async (tx) => {
    await query(tx, "insert into kept values ('half', null)")
    throw new Error('on the way')
  })
  await expect(broken).rejects.toThrow('on the way')
  expect((await query(db, "select * from kept where id = 'half'")).rowCount).toBe(0)
})

test('a database that is not there is an error, and nothing else is written', async () => {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const complained = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const url = new Secret('postgres://nobody:hunter2@127.0.0.1:1/nowhere')
  const db = openDatabase({ url, poolMax: 2, applicationName: 'test' })
  const began = performance.now()
  const thrown = await query(db, 'select 1').then(
    () => '',
    (error: unknown) => String(error),
  )
  await db.destroy()
  const lines = [...written.mock.calls, ...complained.mock.calls]
  vi.restoreAllMocks()
  expect(thrown).toContain('ECONNREFUSED')
  expect(thrown).not.toContain('hunter2')
  expect(performance.now() - began).toBeLessThan(3000)
  expect(lines).toEqual([])
})
