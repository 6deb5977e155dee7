import { createPublicKey } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Audit,
  auditPublicKey,
  backlogOf,
  createAudit,
  createAuditReader,
  createBackPressure,
  createReceiptOffice,
  exportLog,
  verifyExport,
} from '../../src/audit/index.ts'
import { toInstant } from '../../src/clock.ts'
import { inTransaction } from '../../src/db.ts'
import { Secret } from '../../src/secret.ts'
import { type AuditLog, newAuditKey, openAuditLog, silent } from '../support/audit-log.ts'
import { failing } from '../support/faulty.ts'
import { acceptedEntries, aurora, ENTRIES } from '../unit/audit/entries.ts'

/** Before any accepted entry a log has its first key and its first hour. */
const BEGINNING = 2
const EIGHT = Date.parse('2026-03-01T08:00:00Z')
const HOUR = 3_600_000
const clockAt = (now: () => number) => ({ now: () => toInstant(now()) })
/** Stands still, so that no test meets the end of an hour. */
const still = clockAt(() => EIGHT + 5)

let log: AuditLog
beforeEach(async () => {
  log = await openAuditLog({ clock: still })
})
afterEach(() => log.close())

const checkpoints = async (): Promise<number[]> =>
  (await log.db.raw('select size from audit_checkpoint order by id')).rows.map((row: { size: string }) =>
    Number(row.size),
  )

describe('sealing', () => {
  test('gives everything accepted its place and signs each batch', async () => {
    await log.audit.record(...acceptedEntries())
    expect(await log.seal({ batchMax: 4 })).toBe(acceptedEntries().length)
    expect(await log.verify()).toMatchObject({
      ok: true,
      size: BEGINNING + acceptedEntries().length,
      pending: 0,
      lost: 0,
    })
    const batches = Math.ceil(acceptedEntries().length / 4)
    const ends = Array.from({ length: batches }, (_, at) => Math.min(4 * (at + 1), acceptedEntries().length))
    expect(await checkpoints()).toEqual([1, ...[0, ...ends].map((end) => BEGINNING + end)])
  })

  test('signs nothing new while nothing happens, but does every hour of the clock', async () => {
    let now = EIGHT
    const quiet = log.sealer({ clock: clockAt(() => now) })
    for (const minutes of [0, 30, 59.99, 60, 61, 120]) {
      now = EIGHT + minutes * 60_000
      expect(await quiet.sealNow()).toBe(0)
    }
    expect(await checkpoints()).toEqual([1, 2, 3, 4])
    expect((await log.verify()).hours).toEqual({
      count: 3,
      first: '2026-03-01T08:00:00.000Z',
      last: '2026-03-01T10:00:00.000Z',
      missed: [],
    })
  })

  test('admits the hours in which it was not there', async () => {
    let now = EIGHT
    const sealer = log.sealer({ clock: clockAt(() => now) })
    await sealer.sealNow()
    now += 3 * HOUR
    await sealer.sealNow()
    const { ok, hours } = await log.verify()
    expect([ok, hours.missed]).toEqual([true, ['2026-03-01T09:00:00.000Z', '2026-03-01T10:00:00.000Z']])
  })

  test('does not go back when the clock does', async () => {
    let now = EIGHT
    const sealer = log.sealer({ clock: clockAt(() => now) })
    await sealer.sealNow()
    now -= 2 * HOUR
    await log.record(1)
    expect(await sealer.sealNow()).toBe(1)
    expect(await log.verify()).toMatchObject({ ok: true, hours: { count: 1 } })
  })

  test('goes on by itself between start and stop', async () => {
    const working = log.sealer({ intervalMs: 5 })
    working.start()
    working.start()
    await log.record(1)
    await expect.poll(() => log.count('audit_pending'), { timeout: 5_000 }).toBe(0)
    await working.stop()
    await log.record(1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await log.verify()).toMatchObject({ size: BEGINNING + 1, pending: 1 })
    working.start()
    await expect.poll(() => log.count('audit_pending'), { timeout: 5_000 }).toBe(0)
    await working.stop()
    expect(await log.verify()).toMatchObject({ ok: true, size: BEGINNING + 2 })
  })

  test('leaves out what is not committed, and seals it later', async () => {
    const open = await log.db.transaction()
    await log.audit.append(open as Parameters<Audit['append']>[0], ENTRIES['admin-act'])
    await log.record(2)
    expect(await log.seal()).toBe(2)
    await open.commit()
    expect(await log.seal()).toBe(1)
    expect(await log.verify()).toMatchObject({ ok: true, size: BEGINNING + 3 })
  })

  test('makes one log when several work at once while entries arrive', async () => {
    const sealers = [1, 2, 3].map(() => log.sealer({ batchMax: 7 }))
    const arriving = Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        index % 2 === 0
          ? log.audit.record(ENTRIES.system)
          : inTransaction(log.db, (tx) => log.audit.append(tx, ENTRIES['consent-changed'])),
      ),
    )
    const sealed = await Promise.all([...sealers, ...sealers].map((each) => each.sealNow()))
    await arriving
    sealed.push(await log.seal())
    expect(sealed.reduce((sum, each) => sum + each, 0)).toBe(60)
    expect(await log.verify()).toMatchObject({ ok: true, size: BEGINNING + 60, pending: 0 })
  })

  test('crosses tiles, and its receipts lead to the root', async () => {
    await log.record(1_200)
    const entry = { ...ENTRIES['tpp-call'] }
    await log.audit.record(entry)
    expect(await log.seal({ batchMax: 100 })).toBe(1_201)
    expect(await log.verify()).toMatchObject({ ok: true, size: BEGINNING + 1_201, pending: 0 })
    expect(await log.count('audit_tile')).toBe(4)
    const found = await createReceiptOffice({ db: log.db }).find(entry.interactionId as never, { of: 'everything' })
    expect(found).toMatchObject({ pending: 0, receipts: [{ index: BEGINNING + 1_200, kind: 'tpp-call' }] })
  })
})

