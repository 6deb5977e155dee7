import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Audit,
  auditExport,
  auditPublicKey,
  auditVerify,
  createAudit,
  createAuditReader,
  createSealer,
  exportLog,
  type LiveVerdict,
  verifyExport,
  verifyLive,
} from '../../src/audit/index.ts'
import { systemClock, toInstant } from '../../src/clock.ts'
import { type Db, inTransaction } from '../../src/db.ts'
import { createLog } from '../../src/log.ts'
import { failing } from '../support/faulty.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { allEntries, aurora, ENTRIES } from '../unit/audit/entries.ts'
import { newAuditKey } from '../unit/audit/keys.ts'

const log = createLog({ level: 'silent', name: 'test' })
const key = newAuditKey()
const publicKey = auditPublicKey(aurora, key)

let database: TestDatabase
let db: Db
let audit: Audit
beforeEach(async () => {
  database = await createTestDatabase()
  db = database.db
  audit = createAudit({ db, tenantId: aurora, clock: systemClock, log })
})
afterEach(async () => {
  await audit.close()
  await database.close()
})

const sealer = (over: Partial<Parameters<typeof createSealer>[0]> = {}) =>
  createSealer({ db, tenantId: aurora, key, clock: systemClock, log, ...over })
const verify = (): Promise<LiveVerdict> => verifyLive(db, { tenantId: aurora, publicKey })
const record = (count: number) =>
  audit.record(...Array.from({ length: count }, (_, index) => ({ ...ENTRIES.system, detail: `n ${index}` })))
const checkpoints = async (): Promise<number[]> =>
  (await db.raw('select size from audit_checkpoint order by id')).rows.map((row: { size: string }) => Number(row.size))

describe('sealing', () => {
  test('links everything accepted and signs each batch', async () => {
    await audit.record(...allEntries())
    expect(await verify()).toMatchObject({ ok: true, size: 0, pending: allEntries().length })
    expect(await sealer({ batchMax: 3 }).sealNow()).toBe(allEntries().length)
    expect(await verify()).toMatchObject({ ok: true, size: allEntries().length, pending: 0, oldestPendingAt: null })
    expect(await checkpoints()).toEqual([3, 6, 8])
  })

  test('signs nothing new while nothing happens, but does every hour', async () => {
    let now = Date.parse('2026-03-01T08:00:00Z')
    const quiet = sealer({ clock: { now: () => toInstant(now) } })
    for (const minutes of [0, 30, 59, 60, 61, 120]) {
      now = Date.parse('2026-03-01T08:00:00Z') + minutes * 60_000
      expect(await quiet.sealNow()).toBe(0)
    }
    expect(await checkpoints()).toEqual([0, 0, 0])
    expect(await verify()).toMatchObject({ ok: true, size: 0, signedAt: '2026-03-01T10:00:00.000Z' })
  })

  test('goes on by itself between start and stop', async () => {
    const working = sealer({ intervalMs: 5 })
    working.start()
    working.start()
    await record(1)
    await expect.poll(verify, { timeout: 5_000 }).toMatchObject({ ok: true, size: 1, pending: 0 })
    await working.stop()
    await record(1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await verify()).toMatchObject({ size: 1, pending: 1 })
    working.start()
    await expect.poll(verify, { timeout: 5_000 }).toMatchObject({ size: 2, pending: 0 })
    await working.stop()
  })

  test('leaves out what is not committed, and links it later', async () => {
    const open = await db.transaction()
    await audit.append(open as Parameters<Audit['append']>[0], ENTRIES['admin-act'])
    await record(2)
    expect(await sealer().sealNow()).toBe(2)
    await open.commit()
    expect(await sealer().sealNow()).toBe(1)
    expect(await verify()).toMatchObject({ ok: true, size: 3 })
  })

  test('makes one chain when several work at once while entries arrive', async () => {
    const sealers = [1, 2, 3].map(() => sealer({ batchMax: 7 }))
    const arriving = Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        index % 2 === 0
          ? audit.record(ENTRIES.system)
          : inTransaction(db, (tx) => audit.append(tx, ENTRIES['consent-changed'])),
      ),
    )
    const linked = await Promise.all([...sealers, ...sealers].map((each) => each.sealNow()))
    await arriving
    linked.push(await sealer().sealNow())
    expect(linked.reduce((sum, each) => sum + each, 0)).toBe(60)
    expect(await verify()).toMatchObject({ ok: true, size: 60, pending: 0 })
  })

  test('survives being killed at every statement, before and after it took effect', async () => {
    let faults = 0
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; ; at += 1) {
        await record(3)
        const broken = failing(db, { at, when })
        const outcome = await sealer({ db: broken.db, batchMax: 2 })
          .sealNow()
          .catch(() => 'killed')
        expect(outcome, `${when} ${at}`).toBe(broken.struck() ? 'killed' : 3)
        expect(await verify(), `${when} ${at}`).toMatchObject({ ok: true })
        await sealer().sealNow()
        expect(await verify(), `${when} ${at}`).toMatchObject({ ok: true, pending: 0 })
        if (!broken.struck()) break
        faults += 1
      }
    }
    // Two batches; in each lock, two reads of the end, taking, linking, signing, commit. Both ways.
    expect(faults).toBe(2 * 2 * 7)
    const { size } = await verify()
    expect(size).toBe(Number((await db.raw('select count(*) from audit_entry')).rows[0].count))
  })

  test('seals and verifies ten thousand entries', async () => {
    await Promise.all(Array.from({ length: 20 }, () => record(500)))
    expect(await sealer().sealNow()).toBe(10_000)
    expect(await verify()).toMatchObject({ ok: true, size: 10_000, pending: 0 })
  })
})

