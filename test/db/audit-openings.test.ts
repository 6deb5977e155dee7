/** Values behind commitments: found, shown, destroyed, with the evidence of their destruction. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAuditReader, eraseOpenings, verifyExport } from '../../src/audit/index.ts'
import { accept } from '../../src/audit/store.ts'
import { systemClock } from '../../src/clock.ts'
import type { ConsentId } from '../../src/ids.ts'
import { type AuditLog, openAuditLog } from '../support/audit-log.ts'
import { failing } from '../support/faulty.ts'
import { aurora, ENTRIES } from '../unit/audit/entries.ts'
import { FORMER } from '../unit/audit/former.ts'

const ONE = '11111111-1111-4111-8111-111111111111' as ConsentId
const TWO = '22222222-2222-4222-8222-222222222222' as ConsentId
const by = { actor: 'dpo@aurora', reason: 'asked for by the customer' }

let log: AuditLog
beforeEach(async () => {
  log = await openAuditLog()
  for (const consentId of [ONE, TWO, ONE]) await log.audit.record({ ...ENTRIES['consent-changed'], consentId })
  await log.seal()
})
afterEach(() => log.close())

const erase = (erasure: Parameters<typeof eraseOpenings>[1], db = log.db) =>
  eraseOpenings({ db, tenantId: aurora, clock: systemClock }, erasure, by)
const found = async (id: ConsentId) => (await createAuditReader({ db: log.db }).findByConsent(id, 10)).length
/** Everything that is kept, as text. */
const everything = async (): Promise<string> =>
  JSON.stringify([
    (await log.db.raw(`select convert_from(bytes, 'UTF8') as text from audit_entry`)).rows,
    (await log.db.raw('select * from audit_opening')).rows,
  ])

test('what earlier releases wrote verifies with what this one writes, and counts in the reports', async () => {
  await accept(
    log.db,
    FORMER.map((text) => ({ bytes: Buffer.from(text), interactionId: null, openings: [] })),
  )
  await log.audit.record(ENTRIES['tpp-call'], ENTRIES['lfi-request'])
  await log.seal()
  const { path } = await log.export('former')
  const verdict = verifyExport(path, { key: log.publicKey, reports: true })
  expect([verdict.ok, verdict.entriesRead]).toEqual([true, 13])
  const calls = verdict.reports?.daily.map((row) => [row['door'], row['calls']])
  expect(calls?.sort()).toEqual([
    ['cm', 2],
    ['rs', 2],
  ])
  const unknown = (name: string) => verdict.reports?.datasets[name]?.filter((row) => row['TppId'] === '')
  expect(unknown('consents')).toMatchObject([{ ConsentType: '', StandardVersion: '', Authorized: 1 }])
  expect(unknown('payments')).toMatchObject([{ PaymentType: '', Rejected: 1, NumberOfSuccessfulTransactions: 0 }])
})

describe('erasing', () => {
  test('takes every trace of the value, of nobody else, and the log stays valid', async () => {
    const before = await log.verify()
    expect(await erase({ field: 'consentId', value: ONE })).toEqual({
      openings: ['2:consentId', '4:consentId'],
      waiting: 0,
    })
    expect([await found(ONE), await found(TWO)]).toEqual([0, 1])
    expect(await everything()).not.toContain(ONE)
    expect(await everything()).toContain(TWO)
    await log.seal()
    const verdict = await log.verify()
    expect(verdict).toMatchObject({ ok: true, size: before.size + 1, commitments: { total: 4, opened: 2, erased: 2 } })
  })

  test('takes with a consent what ties the calls about it together', async () => {
    const call = { ...ENTRIES['webhook-call'], consentId: ONE }
    await log.audit.record(call, { ...call, consentId: TWO })
    await log.seal()
    const { openings } = await erase({ field: 'consentId', value: ONE })
    expect(openings).toEqual(['2:consentId', '4:consentId', '5:consentId', '5:parentInteractionId'])
    expect((await erase({ field: 'parentInteractionId', value: String(call.parentInteractionId) })).openings).toEqual([
      '6:parentInteractionId',
    ])
    await log.seal()
    expect(await log.verify()).toMatchObject({ ok: true, commitments: { erased: 5 } })
  })

  test('is itself in the log: what, why and, committed, by whom', async () => {
    await erase({ field: 'consentId', value: ONE })
    await log.seal()
    const [record] = await createAuditReader({ db: log.db }).range(5, 1)
    expect(record?.entry).toMatchObject({ kind: 'erased', openings: ['2:consentId', '4:consentId'], ...by })
    expect(record?.bytes.toString()).not.toContain(by.actor)
  })

  test('of one entry, or of one member of it', async () => {
    expect((await erase({ index: 3 })).openings).toEqual(['3:consentId'])
    expect((await erase({ index: 2, field: 'actor' })).openings).toEqual([])
    expect((await erase({ index: 2, field: 'consentId' })).openings).toEqual(['2:consentId'])
    expect(await found(ONE)).toBe(1)
  })

  test('waits for what is not sealed yet', async () => {
    await log.audit.record({ ...ENTRIES['consent-changed'], consentId: ONE })
    expect(await erase({ field: 'consentId', value: ONE })).toMatchObject({ waiting: 1 })
    expect(await found(ONE)).toBe(1)
    await log.seal()
    expect(await erase({ field: 'consentId', value: ONE })).toMatchObject({
      waiting: 0,
      openings: [expect.any(String)],
    })
    expect(await found(ONE)).toBe(0)
  })

  test('of very many is recorded in as many entries as it takes', async () => {
    await log.audit.record(...Array.from({ length: 150 }, () => ({ ...ENTRIES['consent-changed'], consentId: TWO })))
    await log.seal()
    expect((await erase({ field: 'consentId', value: TWO })).openings).toHaveLength(151)
    await log.seal()
    expect(await log.verify()).toMatchObject({ ok: true, commitments: { erased: 151 } })
  })

  test('dies at every statement with all or nothing', async () => {
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; ; at += 1) {
        const consentId = crypto.randomUUID() as ConsentId
        await log.audit.record({ ...ENTRIES['consent-changed'], consentId })
        await log.seal()
        const broken = failing(log.db, { at, when })
        await erase({ field: 'consentId', value: consentId }, broken.db).catch(() => undefined)
        await log.seal()
        const { ok, commitments } = await log.verify()
        expect([ok, commitments.opened + commitments.erased === commitments.total], `${when} ${at}`).toEqual([
          true,
          true,
        ])
        if (!broken.struck()) break
      }
    }
  })
})

test('an export without openings holds no value, and one with them opens each', async () => {
  const closed = await log.export('closed')
  const opened = await log.export('opened', { openings: true })
  expect(verifyExport(closed.path, { key: log.publicKey }).commitments).toMatchObject({ total: 3, opened: 0 })
  expect(verifyExport(opened.path, { key: log.publicKey }).commitments).toMatchObject({ total: 3, opened: 3 })
})
