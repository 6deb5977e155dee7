import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Audit, createAudit, createAuditReader, createSealer } from '../../src/audit/index.ts'
import { decode } from '../../src/audit/stored-entry.ts'
import { systemClock } from '../../src/clock.ts'
import { type Db, inTransaction, openDatabase } from '../../src/db.ts'
import { type CorrelationId, newCorrelationId, type TenantId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { newAuditKey } from '../support/audit-log.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { aurora, ENTRIES } from '../unit/audit/entries.ts'

const log = createLog({ level: 'silent', name: 'test' })
const call = (interactionId: CorrelationId) => ({ ...ENTRIES['tpp-call'], interactionId })

let database: TestDatabase
let db: Db
let audit: Audit
beforeAll(async () => {
  database = await createTestDatabase()
  db = database.db
  audit = createAudit({ db, tenantId: aurora, clock: systemClock, log })
})
afterAll(async () => {
  await audit.close()
  await database.close()
})

const reader = () => createAuditReader({ db })
const found = async (id: CorrelationId) => (await reader().findByInteraction(id)).length
const pending = async () => Number((await db.raw('select count(*) from audit_pending')).rows[0].count)

/** Ends every server process that waits for a lock on behalf of `test-doomed`, until the work is settled. */
async function killWaitingUntil(work: Promise<unknown>): Promise<void> {
  let isSettled = false
  void work.finally(() => {
    isSettled = true
  })
  const kill = `select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'test-doomed' and datname = current_database() and wait_event_type = 'Lock'`
  while (!isSettled) await db.raw(kill)
}

describe('append', () => {
  test('is stored with the change that it records', async () => {
    const id = newCorrelationId()
    const before = await pending()
    const entryId = await inTransaction(db, (tx) => audit.append(tx, call(id)))
    expect(await reader().findByInteraction(id)).toMatchObject([{ entryId, index: null, entry: { interactionId: id } }])
    expect(await pending()).toBe(before + 1)
  })

  test('leaves nothing when the change is rolled back', async () => {
    const id = newCorrelationId()
    const before = await pending()
    const doomed = inTransaction(db, async (tx) => {
      await audit.append(tx, call(id))
      throw new Error('the change failed')
    })
    await expect(doomed).rejects.toThrow('the change failed')
    expect([await found(id), await pending()]).toEqual([0, before])
  })

  test('refuses an entry of another tenant', async () => {
    const foreign = { ...call(newCorrelationId()), tenantId: 'meridian' as TenantId }
    await expect(inTransaction(db, (tx) => audit.append(tx, foreign))).rejects.toThrow('another tenant')
    await expect(audit.record(foreign)).rejects.toThrow('another tenant')
  })

  test('works for many transactions at once, each entry with an id of its own', async () => {
    const ids = Array.from({ length: 40 }, newCorrelationId)
    const entryIds = await Promise.all(ids.map((id) => inTransaction(db, (tx) => audit.append(tx, call(id)))))
    expect(new Set(entryIds).size).toBe(40)
    expect(await Promise.all(ids.map(found))).toEqual(ids.map(() => 1))
  })
})

describe('record', () => {
  test('is durable when it resolves: another connection sees it', async () => {
    const other = openDatabase({ url: database.url, poolMax: 1, applicationName: 'test-other' })
    const id = newCorrelationId()
    await audit.record(call(id), call(id))
    expect(await createAuditReader({ db: other }).findByInteraction(id)).toHaveLength(2)
    await other.destroy()
  })

  test('shares statements among callers', async () => {
    let inserts = 0
    const count = (query: { sql: string }) => {
      if (query.sql.includes('insert into audit_entry')) inserts += 1
    }
    db.on('query', count)
    const ids = Array.from({ length: 500 }, newCorrelationId)
    await Promise.all(ids.map((id) => audit.record(call(id))))
    db.off('query', count)
    expect(inserts).toBeLessThanOrEqual(3)
    expect((await Promise.all([ids[0], ids[250], ids[499]].map((id) => found(id as CorrelationId)))).join()).toBe(
      '1,1,1',
    )
  })

  test('stores exact bytes, whatever the texts hold', async () => {
    const id = newCorrelationId()
    const detail = 'quote " backslash \\ brace {} comma , null NULL \u0000 lone \ud800 emoji 😀'
    await audit.record({ ...ENTRIES.system, interactionId: id, detail })
    expect((await reader().findByInteraction(id))[0]?.entry?.['detail']).toBe(detail)
  })

  test('rejects every caller of a lost statement, and works again afterwards', async () => {
    const narrow = openDatabase({ url: database.url, poolMax: 1, applicationName: 'test-doomed' })
    const doomed = createAudit({ db: narrow, tenantId: aurora, clock: systemClock, log })
    const ids = Array.from({ length: 5 }, newCorrelationId)
    const lock = await db.transaction()
    await lock.raw('lock table audit_entry in access exclusive mode')
    const calls = Promise.allSettled(ids.map((id) => doomed.record(call(id))))
    // The first call alone, then the other four together: both statements lose their server process.
    await killWaitingUntil(calls)
    await lock.rollback()
    const refused = { status: 'rejected', reason: expect.objectContaining({ code: 'GenericRecoverableError' }) }
    expect(await calls).toEqual(ids.map(() => refused))
    expect(await Promise.all(ids.map(found))).toEqual(ids.map(() => 0))
    const id = newCorrelationId()
    await doomed.record(call(id))
    expect(await found(id)).toBe(1)
    // That it failed is on record, once, with the first entry that could be.
    await doomed.record(call(newCorrelationId()))
    const written = (await db('audit_entry').select('bytes')) as readonly { readonly bytes: Buffer }[]
    const told = written.map(({ bytes }) => decode(bytes)).filter((entry) => entry?.['event'] === 'log-failed')
    expect(told.filter((entry) => String(entry?.['detail']).startsWith('5 times since 20'))).toHaveLength(1)
    await doomed.close()
    await narrow.destroy()
  })

  test('refuses after it was closed', async () => {
    const closing = createAudit({ db, tenantId: aurora, clock: systemClock, log })
    const id = newCorrelationId()
    const last = closing.record(call(id))
    await closing.close()
    await last
    expect(await found(id)).toBe(1)
    await expect(closing.record(call(id))).rejects.toMatchObject({ code: 'GenericRecoverableError' })
  })
})

describe('reading', () => {
  test('gives sealed entries in their order, a page at a time', async () => {
    await createSealer({ db, tenantId: aurora, key: newAuditKey(), clock: systemClock, log }).sealNow()
    const page = await reader().range(3, 5)
    expect(page.map((each) => each.index)).toEqual([3, 4, 5, 6, 7])
    expect(page.every((each) => each.entry?.tenantId === 'aurora')).toBe(true)
    expect(await reader().range(0, 1_000_000)).toHaveLength(Math.min(1000, Number(await sealed())))
    expect(await reader().range(1_000_000, 5)).toEqual([])
  })

  test('finds the entries of a consent, the latest first', async () => {
    const consentId = ENTRIES['consent-changed'].consentId
    await audit.record(ENTRIES['consent-changed'])
    const [latest] = await reader().findByConsent(consentId, 1)
    expect(latest).toMatchObject({ index: null, entry: { kind: 'consent-changed', consentId } })
  })
})

const sealed = async () => (await db.raw('select count(*) from audit_leaf')).rows[0].count

describe('the tables', () => {
  const GUARDED = {
    audit_entry: 'bytes = bytes',
    audit_leaf: 'entry_id = entry_id',
    audit_tile: 'hashes = hashes',
    audit_checkpoint: 'note = note',
    audit_cosignature: 'line = line',
    audit_key: 'public_key = public_key',
  }
  const REFUSED = Object.entries(GUARDED).flatMap(([table, change]) => [
    `update ${table} set ${change}`,
    `delete from ${table}`,
    `delete from ${table} where false`,
    `truncate ${table} cascade`,
  ])

  test.each([
    ...REFUSED,
    'update audit_pending set entry_id = entry_id',
    'truncate audit_pending',
    'update audit_opening set value = value',
    'truncate audit_opening',
    'delete from audit_head',
    'insert into audit_head (is_head, size, edge) values (false, 0, array[]::bytea[])',
  ])('refuse: %s', async (statement) => {
    await expect(db.raw(statement)).rejects.toThrow('append-only')
  })
})