describe('a sealer that does not keep up', () => {
  /** What waits has waited so long already. */
  const age = (ms: number) =>
    log.tamper(`update audit_entry set accepted_at = clock_timestamp() - interval '${ms} ms'
      where id in (select entry_id from audit_pending)`)

  test('how far it is behind is told from what is in the queue alone', async () => {
    expect(await backlogOf(log.db)).toEqual({ size: 0, waitedMs: 0 })
    await log.record(3)
    await age(5_000)
    expect((await backlogOf(log.db)).waitedMs).toBeGreaterThan(5_000)
    await log.seal()
    expect(await backlogOf(log.db)).toEqual({ size: BEGINNING + 3, waitedMs: 0 })
    // An hour of the sealer's own has a later id than what still waits, and waits for nothing itself.
    await log.record(2)
    await log.sealer({ clock: clockAt(() => EIGHT + HOUR), batchMax: 1 }).sealNow()
    expect(await backlogOf(log.db)).toEqual({ size: BEGINNING + 6, waitedMs: 0 })
  })

  test('makes writers rest until it has sealed, and nobody once it is gone', async () => {
    let now = 0
    const rests: number[] = []
    let onRest = async (): Promise<unknown> => null
    const pressure = createBackPressure({
      backlog: () => backlogOf(log.db),
      monotonic: () => now,
      pause: async (ms) => {
        rests.push(ms)
        now += ms
        await onRest()
      },
    })
    const audit = createAudit({ db: log.db, tenantId: aurora, clock: still, log: silent, pressure })
    const record = async () => {
      now += 250
      await audit.record(ENTRIES['tpp-call'])
      await pressure.close()
    }
    await record()
    await log.seal()
    await record()
    await age(1_500)
    await record()
    expect(rests).toEqual([])
    // Behind, and at work: its next batch comes while the writer rests.
    onRest = async () => {
      expect(await log.count('audit_entry')).toBe(BEGINNING + 3)
      expect(await log.seal()).toBe(2)
    }
    await record()
    expect([rests, await log.count('audit_pending')]).toEqual([[250], 1])
    // Gone: calls are answered, after three seconds without a rest.
    onRest = async () => null
    await age(60_000)
    for (let call = 0; call < 20; call += 1) await record()
    expect(rests.length).toBeLessThanOrEqual(12)
    const before = rests.length
    for (let call = 0; call < 20; call += 1) await record()
    expect(rests).toHaveLength(before)
    expect(pressure.restedMs()).toBe(before * 250)
    await audit.close()
    await log.seal()
    expect(await log.verify()).toMatchObject({ ok: true, size: BEGINNING + 44, pending: 0 })
  })
})

