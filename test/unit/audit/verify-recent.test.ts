/** The newest entries of a live log, judged where it is: whatever was changed in the tables is named. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyRecent } from '../../../src/audit/index.ts'
import { type AuditLog, openAuditLog } from '../../support/audit-log.ts'
import { aurora, ENTRIES } from './entries.ts'

const NEVER = new AbortController().signal
const verify = ({ db, key }: AuditLog, newest = 1_000) =>
  verifyRecent({ db, key, tenantId: aurora }, { newest, signal: NEVER })

describe('a log as it was written', () => {
  let log: AuditLog
  beforeAll(async () => {
    log = await openAuditLog()
    await log.record(600)
    await log.audit.record(ENTRIES['admin-act'])
    await log.seal()
  }, 60_000)
  afterAll(() => log.close())

  test('verifies, all of it or its newest entries', async () => {
    const all = await verify(log)
    expect(all).toMatchObject({ ok: true, first: 0, fault: null })
    expect([all.checked, all.size]).toEqual([all.size, await log.count('audit_leaf')])
    expect([all.checkpoints > 0, all.openings > 0]).toEqual([true, true])
    const newest = await verify(log, 100)
    expect(newest).toMatchObject({ ok: true, first: 256, checked: all.size - 256 })
  })

  test('does not verify with the key of another log', async () => {
    const other = await openAuditLog()
    const verdict = await verifyRecent({ db: log.db, key: other.key, tenantId: aurora }, { newest: 10, signal: NEVER })
    await other.close()
    expect(verdict).toMatchObject({ ok: false, fault: expect.stringContaining('neither the configured one') })
  })

  test('is left in the middle when it is to end', async () => {
    const ended = AbortSignal.abort()
    const verdict = verifyRecent({ db: log.db, key: log.key, tenantId: aurora }, { newest: 1_000, signal: ended })
    await expect(verdict).rejects.toMatchObject({ name: 'AbortError' })
  })
})

const entryAt = (index: number): string => `(select entry_id from audit_leaf where index = ${index})`
describe('a log in which somebody has', () => {
  test.each<[what: string, statement: string, fault: string, newest?: number]>([
    [
      'changed an entry',
      `update audit_entry set bytes = convert_to(replace(convert_from(bytes, 'utf8'), '"kind":', '"kind" :'), 'utf8')
       where id = ${entryAt(590)}`,
      'has another root',
    ],
    ['taken an entry out', `delete from audit_leaf where index = 300`, 'entry 300 is missing'],
    ['taken the bytes of one away', `delete from audit_entry where id = ${entryAt(299)}`, 'entry 299 is missing'],
    [
      'changed the hashes of a tile',
      `update audit_tile set hashes = set_byte(hashes, 6, 255 - get_byte(hashes, 6)) where level = 0 and n = 1`,
      'tile 0/1 is not of these entries',
    ],
    [
      'changed what lies before the entries that are read',
      `update audit_tile set hashes = set_byte(hashes, 6, 255 - get_byte(hashes, 6)) where level = 0 and n = 0;
       update audit_head set edge[2] = set_byte(edge[2], 6, 255 - get_byte(edge[2], 6))`,
      'has another root',
      100,
    ],
    [
      'changed a value behind a commitment',
      `alter table audit_opening disable trigger all; update audit_opening set value = 'somebody else'`,
      'actor was changed',
    ],
    [
      'written another checkpoint',
      `update audit_checkpoint set note = replace(note, E'\\n\\n', E'\\nmore\\n\\n') where size = (select max(size) from audit_checkpoint)`,
      'a checkpoint is not signed by a key of this log',
    ],
    [
      'taken an entry out of the queue',
      `insert into audit_entry (bytes) values ('{"v":1}')`,
      'was accepted and is neither in the log nor waiting',
    ],
  ])('%s is found out', async (_what, statement, fault, newest = 1_000) => {
    const log = await openAuditLog()
    await log.record(600)
    await log.audit.record(ENTRIES['admin-act'])
    await log.seal()
    await log.tamper(...statement.split(';'))
    const verdict = await verify(log, newest)
    await log.close()
    expect(verdict).toMatchObject({ ok: false, fault: expect.stringContaining(fault) })
  })
})