/** With the triggers off, as only somebody in command of the database can do. */
async function tamper(...statements: readonly string[]): Promise<void> {
  const tables = ['audit_entry', 'audit_link', 'audit_checkpoint']
  for (const table of tables) await db.raw(`alter table ${table} disable trigger all`)
  for (const statement of statements) await db.raw(statement)
  for (const table of tables) await db.raw(`alter table ${table} enable trigger all`)
}

const DETAIL = `convert_to(replace(convert_from(bytes, 'UTF8'), 'n 4', 'n 9'), 'UTF8')`
const ENTRY_5 = '(select entry_id from audit_link where seq = 5)'
const TAMPERINGS: readonly [string, readonly string[], number | 'checkpoint'][] = [
  ['bytes changed', [`update audit_entry set bytes = ${DETAIL} where id = ${ENTRY_5}`], 5],
  ['a hash changed', [`update audit_link set hash = sha256(hash) where seq = 5`], 5],
  ['an entry deleted', [`delete from audit_entry where id = ${ENTRY_5}`], 5],
  ['a link deleted', [`delete from audit_link where seq = 5`], 5],
  ['the last link deleted', [`delete from audit_link where seq = 12`], 12],
  [
    'a lookup column pointed elsewhere',
    [`update audit_entry set interaction_id = gen_random_uuid() where id = ${ENTRY_5}`],
    5,
  ],
  ['a lookup column emptied', ['update audit_entry set consent_id = gen_random_uuid() where id = 12'], 12],
  [
    'a link added',
    [
      `insert into audit_link select 13, e.id, sha256(l.hash) from audit_entry e, audit_link l where l.seq = 12 and e.id = 13`,
    ],
    13,
  ],
  ['an entry taken out of the queue', ['delete from audit_pending'], 13],
  [
    'a checkpoint changed',
    [`update audit_checkpoint set note = replace(note, '2026', '2025') where size = 10`],
    'checkpoint',
  ],
  ['a checkpoint filed elsewhere', ['update audit_checkpoint set size = 9 where size = 10'], 'checkpoint'],
  ['the last checkpoint deleted', ['delete from audit_checkpoint where size = 12'], 11],
]

describe('verification', () => {
  beforeEach(async () => {
    await record(12)
    await sealer({ batchMax: 5, clock: { now: () => toInstant('2026-03-01T08:00:00Z') } }).sealNow()
    await record(1)
    expect(await checkpoints()).toEqual([5, 10, 12])
    expect(await verify()).toMatchObject({ ok: true, size: 12, pending: 1 })
  })

  test.each(TAMPERINGS)('finds %s', async (_name, statements, seq) => {
    await tamper(...statements)
    expect(await verify()).toMatchObject({ ok: false, firstBad: { seq } })
  })

  test('narrows a rewritten stretch, hashes and all, to what the checkpoints enclose', async () => {
    const other = await createTestDatabase()
    const forger = createAudit({ db: other.db, tenantId: aurora, clock: systemClock, log })
    await forger.record(...Array.from({ length: 12 }, (_, n) => ({ ...ENTRIES.system, detail: `n ${n < 6 ? n : 0}` })))
    await createSealer({ db: other.db, tenantId: aurora, key: newAuditKey(), clock: systemClock, log }).sealNow()
    const { rows } = await other.db.raw(
      'select l.seq, l.hash, e.bytes from audit_link l join audit_entry e on e.id = l.entry_id where seq > 6',
    )
    await other.close()
    for (const table of ['audit_entry', 'audit_link']) await db.raw(`alter table ${table} disable trigger all`)
    for (const { seq, hash, bytes } of rows) {
      await db.raw('update audit_link set hash = ? where seq = ?', [hash, seq])
      await db.raw('update audit_entry set bytes = ? where id = (select entry_id from audit_link where seq = ?)', [
        bytes,
        seq,
      ])
    }
    expect(await verify()).toMatchObject({ ok: false, firstBad: { seq: 6, reason: expect.stringMatching('up to 10') } })
  })

  test('refuses a key of another tenant, and does not verify with another key', async () => {
    const foreign = auditPublicKey('meridian' as typeof aurora, key)
    await expect(verifyLive(db, { tenantId: aurora, publicKey: foreign })).rejects.toThrow('not a public key')
    const stranger = auditPublicKey(aurora, newAuditKey())
    expect(await verifyLive(db, { tenantId: aurora, publicKey: stranger })).toMatchObject({
      ok: false,
      firstBad: { seq: 'checkpoint' },
    })
  })
})

