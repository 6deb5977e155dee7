/** What the policy does not keep is destroyed, with evidence; what it keeps is not touched, and the log never is. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  auditPublicKey,
  createAudit,
  createSealer,
  exportLog,
  verifyExport,
  verifyLive,
} from '../../src/audit/index.ts'
import { toInstant } from '../../src/clock.ts'
import type { TenantConfig } from '../../src/config.ts'
import { newCorrelationId } from '../../src/ids.ts'
import { createReports, type Reports } from '../../src/reports/index.ts'
import { newAuditKey } from '../support/audit-log.ts'
import { type HandClock, handClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { aurora, ENTRIES } from '../unit/audit/entries.ts'
import { log } from './support/day.ts'

const key = newAuditKey()
let database: TestDatabase
let clock: HandClock
let reports: Reports
let record: (at: string, more?: object) => Promise<void>
let note: (destroyed: string) => Promise<void>
let seal: () => Promise<unknown>

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  clock = handClock('2026-03-01T12:00:00Z')
  const audit = createAudit({ db, tenantId: aurora, clock, log })
  const sealer = createSealer({ db, tenantId: aurora, key, clock, log })
  const tenant = { id: aurora, name: 'Aurora', organisationId: randomUUID(), retention: { years: 5 } }
  reports = createReports({ db, tenant: tenant as unknown as TenantConfig, audit, clock })
  record = (at, more = {}) =>
    audit.record({ ...ENTRIES['tpp-call'], at: toInstant(at), interactionId: newCorrelationId(), ...more })
  note = (detail) => audit.record({ ...ENTRIES.system, at: clock.now(), event: 'destroyed', detail })
  seal = () => sealer.sealNow()
})
afterAll(() => database.close())

const daysKept = async () =>
  (await database.db('report_rollup').where({ grain: 'day' }).select('starts_at').orderBy('starts_at')).map(
    ({ starts_at }: { starts_at: Date }) => starts_at.toISOString(),
  )

describe('destruction by policy', () => {
  test('leaves all of it where nothing is too old, and records nothing', async () => {
    // The last moment that is too old, and the first that is kept: midnight of the Gulf, five years ago.
    await record('2021-02-28T20:00:00Z')
    await record('2025-06-01T08:00:00Z')
    await seal()
    await reports.advance()
    expect(await reports.destroyExpired()).toBeNull()
    expect(await daysKept()).toEqual(['2021-02-28T20:00:00.000Z', '2025-05-31T20:00:00.000Z'])
  })

  test('takes the day that has passed out, and writes how much of what', async () => {
    const by = { actor: 'test', interactionId: null }
    const { id } = await reports.outages.begin({ subject: 'hub', reason: 'short' }, by)
    clock.advance(60_000)
    await reports.outages.end(id, by)
    clock.advance(86_400_000)
    expect(await reports.destroyExpired()).toEqual({
      before: '2021-03-01T20:00:00.000Z',
      counts: { report_rollup: 2, report_tally: 1, report_times: 2, report_downtime: 0, outage: 0 },
    })
    expect(await daysKept()).toEqual(['2025-05-31T20:00:00.000Z'])
    const { rows } = (await database.db.raw(
      `select convert_from(bytes, 'UTF8')::jsonb as entry from audit_entry order by id desc limit 1`,
    )) as { rows: { entry: unknown }[] }
    expect(rows[0]?.entry).toMatchObject({
      kind: 'system',
      event: 'destroyed',
      detail: 'before 2021-03-01T20:00:00.000Z: report_rollup 2, report_tally 1, report_times 2',
    })
    expect(await reports.outages.list()).toHaveLength(1)
  })

  test('leaves no report of a day whose figures are gone', async () => {
    const days = { first: '2021-03-01', last: '2021-03-02' }
    const refused = { code: 'Resource.InvalidFormat', message: expect.stringContaining('destroyed by policy') }
    await expect(reports.lfiAvailability(days)).rejects.toMatchObject(refused)
    await expect(reports.rollUps('day', days)).rejects.toMatchObject(refused)
    await expect(reports.dataset('billing', days)).rejects.toMatchObject(refused)
    await expect(reports.ofAll('API Call Volume', days)).rejects.toMatchObject(refused)
    const asked = { ...days, organisationId: 'o', type: null, endpoints: [] }
    await expect(reports.forTpp(asked)).rejects.toMatchObject(refused)
    expect(await reports.rollUps('day', { first: '2021-03-02', last: '2021-03-02' })).toEqual([])
  })

  test('is not undone by a recount, while the log is whole and verifies', async () => {
    await seal()
    await reports.recompute()
    expect(await daysKept()).toEqual(['2025-05-31T20:00:00.000Z'])
    const publicKey = auditPublicKey(aurora, key)
    const { db } = database
    expect(await verifyLive(db, { publicKey })).toMatchObject({ ok: true })
  })

  test('does not go back when the clock does', async () => {
    clock.advance(-40 * 86_400_000)
    await reports.destroyExpired()
    await reports.recompute()
    expect(await daysKept()).toEqual(['2025-05-31T20:00:00.000Z'])
  })

  test('is accounted for by its record, where a filed report lacks those days', async () => {
    const { db } = database
    // Payments are destroyed by a policy of their own: that excuses no figure.
    await record('2025-06-03T08:00:00Z')
    await note('before 2026-01-01T00:00:00.000Z: payment_log 3, service_request 0')
    await seal()
    await reports.advance()
    const folder = mkdtempSync(join(tmpdir(), 'falaj-retention-'))
    const { path } = await exportLog({ db, tenantId: aurora, key, clock, log }, { path: join(folder, 'export') })
    const filed = await reports.rollUps('day', { first: '2025-06-01', last: '2025-06-03' })
    const compared = (rows: object) =>
      verifyExport(path, {
        key: auditPublicKey(aurora, key),
        compare: [{ file: 'daily.json', text: JSON.stringify(rows) }],
        period: '2021-02-28/2025-06-30',
      })
    expect(filed).toHaveLength(2)
    expect(compared(filed)).toMatchObject({ ok: true, comparisons: [{ rows: 2, destroyed: 1, difference: null }] })
    expect(compared(filed.slice(1))).toMatchObject({
      ok: false,
      comparisons: [{ difference: expect.stringContaining('it is missing') }],
    })
    const billed = await reports.dataset('billing', { first: '2025-06-01', last: '2025-06-03' })
    expect(compared(billed)).toMatchObject({ ok: true, comparisons: [{ rows: 2, destroyed: 1, difference: null }] })
    const other = filed.map((row) => ({ ...row, route: '/invented' }))
    expect(compared(other)).toMatchObject({
      ok: false,
      comparisons: [{ difference: expect.stringContaining('the log has nothing of this') }],
    })
    rmSync(folder, { recursive: true, force: true })
  })
})

describe('an outage', () => {
  const by = { actor: 'operator', interactionId: null }
  // Now is 2026-01-21T12:01Z; the window of the Gulf opens at 22:00Z.
  test.each<[string, string, string, string]>([
    ['too short a notice', '2026-01-23T22:00:00Z', '2026-01-23T23:00:00Z', '72 hours'],
    ['before the window', '2026-02-01T21:59:59Z', '2026-02-01T23:00:00Z', '02:00 and 05:00'],
    ['beyond the window', '2026-02-01T22:00:00Z', '2026-02-02T01:00:01Z', '02:00 and 05:00'],
    ['two nights', '2026-02-01T22:00:00Z', '2026-02-02T23:00:00Z', '02:00 and 05:00'],
    ['no length', '2026-02-01T22:00:00Z', '2026-02-01T22:00:00Z', 'later'],
    ['no zone', '2026-02-01T22:00:00', '2026-02-01T23:00:00Z', 'zone'],
    ['no date', 'soon', '2026-02-01T23:00:00Z', 'zone'],
  ])('of an LFI is not planned with %s', async (_what, startsAt, endsAt, why) => {
    const planned = reports.outages.plan({ subject: 'lfi', reason: 'update', startsAt, endsAt }, by)
    await expect(planned).rejects.toMatchObject({
      code: 'Resource.InvalidFormat',
      message: expect.stringContaining(why),
    })
  })

  test('is planned to the edges of the window, listed, and on record', async () => {
    const before = (await reports.outages.list()).length
    const [startsAt, endsAt] = ['2026-02-01T22:00:00.000Z', '2026-02-02T01:00:00.000Z']
    const planned = await reports.outages.plan({ subject: 'lfi', reason: ' update ', startsAt, endsAt }, by)
    expect(planned).toMatchObject({ subject: 'lfi', kind: 'planned', startsAt, endsAt, reason: 'update' })
    expect(await reports.outages.list()).toHaveLength(before + 1)
    const { rows } = (await database.db.raw(
      `select convert_from(bytes, 'UTF8')::jsonb as entry from audit_entry order by id desc limit 1`,
    )) as { rows: { entry: unknown }[] }
    expect(rows[0]?.entry).toMatchObject({
      kind: 'admin-act',
      actor: { commitment: expect.any(String) },
      act: 'outage planned',
      target: `outage ${planned.id} planned of lfi ${startsAt} ${endsAt}`,
    })
  })

  test('ends once, and one that nobody declared not at all', async () => {
    const { id } = await reports.outages.begin({ subject: 'lfi', reason: 'core banking is down' }, by)
    clock.advance(1_000)
    expect((await reports.outages.end(id, by)).endsAt).toBe(new Date(clock.at).toISOString())
    clock.advance(1_000)
    await expect(reports.outages.end(id, by)).rejects.toMatchObject({ code: 'NotFound' })
    await expect(reports.outages.end("x' or true", by)).rejects.toMatchObject({ code: 'NotFound' })
  })

  test.each(['', '   ', 'x'.repeat(201)])('has a reason of 1 to 200 characters, not "%s"', async (reason) => {
    await expect((async () => reports.outages.begin({ subject: 'lfi', reason }, by))()).rejects.toMatchObject({
      code: 'Resource.InvalidFormat',
    })
  })
})

describe('downtime that reaches over the boundary', () => {
  test('is counted from its first failure, also by a recount and by the verifier', async () => {
    const { db } = database
    const downtime = () => db('report_downtime').select().orderByRaw('1, 2, 3, 4, 5')
    const fails = { status: 502, lfiStatus: 500 }
    clock.advance(Date.parse('2026-03-05T12:00:00Z') - clock.at)
    // The boundary of the day after tomorrow: 2021-03-06T20:00Z. What ends before it is destroyed, the others stay.
    await record('2021-03-04T08:00:00Z', { ...fails, route: '/over' })
    await record('2021-03-05T08:00:00Z', { ...fails, route: '/over' })
    await record('2021-03-04T09:00:00Z', { ...fails, route: '/open' })
    await record('2021-03-05T09:00:00Z', { ...fails, route: '/open' })
    await record('2021-03-05T10:00:00Z', { ...fails, route: '/before' })
    await record('2021-03-05T11:00:00Z', { route: '/before' })
    await record('2021-03-06T19:00:00Z', { route: '/over', status: 500 })
    await record('2021-03-06T23:00:00Z', { route: '/over' })
    await seal()
    await reports.advance()
    clock.advance(2 * 86_400_000)
    expect(await reports.destroyExpired()).toMatchObject({
      before: '2021-03-06T20:00:00.000Z',
      counts: { report_downtime: 2 },
    })
    const before = await downtime()
    expect(before.map(({ subject, route, began_at, ended_at }) => [subject, route, began_at, ended_at])).toEqual([
      ['hub', '/over', new Date('2021-03-06T19:00:00.024Z'), new Date('2021-03-06T23:00:00.024Z')],
      ['lfi', '/open', new Date('2021-03-04T09:00:00.023Z'), null],
    ])
    await seal()
    await reports.recompute()
    expect(await downtime()).toEqual(before)
    const folder = mkdtempSync(join(tmpdir(), 'falaj-retention-'))
    const { path } = await exportLog({ db, tenantId: aurora, key, clock, log }, { path: join(folder, 'export') })
    const filed = await reports.lfiAvailability({ first: '2021-03-07', last: '2021-03-09' })
    expect(filed[0]).toMatchObject({ Period: '2021-03-07', TotalUptimeMinutes: 0 })
    const compare = [{ file: 'lfi.json', text: JSON.stringify(filed) }]
    expect(verifyExport(path, { key: auditPublicKey(aurora, key), compare })).toMatchObject({ ok: true })
    rmSync(folder, { recursive: true, force: true })
  })
})