describe('a sealer that dies', () => {
  test('at every statement, before and after it took effect, leaves a log that verifies and has lost nothing', async () => {
    let faults = 0
    let now = EIGHT
    const clock = clockAt(() => now)
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; ; at += 1) {
        // Every round has an hour to begin and two batches to seal, across the end of a tile now and then.
        now += HOUR
        await log.record(70)
        const broken = failing(log.db, { at, when })
        const outcome = await log.seal({ db: broken.db, batchMax: 50, clock }).catch(() => 'killed')
        expect(outcome, `${when} ${at}`).toBe(broken.struck() ? 'killed' : 70)
        if (at > 1 || when === 'after') expect(await log.verify(), `${when} ${at}`).toMatchObject({ ok: true, lost: 0 })
        await log.seal({ clock })
        expect(await log.verify(), `${when} ${at}`).toMatchObject({ ok: true, pending: 0, lost: 0 })
        if (!broken.struck()) break
        faults += 1
      }
    }
    expect(faults).toBeGreaterThan(2 * 15)
    expect((await log.verify()).size).toBe(await log.count('audit_entry'))
  })
})

describe('a log that is not the signed one', () => {
  beforeEach(async () => {
    await log.record(4)
    await log.seal({ batchMax: 2 })
    await log.record(1)
  })

  const CUTS: readonly [string, readonly string[]][] = [
    ['entries without their checkpoint', ['delete from audit_checkpoint']],
    ['an older checkpoint', ['delete from audit_checkpoint where size = 6']],
    [
      'a checkpoint that was changed',
      [`update audit_checkpoint set note = replace(note, E'\\n6\\n', E'\\n7\\n') where size = 6`],
    ],
    ['another edge', ['update audit_head set edge[1] = set_byte(edge[1], 39, get_byte(edge[1], 39) # 1)']],
    ['a shorter tree', ['update audit_head set size = 5']],
    ['a head that is gone', ['delete from audit_head']],
    ['a history without keys', ['delete from audit_key']],
    [
      'an entry that vanished from under the queue',
      ['delete from audit_entry where id = (select max(id) from audit_entry)'],
    ],
  ]
  test.each(CUTS)('is not extended: %s', async (_name, statements) => {
    await log.tamper(...statements)
    await expect(log.seal()).rejects.toThrow('not the one that was signed')
    expect(await log.count('audit_pending')).toBe(1)
  })

  test('nor is one whose key nobody vouches for', async () => {
    await expect(log.seal({ key: newAuditKey() })).rejects.toThrow(
      'neither the key of the configuration nor a previous one',
    )
  })

  test('nor one of another origin', async () => {
    await expect(log.seal({ origin: 'falaj/other' })).rejects.toThrow('not the one that was signed')
  })

  test('and a running sealer notices that its end was cut off cleanly', async () => {
    const { rows } = await log.db.raw('select size, edge from audit_head')
    const running = log.sealer()
    await running.sealNow()
    await log.tamper('delete from audit_checkpoint where size > 6', 'delete from audit_leaf where index > 5')
    await log.db.raw('update audit_head set size = ?, edge = ?', [rows[0].size, rows[0].edge])
    await log.record(1)
    await expect(running.sealNow()).rejects.toThrow('7 entries were sealed, 6 are left')
  })
})

