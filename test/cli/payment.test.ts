/** Payments that wait to be settled, told on the command line. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createAudit } from '../../src/audit/index.ts'
import type { ConsentId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import { createResourceLog, type OpenPayment } from '../../src/resource-log/index.ts'
import { type ConfigFiles, writeConfigFiles } from '../support/config-files.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { madePayment, paymentIntent, record, settle } from '../unit/consent-store/payments.ts'
import { CLIENT, newConsentId, TENANT, type TestStore, testStore } from '../unit/consent-store/support.ts'
import { falajSaid } from './commands.ts'

let database: TestDatabase
let files: ConfigFiles
let hub: TestStore
let consentId: ConsentId
let made: string
let open: OpenPayment
beforeAll(async () => {
  database = await createTestDatabase()
  files = await writeConfigFiles()
  files.write({ deployment: { ...files.deployment(), environment: 'sandbox' } })
  vi.stubEnv('EXAMPLE_DATABASE_URL', database.url.reveal())
  const { db } = database
  hub = testStore(db)
  const log = createLog({ level: 'silent', name: 'test' })
  const audit = createAudit({ db, tenantId: TENANT, clock: hub.clock, log })
  const resources = createResourceLog({ db, tenantId: TENANT, clock: hub.clock, audit, consents: hub.store })
  consentId = await hub.authorized({ type: 'service-initiation' })
  made = (await madePayment(db, resources, consentId)).paymentId
  const asked = await record(db, resources, paymentIntent(consentId, { idempotencyKey: 'key-of-the-tpp' }))
  if (asked.outcome !== 'recorded') throw new Error(asked.outcome)
  open = asked.payment
  await settle(db, resources, open.logId, { kind: 'unknown' })
  await audit.close()
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await hub?.close()
  await files?.close()
  await database?.close()
})

const payment = (...args: string[]) =>
  falajSaid(['payment', ...args, '--config', files.deploymentFile, '--tenant', 'example'])

test('falaj payment list names them all, or those that wait, or those of a consent', async () => {
  const all = await payment('list')
  const unsettled = await payment('list', '--unsettled', '--json')
  const of = await payment('list', '--consent', newConsentId())
  const none = await payment('list', '--consent', 'nobody')
  expect([all.status, all.err, all.out.trimEnd().split('\n').length]).toEqual([0, '', 2])
  expect(all.out).toContain(`Pending      ${made}  key `)
  expect(all.out).toContain(
    `unsettled    unanswered-${open.logId}  key key-of-the-tpp  consent ${consentId}  client ${CLIENT}`,
  )
  expect(JSON.parse(unsettled.out)).toMatchObject([
    { standing: 'unsettled', idempotencyKey: 'key-of-the-tpp', consentId },
  ])
  expect(all.out + unsettled.out).not.toMatch(/100\.00|acc-1|u-42|eyJ/)
  expect(of).toEqual({ status: 0, out: '\n', err: '' })
  expect(none).toEqual({ status: 1, out: '', err: 'nobody is no id of a consent\n' })
})

test('falaj payment show finds one by key or id, with its history, and leaves a trace of having been asked', async () => {
  const byKey = await payment('show', 'key-of-the-tpp')
  const byId = await payment('show', made, '--json')
  const nobody = await payment('show', 'nobody')
  expect([byKey.status, byKey.err]).toEqual([0, ''])
  const [, account, asked, unanswered] = byKey.out.split('\n')
  expect(account).toBe('  account acc-1  asked for {"Amount":{"Amount":"100.00","Currency":"AED"}}')
  expect(asked).toMatch(/^ {4}1 {2}\S+Z {2}asked {8}– → open {2}by tpp$/)
  expect(unanswered).toMatch(/^ {4}2 {2}\S+Z {2}unanswered {3}open → open {2}by tpp$/)
  expect(JSON.parse(byId.out)).toMatchObject([
    { paymentId: made, standing: 'Pending', history: [{}, { to: 'Pending' }] },
  ])
  expect(byKey.out + byId.out).not.toMatch(/u-42|eyJ/)
  expect(nobody).toEqual({ status: 1, out: '', err: 'There is no such payment\n' })
  const { rows } = await database.db.raw<{ rows: { bytes: Buffer }[] }>('select bytes from audit_entry')
  const acts = rows.map(({ bytes }) => (JSON.parse(bytes.toString()) as { act?: string }).act)
  expect(acts.filter((act) => act === 'payment read')).toHaveLength(2)
})