describe('a sealer before a log that is not the signed one', () => {
  beforeEach(async () => {
    await record(4)
    await sealer({ batchMax: 2 }).sealNow()
    await record(1)
  })

  const CUTS: readonly [string, readonly string[]][] = [
    ['links without their checkpoint', ['delete from audit_checkpoint']],
    ['a shorter chain', ['delete from audit_link where seq = 4']],
    ['another head', ['update audit_link set hash = sha256(hash) where seq = 4']],
    ['an older checkpoint', ['delete from audit_checkpoint where size = 4']],
    ['an entry that vanished from under the queue', ['delete from audit_entry where id = 5']],
  ]
  test.each(CUTS)('does not extend %s', async (_name, statements) => {
    await tamper(...statements)
    await expect(sealer().sealNow()).rejects.toThrow('not the one that was signed')
    expect((await db.raw('select count(*) from audit_pending')).rows).toEqual([{ count: '1' }])
  })

  test('does not extend a log signed with another key', async () => {
    await expect(sealer({ key: newAuditKey() }).sealNow()).rejects.toThrow('not the one that was signed')
  })

  test('notices while running that both chain and checkpoints were cut back', async () => {
    const running = sealer()
    await running.sealNow()
    await tamper('delete from audit_checkpoint where size > 2', 'delete from audit_link where seq > 2')
    await expect(running.sealNow()).rejects.toThrow('5 entries were linked, 2 are left')
    expect(await verify()).toMatchObject({ ok: false, firstBad: { seq: 3 } })
  })
})

describe('an export', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'falaj-export-'))
  })
  afterEach(() => rm(folder, { recursive: true }))
  const deps = () => ({ db, tenantId: aurora, key, clock: systemClock, log })

  test('verifies offline and ends with the notice of itself', async () => {
    await record(2500)
    const path = join(folder, 'audit.log')
    expect(await exportLog(deps(), path)).toEqual({ path, size: 2501, publicKey })
    const live = await verify()
    expect(await verifyExport(path, { publicKey })).toMatchObject({ ok: true, size: 2501, head: live.head })
    expect(await createAuditReader({ db }).range(2501, 1)).toMatchObject([
      { entry: { kind: 'system', event: 'exported' } },
    ])
    expect((await readFile(path)).subarray(0, 29).toString()).toBe('falaj-audit-export/v1 2501 fa')
  })

  test('never replaces a file, and leaves none when it fails', async () => {
    const path = join(folder, 'audit.log')
    await exportLog(deps(), path)
    const first = await readFile(path)
    await expect(exportLog(deps(), path)).rejects.toThrow('EEXIST')
    expect(await readFile(path)).toEqual(first)
    await tamper('delete from audit_checkpoint')
    const second = join(folder, 'second.log')
    await expect(exportLog(deps(), second)).rejects.toThrow('not the one that was signed')
    await expect(readFile(second)).rejects.toThrow('ENOENT')
  })

  test('of a log changed behind a valid head shows the change', async () => {
    await record(5)
    await sealer().sealNow()
    await tamper(`update audit_entry set bytes = ${DETAIL} where id = ${ENTRY_5}`)
    const printed: string[] = []
    const print = (text: string) => printed.push(text)
    expect(await auditExport(deps(), join(folder, 'audit.log'), { print })).toBe(1)
    expect(printed.join()).toMatch(/NOT VERIFIED.*\nfirst fault: entry 5/)
    expect(await auditVerify({ live: { db, tenantId: aurora, publicKey } }, { print, json: true })).toBe(1)
    expect(JSON.parse(printed[1] ?? '')).toMatchObject({ ok: false, size: 4, pending: 0, firstBad: { seq: 5 } })
  })

  test('says on the command line where it went and with which key it can be verified', async () => {
    const path = join(folder, 'audit.log')
    const printed: string[] = []
    expect(await auditExport(deps(), path, { print: (text) => printed.push(text) })).toBe(0)
    expect(printed[0]).toContain(`written to ${path}\npublic key: ${publicKey}`)
    expect(await auditExport(deps(), path, { json: true, print: (text) => printed.push(text) })).toBe(2)
    expect(JSON.parse(printed[1] ?? '')).toMatchObject({ ok: false, error: expect.stringMatching('EEXIST') })
  })
})