describe('a rotated key', () => {
  test('takes over in the log, is vouched for by the old one, and old checkpoints stay verifiable', async () => {
    await log.record(3)
    await log.seal()
    const next = newAuditKey()
    const nextKey = auditPublicKey(aurora, next)
    await log.record(3)
    const deps = { key: next, previousKeys: [log.key] }
    await log.seal(deps)
    expect(await log.verify(nextKey)).toMatchObject({ ok: true, keys: 2, publicKey: nextKey })
    // Whoever knows only the old key is led on by it.
    expect(await log.verify()).toMatchObject({ ok: true, keys: 2, publicKey: nextKey })
    const [entry] = await createAuditReader({ db: log.db }).range(5, 1)
    expect(entry?.entry).toMatchObject({ kind: 'log-key', publicKey: nextKey, previous: log.publicKey })
    // Once the history knows it, the old key need not be at hand any more to go on.
    await log.record(1)
    expect(await log.seal({ key: next })).toBe(1)
    const exported = await log.export('rotated', {}, deps)
    expect(verifyExport(exported.path, { key: nextKey })).toMatchObject({ ok: true, keys: 2 })
    expect(verifyExport(exported.path, { key: auditPublicKey(aurora, newAuditKey()) })).toMatchObject({
      ok: false,
      firstBad: { where: 'keys.ndjson', reason: expect.stringMatching('not a key of this log') },
    })
  })

  test('of which only the public half is left is believed, and does not vouch', async () => {
    await log.record(1)
    await log.seal()
    const old = new Secret(createPublicKey(log.key.reveal()).export({ type: 'spki', format: 'pem' }).toString())
    const next = newAuditKey()
    await log.seal({ key: next, previousKeys: [old] })
    expect(await log.verify(auditPublicKey(aurora, next))).toMatchObject({ ok: true })
    expect(await log.verify()).toMatchObject({
      ok: false,
      firstBad: { index: 3, reason: expect.stringMatching('does not vouch') },
    })
  })
})

describe('an export', () => {
  test('ends with the notice of itself, never replaces one, and is made in the same folder only once', async () => {
    await log.record(600)
    const made = await log.export('whole', { openings: true })
    expect(made).toMatchObject({ size: BEGINNING + 601, first: 0, end: BEGINNING + 601, publicKey: log.publicKey })
    expect(verifyExport(made.path, { key: log.publicKey })).toMatchObject({ ok: true, entriesRead: BEGINNING + 601 })
    const [last] = await createAuditReader({ db: log.db }).range(BEGINNING + 600, 1)
    expect(last?.entry).toMatchObject({ kind: 'system', event: 'exported' })
    await expect(log.export('whole')).rejects.toThrow('already holds an export')
  })

  test('goes on where it was interrupted', async () => {
    await log.record(2_500)
    let reads = 0
    const dying = new Proxy(log.db, {
      get: (target, name) => {
        const member = Reflect.get(target, name)
        if (name !== 'raw') return member
        return (sql: string, values: never) => {
          if (sql.includes('join audit_entry e on e.id = l.entry_id')) reads += 1
          if (reads > 1) throw new Error('disk full')
          return log.db.raw(sql, values)
        }
      },
    })
    await expect(log.export('torn', {}, { db: dying })).rejects.toThrow('disk full')
    const resumed = await log.export('torn')
    expect(verifyExport(resumed.path, { key: log.publicKey })).toMatchObject({ ok: true, size: BEGINNING + 2_501 })
  })

  test('of a period holds its bundles and the whole tree', async () => {
    let now = EIGHT
    const clock = clockAt(() => now)
    for (let hour = 0; hour < 6; hour += 1) {
      await log.record(300, `h${hour}`)
      await log.seal({ clock })
      now += HOUR
    }
    const period = { from: new Date(EIGHT + 2 * HOUR), to: new Date(EIGHT + 3 * HOUR) }
    const made = await exportLog(
      { db: log.db, tenantId: aurora, key: log.key, clock, log: silent },
      { path: `${log.folder}/period`, period },
    )
    expect([made.first, made.end]).toEqual([512, 1280])
    const verdict = verifyExport(made.path, { key: log.publicKey })
    expect(verdict).toMatchObject({ ok: true, entriesRead: 768, hours: { count: 7, missed: [] } })
  })
})
