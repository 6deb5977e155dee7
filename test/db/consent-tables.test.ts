/** What docs/operations/consent-tables.md tells an operator to run is run, in its order, and the tenant works on. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Archived, archive, checkArchive, openDisk } from '../../src/archive/index.ts'
import { createAudit } from '../../src/audit/index.ts'
import { type Instant, toInstant } from '../../src/clock.ts'
import { query } from '../../src/db.ts'
import type { ConsentId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { blocksOf } from '../docs/guide.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import {
  AUTHORIZE,
  CLIENT,
  LFI,
  lfiPatch,
  NOW,
  TENANT,
  type TestStore,
  TPP,
  testStore,
} from '../unit/consent-store/support.ts'

const DOCUMENT = readFileSync(new URL('../../docs/operations/consent-tables.md', import.meta.url), 'utf8')
const BLOCKS = blocksOf(DOCUMENT).flatMap(({ language, content }) => (language === 'sql' ? [content] : []))
/** Of the table of what to watch. */
const WATCHED = [...DOCUMENT.matchAll(/`(select [^`]+)`/g)].map(([, sql = '']) => sql)
const LONG_AGO = toInstant('2019-05-01T08:00:00Z')
const TOLD = { userId: 'u-42', name: 'Noor Example' }

let database: TestDatabase
let hub: TestStore
let old: ConsentId[]
let present: ConsentId[]
beforeAll(async () => {
  database = await createTestDatabase()
  hub = testStore(database.db)
  const some = async (at: Instant): Promise<ConsentId[]> => {
    hub.clock.set(at)
    const ids: ConsentId[] = []
    for (let number = 0; number < 6; number += 1) {
      ids.push(await hub.lodge({ ...(number % 2 === 0 ? {} : { type: 'service-initiation' }), webhook: 'active' }))
    }
    hub.clock.advance(1000)
    for (const id of ids) {
      await hub.store.patchByLfi(id, { ...AUTHORIZE, psu: TOLD, supplementaryInformation: { note: 'Noor' } }, LFI)
    }
    return ids
  }
  old = await some(LONG_AGO)
  hub.clock.advance(1000)
  for (const id of old) await hub.store.revoke(id, { revokedBy: 'LFI' }, LFI)
  for (const id of old.filter((_, number) => number % 2 === 1)) await paid(id, LONG_AGO)
  await query(database.db, "update outbox set state = 'delivered', settled_at = at")
  present = await some(NOW)
})
afterAll(async () => {
  await hub?.close()
  await database?.close()
})

/** A payment as the log keeps it, with a line of its own trail. */
async function paid(id: ConsentId, at: Instant): Promise<void> {
  const then = new Date(at)
  const Amount = { Amount: '25.00', Currency: 'AED' }
  const { rows } = await query<{ id: string }>(
    database.db,
    `insert into payment_log (consent_id, client_id, organisation_id, payment_type, idempotency_key, account_id, psu, tpp,
       request_body, request_headers, access_token_hash, interaction_id, created_at, updated_at, revision, state,
       answer_status)
     values (?, ?, 'o', 'cbuae-payment', ?, 'acc-1', ?, '{}', ?, '{}', 'h', 'i', ?, ?, 1, 'refused', 400)
     returning id`,
    [id, CLIENT, id, JSON.stringify(TOLD), JSON.stringify({ Data: { Instruction: { Amount } } }), then, then],
  )
  await query(
    database.db,
    `insert into resource_trail (resource, log_id, revision, at, change, status_to, changed, caller_kind)
     values ('payment', ?, 1, ?, 'asked', 'open', '{}', 'tpp')`,
    [rows[0]?.id ?? '', then],
  )
}

const run = (part: string): Promise<unknown> => {
  const found = BLOCKS.filter((block) => block.includes(part))
  expect(found, part).toHaveLength(1)
  return database.db.raw(found[0] ?? '')
}
const countOf = async (from: string): Promise<number> =>
  Number((await query<{ count: string }>(database.db, `select count(*) as count from ${from}`)).rows[0]?.count)
const tracesOf = async (id: ConsentId) => {
  const { trail, audit } = await hub.traces(id)
  return { trail: await hub.store.trail(id), lines: trail.length, audit, past: await hub.store.findAt(id, NOW) }
}

/** A consent from its lodging to its end, with all that it leaves. */
async function live(): Promise<void> {
  hub.clock.advance(60_000)
  const id = await hub.lodge({ webhook: 'active' })
  const lodged = hub.clock.now()
  hub.clock.advance(1000)
  await hub.store.patchByLfi(id, AUTHORIZE, LFI)
  await hub.store.patchByTpp(id, CLIENT, { status: 'Revoked', revokedBy: 'TPP' }, TPP)
  const { trail, audit, outbox } = await hub.traces(id)
  expect([trail.length, audit.length, outbox.filter(({ kind }) => kind === 'tpp-webhook').length]).toEqual([3, 3, 2])
  expect(await hub.store.findAt(id, lodged)).toMatchObject({ consent: { status: 'AwaitingAuthorization' } })
  for (const statement of [
    "update consent_version set state = '{}'",
    'delete from consent_trail',
    "update consent_trail set change = ''",
    'delete from audit_entry',
  ]) {
    await expect(query(database.db, statement), statement).rejects.toThrow()
  }
}

test('every block is one that is run here', () => {
  expect(BLOCKS).toHaveLength(5)
  expect(WATCHED).toHaveLength(7)
})

test('autovacuum', async () => {
  await run('autovacuum_vacuum_scale_factor')
  await live()
})

test('partitions hold what there was, one of them is read, and everything is kept as before', async () => {
  const before = await Promise.all([...old, ...present].map(tracesOf))
  const last = await query<{ id: string }>(database.db, 'select max(id) as id from consent_trail')
  for (const table of ['consent_version', 'consent_trail', 'audit_entry']) await run(`alter table ${table} rename`)
  expect(await Promise.all([...old, ...present].map(tracesOf))).toEqual(before)
  await live()
  expect(await countOf(`consent_trail where id > ${last.rows[0]?.id}`)).toBe(3)
  expect(await countOf('(select 1 from consent_trail group by id having count(*) > 1) as doubled')).toBe(0)
  for (const table of ['consent_version', 'consent_trail']) {
    const plan = JSON.stringify(await database.db.raw(`explain select * from ${table} where consent_id = 'x'`))
    expect(new Set(plan.match(new RegExp(`${table}_\\d`, 'g'))).size, table).toBe(1)
    expect(await countOf(`${table}_0`), table).toBeLessThan(await countOf(table))
  }
  await expect(query(database.db, 'truncate audit_entry_2')).rejects.toThrow()
})

test('archiving takes from the partitions as well: all that names a consent is gone; the tallies know', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'falaj-archive-'))
  const disk = openDisk(folder)
  const { clock } = hub
  const audit = createAudit({
    db: database.db,
    tenantId: TENANT,
    clock,
    log: createLog({ level: 'silent', name: 'test' }),
  })
  const batches: Archived[] = []
  const of = { db: database.db, tenantId: TENANT, audit, clock, disk, rest: async () => {} }
  for await (const each of archive(of, { before: toInstant('2021-03-01T00:00:00Z'), batch: 4 })) batches.push(each)
  expect(batches.map(({ lines }) => [lines.consent, lines.consent_version, lines.consent_trail])).toEqual([
    [4, 12, 12],
    [2, 6, 6],
  ])
  expect(await checkArchive(disk, database.db)).toMatchObject({ ok: true, batches: 2, consents: 6 })
  await audit.close()
  rmSync(folder, { recursive: true })
  for (const id of old) expect(await hub.store.find(id)).toBeNull()
  const naming = await query<{ table: string }>(
    database.db,
    `select distinct conrelid::regclass::text as table from pg_constraint
     where contype = 'f' and confrelid = 'consent'::regclass and conparentid = 0`,
  )
  const tables = naming.rows.map(({ table }) => table)
  expect(tables).toEqual(expect.arrayContaining(['consent_version', 'consent_trail', 'outbox', 'payment_log']))
  for (const table of tables) {
    expect(await countOf(`${table} where consent_id in ('${old.join("','")}')`), table).toBe(0)
  }
  expect(await countOf('resource_trail')).toBe(0)
  for (const id of present) expect(await hub.store.trail(id)).toHaveLength(2)
  await live()
})

test('a person is erased from consents, their past and their payments, and from nothing else', async () => {
  await paid(present[1] as ConsentId, NOW)
  const holding = async (): Promise<readonly string[]> => {
    const found = []
    for (const table of ['consent', 'consent_version', 'consent_trail', 'payment_log', 'outbox']) {
      if ((await countOf(`${table} as t where to_jsonb(t)::text like '%Noor%'`)) > 0) found.push(table)
    }
    if ((await countOf(`audit_entry where position('Noor'::bytea in bytes) > 0`)) > 0) found.push('audit_entry')
    return found
  }
  expect(await holding()).toEqual(['consent', 'consent_version', 'payment_log'])
  await run('jsonb_build_object')
  expect(await holding()).toEqual([])
  const [id] = present as [ConsentId]
  const consent = await hub.store.find(id)
  expect(consent).toMatchObject({ status: 'Authorized', psu: { userId: 'u-42' }, supplementaryInformation: null })
  expect(await hub.store.findAt(id, NOW)).toMatchObject({ consent: { status: 'AwaitingAuthorization', psu: null } })
  expect(await hub.store.findAt(id, (NOW + 1000) as Instant)).toMatchObject({
    consent: { status: 'Authorized', psu: { userId: 'u-42' }, accountIds: ['acc-1'], supplementaryInformation: null },
  })
  expect((await hub.store.patchByLfi(id, lfiPatch({ status: 'Suspended' }), LFI)).consent.status).toBe('Suspended')
  await live()
})

test('what is to be watched can be asked, and the tallies are the truth', async () => {
  const answers = new Map<string, number>()
  for (const sql of WATCHED) {
    const { rows } = await query<Record<string, string>>(database.db, sql)
    answers.set(sql, Number(Object.values(rows[0] ?? {})[0]))
  }
  for (const [sql, value] of answers) expect(Number.isFinite(value), sql).toBe(true)
  const tallies = [...answers].filter(([sql]) => /sum\(delta\)|from consent$/.test(sql)).map(([, value]) => value)
  expect(tallies).toEqual([tallies[0], tallies[0], tallies[0]])
  expect(tallies[0]).toBeGreaterThan(8)
})
