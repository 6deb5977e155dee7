/** What has been paid under a consent is kept by days: it is always what its payments add up to, and is read without them. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAudit } from '../../src/audit/index.ts'
import { toMilliseconds } from '../../src/clock.ts'
import type { Asked, JsonObject } from '../../src/consent-store/index.ts'
import { type Db, openDatabase, query } from '../../src/db.ts'
import type { ConsentId } from '../../src/ids.ts'
import { type LocalDate, localDateAt } from '../../src/local-date.ts'
import { createLog } from '../../src/log.ts'
import { toMoney } from '../../src/money.ts'
import {
  createResourceLog,
  type OpenPayment,
  type PaymentOutcome,
  type PaymentStatus,
  type ResourceLog,
} from '../../src/resource-log/index.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { ATTEMPT, answerOf, madeOutcome, paymentIntent } from '../unit/consent-store/payments.ts'
import { NOW, TENANT, type TestStore, TPP, testStore } from '../unit/consent-store/support.ts'

let database: TestDatabase
/** One connection, so that what it reads is all that is read. */
let db: Db
let hub: TestStore
let resources: ResourceLog
let closeAudit: () => Promise<void>
beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase({ url: database.url, poolMax: 1, applicationName: 'test' })
  hub = testStore(db)
  const log = createLog({ level: 'silent', name: 'test' })
  const audit = createAudit({ db, tenantId: TENANT, clock: hub.clock, log })
  closeAudit = () => audit.close()
  resources = createResourceLog({ db, tenantId: TENANT, clock: hub.clock, audit, consents: hub.store })
})
afterAll(async () => {
  await closeAudit?.()
  await hub?.close()
  await db?.destroy()
  await database?.close()
})
beforeEach(() => hub.clock.set(NOW))

const wire = (Amount: string, Currency = 'AED') => ({ Amount, Currency })
const SINGLE = { Type: 'SingleInstantPayment', Amount: wire('100.00') }
const MULTI = {
  PeriodicSchedule: {
    Type: 'VariableOnDemand',
    PeriodType: 'Month',
    PeriodStartDate: localDateAt(NOW),
    Controls: { MaximumIndividualAmount: wire('500.00') },
  },
}
const agreed = (ConsentSchedule: JsonObject): Promise<ConsentId> =>
  hub.authorized({ type: 'service-initiation', members: { ControlParameters: { ConsentSchedule } } })

async function reserve(consentId: ConsentId, amount: string, currency = 'AED'): Promise<OpenPayment> {
  const money = toMoney(wire(amount, currency))
  if (money === null) throw new Error('no money')
  const asked: Asked = { kind: 'payment', on: localDateAt(hub.clock.now()), money }
  const { requestBody } = paymentIntent(consentId)
  const Data = { ...(requestBody['Data'] as JsonObject), Instruction: { Amount: wire(amount, currency) } }
  const done = await resources.reservePayment(paymentIntent(consentId, { requestBody: { Data } }), asked, ATTEMPT, TPP)
  if (done.outcome !== 'recorded') throw new Error(done.outcome)
  return done.payment
}
async function pay(consentId: ConsentId, amount: string, status: PaymentStatus = 'Pending'): Promise<string> {
  const outcome = madeOutcome(consentId, { status })
  await resources.answerPayment(await reserve(consentId, amount), outcome, TPP)
  return outcome.paymentId
}

type Tallied = { day: LocalDate; currency: string; of_single_amount: boolean; number: number; value: string }
const tallied = async (consentId: ConsentId): Promise<readonly Tallied[]> =>
  (
    await query<Tallied>(
      db,
      `select to_char(day, 'YYYY-MM-DD') as day, currency, of_single_amount, number, value, certain_number, certain_value
       from payment_tally where consent_id = ? order by payment_tally.day, currency, of_single_amount`,
      [consentId],
    )
  ).rows

/** As the migration counts what is there already. */
const recounted = async (consentId: ConsentId): Promise<readonly Tallied[]> =>
  (
    await query<Tallied>(
      db,
      `select to_char(w.day, 'YYYY-MM-DD') as day, w.currency, w.of_single_amount, sum(w.counts)::integer as number,
         sum(w.counts * w.amount) as value, sum(w.is_certain)::integer as certain_number,
         sum(w.is_certain * w.amount) as certain_value
       from payment_log as p, payment_weight(p) as w where p.consent_id = ?
       group by w.day, w.currency, w.of_single_amount order by w.day, w.currency, w.of_single_amount`,
      [consentId],
    )
  ).rows

describe('the tally of a consent', () => {
  test('is what its payments add up to, whatever became of each', async () => {
    const consentId = await agreed({ SinglePayment: SINGLE, MultiPayment: MULTI })
    const refused: PaymentOutcome = { kind: 'refused', answer: { ...answerOf(consentId, ''), status: 400 } }
    const later = { successfulTransactions: null, paymentTransactionId: null, rejectReasons: null }
    await reserve(consentId, '7.50')
    await pay(consentId, '100.00', 'AcceptedSettlementCompleted')
    await resources.answerPayment(await reserve(consentId, '100.00'), { kind: 'unknown' }, TPP)
    await resources.answerPayment(await reserve(consentId, '30.25'), refused, TPP)
    await pay(consentId, '12.00', 'Rejected')
    hub.clock.advance(toMilliseconds(86_400_000))
    const rejected = await pay(consentId, '40.00')
    await resources.patchPaymentByLfi(rejected, { ...later, status: 'Rejected' }, TPP)
    const settled = await pay(consentId, '5.05')
    await resources.patchPaymentByLfi(settled, { ...later, status: 'AcceptedWithoutPosting' }, TPP)
    await resources.patchPaymentByLfi(settled, { ...later, status: 'AcceptedCreditSettlementCompleted' }, TPP)
    const [first, second] = [localDateAt(NOW), localDateAt(hub.clock.now())]
    const row = { currency: 'AED', of_single_amount: false }
    expect(await tallied(consentId)).toEqual([
      { ...row, day: first, number: 1, value: '7.50', certain_number: 0, certain_value: '0.00' },
      {
        ...row,
        day: first,
        of_single_amount: true,
        number: 2,
        value: '200.00',
        certain_number: 1,
        certain_value: '100.00',
      },
      { ...row, day: second, number: 1, value: '5.05', certain_number: 1, certain_value: '5.05' },
    ])
    expect(await recounted(consentId)).toEqual(await tallied(consentId))
    expect(await hub.store.find(consentId)).toMatchObject({
      payment: { consumption: { number: 4, value: { amount: '212.55' }, period: { number: 4 } } },
    })
  })

  test('counts the day in the Emirates, and each currency by itself', async () => {
    const consentId = await hub.authorized({
      type: 'service-initiation',
      members: { ControlParameters: { IsDelegatedAuthentication: true, ConsentSchedule: {} } },
    })
    // Midnight there is eight in the evening here.
    const evening = Date.parse(`${localDateAt(NOW)}T19:59:59.999Z`)
    hub.clock.set(evening as typeof NOW)
    await reserve(consentId, '1.00')
    hub.clock.advance(toMilliseconds(1))
    await reserve(consentId, '2.00')
    await reserve(consentId, '3', 'USD')
    const days = (await tallied(consentId)).map(({ day, currency, number, value }) => [day, currency, number, value])
    const next = localDateAt((evening + 1) as typeof NOW)
    expect(days).toEqual([
      [localDateAt(NOW), 'AED', 1, '1.00'],
      [next, 'AED', 1, '2.00'],
      [next, 'USD', 1, '3'],
    ])
    expect(await recounted(consentId)).toEqual(await tallied(consentId))
  })

  test('of a file without an instruction is the sum that its consent names', async () => {
    const FilePayment = { FileType: 'csv', FileHash: 'hash', NumberOfTransactions: 2, ControlSum: '25.50' }
    const consentId = await agreed({ FilePayment })
    const file = {
      fileType: 'csv',
      fileHash: 'hash',
      fileReference: null,
      numberOfTransactions: 2,
      controlSum: '25.50',
      requestedExecutionDate: null,
    } as const
    const intent = paymentIntent(consentId, {
      paymentType: 'cbuae-file-payment',
      requestBody: { Data: { ConsentId: consentId, PaymentPurposeCode: 'ACM' } },
    })
    const asked = { kind: 'file', on: localDateAt(NOW), file } as unknown as Asked
    expect((await resources.reservePayment(intent, asked, ATTEMPT, TPP)).outcome).toBe('recorded')
    expect((await tallied(consentId)).map(({ number, value }) => [number, value])).toEqual([[1, '25.50']])
    const again = resources.reservePayment({ ...intent, idempotencyKey: 'again' }, asked, ATTEMPT, TPP)
    await expect(again).rejects.toMatchObject({ code: 'Consent.FailsControlParameters' })
    expect(await recounted(consentId)).toEqual(await tallied(consentId))
  })
})

/** Rows that the statements of `work` have looked at, in all tables. */
async function rowsRead(work: () => Promise<unknown>): Promise<number> {
  const total = async () => {
    await query(db, 'select pg_stat_force_next_flush()')
    const { rows } = await query<{ read: string }>(
      db,
      'select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) as read from pg_stat_user_tables',
    )
    return Number(rows[0]?.read)
  }
  const before = await total()
  await work()
  return (await total()) - before
}

const FILL = `
  insert into payment_log (consent_id, client_id, organisation_id, payment_type, idempotency_key, account_id, psu, tpp,
    request_body, request_headers, access_token_hash, interaction_id, created_at, updated_at, revision, state, payment_id,
    status, made_at, status_changed_at, answer_status)
  select consent_id, client_id, organisation_id, payment_type, idempotency_key || at, account_id, psu, tpp, request_body,
    request_headers, access_token_hash, interaction_id, created_at, updated_at, revision, state, ? || at, status, made_at,
    status_changed_at, answer_status
  from payment_log, generate_series(1, ?::integer) as at where payment_id = ?`

test('payment number 5,000 of a consent reads as many rows as number 5', async () => {
  const consentId = await agreed({ MultiPayment: MULTI })
  for (let at = 1; at < 5; at += 1) await pay(consentId, '1.00')
  const fifth = await rowsRead(() => pay(consentId, '1.00'))
  const last = await pay(consentId, '1.00')
  await query(db, FILL, [randomUUID().slice(0, 20), 4_993, last].map(String))
  await query(db, 'analyze payment_log')
  const late = await rowsRead(() => pay(consentId, '1.00'))
  expect(await hub.store.find(consentId)).toMatchObject({ payment: { consumption: { number: 5_000 } } })
  expect(fifth).toBeGreaterThan(0)
  expect(late).toBeLessThanOrEqual(fifth)
  expect(JSON.stringify(await db('consent').where({ id: consentId }).first()).length).toBeLessThan(10_000)
})
