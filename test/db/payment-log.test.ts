/** Payments and service requests as the gateway records them: idempotency, attempts, what the database keeps. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAudit } from '../../src/audit/index.ts'
import { plus, systemClock, toMilliseconds } from '../../src/clock.ts'
import { inTransaction, openDatabase, query } from '../../src/db.ts'
import type { ClientId, ConsentId } from '../../src/ids.ts'
import { createLog } from '../../src/log.ts'
import {
  createResourceLog,
  type PaymentIntent,
  type PaymentStatus,
  type ResourceLog,
} from '../../src/resource-log/index.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { ATTEMPT, madeOutcome, madePayment, paymentIntent, record, settle } from '../unit/consent-store/payments.ts'
import {
  CLIENT,
  NOW,
  ORGANISATION,
  OTHER_CLIENT,
  TENANT,
  type TestStore,
  TPP,
  testStore,
} from '../unit/consent-store/support.ts'

let database: TestDatabase
let hub: TestStore
let resources: ResourceLog
let closeAudit: () => Promise<void>
let consentId: ConsentId
beforeAll(async () => {
  database = await createTestDatabase()
  hub = testStore(database.db)
  const { db } = database
  const audit = createAudit({
    db,
    tenantId: TENANT,
    clock: hub.clock,
    log: createLog({ level: 'silent', name: 'test' }),
  })
  closeAudit = () => audit.close()
  resources = createResourceLog({ db, tenantId: TENANT, clock: hub.clock, audit, consents: hub.store })
})
afterAll(async () => {
  await closeAudit?.()
  await hub?.close()
  await database?.close()
})
beforeEach(async () => {
  hub.clock.set(NOW)
  consentId = await hub.authorized()
})

const recorded = (intent: PaymentIntent) => record(database.db, resources, intent)
const logIdOf = async (intent: PaymentIntent): Promise<string> => {
  const done = await recorded(intent)
  if (done.outcome !== 'recorded') throw new Error(done.outcome)
  return done.payment.logId
}

describe('an idempotency key', () => {
  test('of many at once records one payment', async () => {
    const intent = paymentIntent(consentId)
    const all = await Promise.all(Array.from({ length: 6 }, () => recorded(intent)))
    expect(all.map(({ outcome }) => outcome).sort()).toEqual([...Array(5).fill('in-flight'), 'recorded'])
    expect(await resources.listPayments(consentId)).toHaveLength(1)
  })

  test('that was answered is answered so again, whatever the body says now', async () => {
    const intent = paymentIntent(consentId)
    const made = await settle(database.db, resources, await logIdOf(intent), madeOutcome(consentId))
    const again = await recorded({ ...intent, requestBody: { Data: { ConsentId: consentId } } })
    expect(again).toEqual({ outcome: 'answered', payment: made })
  })

  test('that was refused is refused so again', async () => {
    const intent = paymentIntent(consentId)
    const answer = { status: 400, body: { Errors: [{ Code: 'Consent.BusinessRuleViolation' }] }, signed: null }
    await settle(database.db, resources, await logIdOf(intent), { kind: 'refused', answer })
    expect(await recorded(intent)).toMatchObject({ outcome: 'answered', payment: { state: 'refused', answer } })
    expect(await resources.findByKey(intent)).toMatchObject({ state: 'refused' })
  })

  test('of another consent is not this one, and another client or type has keys of its own', async () => {
    const intent = paymentIntent(consentId)
    await recorded(intent)
    const elsewhere = await hub.authorized()
    expect((await recorded({ ...intent, consentId: elsewhere })).outcome).toBe('other-consent')
    expect((await recorded({ ...intent, clientId: OTHER_CLIENT })).outcome).toBe('recorded')
    expect((await recorded({ ...intent, paymentType: 'cbuae-file-payment' })).outcome).toBe('recorded')
  })

  test('whose attempt got no answer may ask again, with the request of then', async () => {
    const intent = paymentIntent(consentId)
    const logId = await logIdOf(intent)
    expect((await recorded(intent)).outcome).toBe('in-flight')
    await settle(database.db, resources, logId, { kind: 'unknown' })
    const other = { ...intent, requestBody: { Data: { ConsentId: consentId, PaymentPurposeCode: 'XXX' } } }
    const resumed = await recorded(other)
    expect(resumed).toMatchObject({ outcome: 'resumed', payment: { logId, requestBody: intent.requestBody } })
    // A node that died in the middle says nothing; its attempt ends by the clock.
    expect((await recorded(intent)).outcome).toBe('in-flight')
    hub.clock.advance(ATTEMPT)
    expect((await recorded(intent)).outcome).toBe('resumed')
  })
})

describe('a payment', () => {
  test('that was answered is not answered again', async () => {
    const logId = await logIdOf(paymentIntent(consentId))
    const made = await settle(database.db, resources, logId, madeOutcome(consentId))
    const late = await settle(database.db, resources, logId, { kind: 'unknown' })
    expect(late).toEqual(made)
    expect(await resources.findPayment(made.state === 'made' ? made.paymentId : '')).toEqual(made)
  })

  test('leaves an audit entry and a line of its history for each change, and the values of none', async () => {
    const payment = await madePayment(database.db, resources, consentId)
    const { audit } = await hub.traces(consentId)
    const entries = audit.filter(({ kind }) => kind === 'resource-changed')
    expect(entries.map(({ change, from, to, revision }) => ({ change, from, to, revision }))).toEqual([
      { change: 'asked', from: null, to: 'open', revision: 1 },
      { change: 'answered', from: 'open', to: 'Pending', revision: 2 },
    ])
    const trail = await database.db('resource_trail').where({ resource: 'payment', log_id: payment.logId })
    expect(trail.map(({ change, status_to }) => [change, status_to])).toEqual([
      ['asked', 'open'],
      ['answered', 'Pending'],
    ])
    for (const secret of [payment.paymentId, payment.idempotencyKey, '100.00', 'acc-1', 'u-42', 'eyJ'])
      expect(JSON.stringify(entries) + JSON.stringify(trail)).not.toContain(secret)
  })

  test('says in each entry what reports count by, and how many more transactions have succeeded', async () => {
    const made = await madePayment(database.db, resources, consentId)
    const file = await madePayment(database.db, resources, consentId, {
      paymentType: 'cbuae-file-payment',
      requestBody: { Data: { ConsentId: consentId } },
    })
    const patch = { paymentTransactionId: null, rejectReasons: null }
    const say = ({ paymentId }: { paymentId: string }, status: PaymentStatus, count: number | null = null) =>
      resources.patchPaymentByLfi(paymentId, { ...patch, status, successfulTransactions: count }, TPP)
    await say(made, 'AcceptedSettlementCompleted')
    await say(made, 'AcceptedCreditSettlementCompleted')
    await say(file, 'AcceptedSettlementCompleted', 17)
    await say(file, 'AcceptedSettlementCompleted', 15)
    const { audit } = await hub.traces(consentId)
    const entries = audit.filter(({ kind }) => kind === 'resource-changed')
    const counted = (logId: string) =>
      entries.filter((entry) => entry['logId'] === logId).map((entry) => entry['successfulTransactions'])
    expect(counted(made.logId)).toEqual([0, 0, 1, 0])
    expect(counted(file.logId)).toEqual([0, 0, 17, -2])
    // The consents of these tests are none of payments.
    const facts = { organisationId: made.organisationId, paymentConsentType: null }
    for (const entry of entries) {
      const isFile = entry['logId'] === file.logId
      const billed = isFile ? [null, null] : ['PushP2P', 'merchant-1']
      expect(entry).toMatchObject({ ...facts, paymentType: billed[0], merchantId: billed[1] })
    }
  })

  const REFUSED: readonly [string, string, RegExp][] = [
    [
      'a person in clear text',
      `request_body = '{"Data":{"PersonalIdentifiableInformation":{"Initiation":{}}}}'`,
      /check|does not change/,
    ],
    ['another consent', `consent_id = (select id from consent where id <> consent_id limit 1)`, /does not change/],
    ['another request', `request_body = '{"Data":{}}'`, /does not change/],
    ['another transaction', `payment_transaction_id = 'other'`, /does not change/],
    ['an answer taken back', `state = 'open', attempt_until = now()`, /is an answer/],
    ['a state without what belongs to it', `status = null`, /payment_made/],
    ['a change after the end', `status = 'Pending'`, /is terminal/],
  ]
  test.each(REFUSED)('is not changed by the database into %s', async (_what, set, fault) => {
    const payment = await madePayment(database.db, resources, consentId)
    await resources.patchPaymentByLfi(
      payment.paymentId,
      { status: 'Rejected', successfulTransactions: null, paymentTransactionId: 't-1', rejectReasons: null },
      TPP,
    )
    await expect(query(database.db, `update payment_log set ${set} where id = ?`, [payment.logId])).rejects.toThrow(
      fault,
    )
  })

  test('has no status that the documents do not know', async () => {
    const { logId } = await madePayment(database.db, resources, consentId)
    await expect(
      query(database.db, `update payment_log set status = 'Received' where id = ?`, [logId]),
    ).rejects.toThrow(/payment_log_status_check/)
  })

  test('with a person in clear text is never recorded', async () => {
    const intent = paymentIntent(consentId, {
      requestBody: { Data: { ConsentId: consentId, PersonalIdentifiableInformation: { Initiation: {} } } },
    })
    await expect(recorded(intent)).rejects.toThrow(/payment_log_request_body_check/)
  })

  test('has a history that is only ever added to', async () => {
    await madePayment(database.db, resources, consentId)
    await expect(query(database.db, 'delete from resource_trail')).rejects.toThrow(/only ever added to/)
    await expect(query(database.db, "update resource_trail set change = 'x'")).rejects.toThrow(/only ever added to/)
  })
})

describe('a service request', () => {
  const asked = (resourceId: string) =>
    ({
      kind: 'fx-quote',
      resourceId,
      clientId: CLIENT,
      organisationId: ORGANISATION,
      status: 'Available',
      subscription: null,
      echoed: {},
    }) as const

  test('is recorded once for the id that the LFI gave', async () => {
    const made = await inTransaction(database.db, (tx) => resources.recordRequest(tx, asked('q-1'), TPP))
    expect(await resources.findRequest('fx-quote', 'q-1')).toEqual(made)
    expect(await resources.findRequest('insurance-quote', 'q-1')).toBeNull()
    await expect(
      inTransaction(database.db, (tx) => resources.recordRequest(tx, asked('q-1'), TPP)),
    ).rejects.toMatchObject({ code: 'GenericError' })
  })

  test('is subscribed to by the client that asked, and to others it is not there', async () => {
    await inTransaction(database.db, (tx) => resources.recordRequest(tx, asked('q-2'), TPP))
    const subscription = { Webhook: { Url: 'https://tpp.example/fx', IsActive: true } }
    const subscribe = (clientId: ClientId) =>
      inTransaction(database.db, (tx) =>
        resources.changeSubscription(tx, { kind: 'fx-quote', resourceId: 'q-2', clientId }, subscription, TPP),
      )
    await expect(subscribe(OTHER_CLIENT)).rejects.toMatchObject({ code: 'Resource.InvalidFormat' })
    expect(await resources.findRequest('fx-quote', 'q-2')).toMatchObject({ subscription: null, revision: 1 })
    await subscribe(CLIENT)
    expect(await resources.findRequest('fx-quote', 'q-2')).toMatchObject({ subscription, revision: 2 })
  })
})

describe('what the policy no longer keeps', () => {
  const DAY = 86_400_000
  const names = async () => {
    const payments = await database.db('payment_log').orderBy('id').pluck('idempotency_key')
    const requests = await database.db('service_request').orderBy('id').pluck('resource_id')
    return [...payments, ...requests].filter((name) => name.startsWith('old-'))
  }
  const destroyAll = async (): Promise<number[]> => {
    const steps: number[] = []
    for (
      let done = await resources.destroyExpired(366, 2);
      done !== null;
      done = await resources.destroyExpired(366, 2)
    ) {
      steps.push(done.payments + done.requests)
    }
    return steps
  }

  test('goes a few at a time, with its history, and leaves evidence; what is not settled or in force stays', async () => {
    // By the clock on the wall: the database lets go of nothing that is younger than a year by its own.
    hub.clock.set(plus(systemClock.now(), toMilliseconds(-800 * DAY)))
    const emptied = await hub.authorized({ type: 'service-initiation' })
    const ControlParameters = { IsDelegatedAuthentication: true, ConsentSchedule: {} }
    const inForce = await hub.authorized({ type: 'service-initiation', members: { ControlParameters } })
    const ended = await hub.authorized({ type: 'service-initiation' })
    const late = await hub.authorized({ type: 'service-initiation' })
    const made = async (name: string, consent: ConsentId, status: PaymentStatus) => {
      const payment = await logIdOf(paymentIntent(consent, { idempotencyKey: name }))
      await settle(database.db, resources, payment, madeOutcome(consent, { status }))
      return payment
    }
    const gone = await made('old-rejected', ended, 'Rejected')
    await made('old-paid', ended, 'AcceptedSettlementCompleted')
    const refused = await logIdOf(paymentIntent(ended, { idempotencyKey: 'old-refused' }))
    const answer = { status: 400, body: null, signed: null }
    await settle(database.db, resources, refused, { kind: 'refused', answer })
    await made('old-pending', ended, 'Pending')
    await logIdOf(paymentIntent(ended, { idempotencyKey: 'old-open' }))
    await made('old-in-force', inForce, 'AcceptedSettlementCompleted')
    for (const [resourceId, status] of [
      ['old-quote', 'Completed'],
      ['old-quote-open', 'Available'],
    ] as const) {
      const asked = { kind: 'fx-quote', resourceId, status, clientId: CLIENT, organisationId: ORGANISATION } as const
      await inTransaction(database.db, (tx) =>
        resources.recordRequest(tx, { ...asked, subscription: null, echoed: {} }, TPP),
      )
    }
    await made('old-and-last', emptied, 'AcceptedSettlementCompleted')
    // Its consent goes into the archive years after it ended, and this with it.
    await made('old-of-late', late, 'AcceptedSettlementCompleted')
    await hub.store.revoke(ended, { revokedBy: 'LFI' }, TPP)
    const all = await names()
    hub.clock.advance(toMilliseconds(365 * DAY))
    expect([await destroyAll(), await names()]).toEqual([[], all])
    await made('old-but-late', late, 'AcceptedWithoutPosting')

    hub.clock.advance(toMilliseconds(2 * DAY))
    const steps = await destroyAll()
    expect(steps.length).toBeGreaterThan(1)
    expect(Math.max(...steps)).toBeLessThanOrEqual(4)
    expect(await names()).toEqual([
      ...['old-pending', 'old-open', 'old-in-force', 'old-of-late', 'old-but-late', 'old-quote-open'],
    ])
    const trails = await query<{ log_id: string }>(
      database.db,
      `select log_id from resource_trail where resource = 'payment' and log_id not in (select id from payment_log)`,
    )
    expect(trails.rows).toEqual([])
    expect(await resources.findByLogId(gone)).toBeNull()
    const entries = (await database.db('audit_entry').select('bytes')) as { bytes: Buffer }[]
    const evidence = entries.map(({ bytes }) => JSON.parse(bytes.toString()) as { event?: string; detail?: string })
    const told = evidence.filter(({ event }) => event === 'destroyed').map(({ detail }) => detail)
    expect(told).toHaveLength(steps.length)
    expect(told[0]).toMatch(/^before \d{4}-\d\d-\d\dT00:00:00\.000Z: payment_log 2, service_request \d$/)

    // The tally goes with the last payment of a consent that has ended.
    const days = await database.db('payment_tally').whereIn('consent_id', [ended, inForce]).pluck('consent_id')
    expect(new Set(days)).toEqual(new Set([ended, inForce]))
    expect(await database.db('payment_tally').where({ consent_id: emptied })).toEqual([])
  })

  test('is older than a year, whoever asks, and is deleted by the account of a hub in no other way', async () => {
    await expect(resources.destroyExpired(-10_000, 1)).rejects.toThrow(/younger than a year is kept/)
    const account = openDatabase({ url: database.url, poolMax: 1, applicationName: 'test-hub' })
    const tried = ['payment_log', 'payment_tally', 'service_request', 'resource_trail'].map((table) =>
      query(account, `delete from ${table}`).catch((error: Error) => error.message),
    )
    const refused = await Promise.all(tried)
    const { rows } = await query(account, "select * from resource_destroy('2001-01-01', '{}', 1)")
    await account.destroy()
    expect(refused).toEqual(refused.map(() => expect.stringContaining('permission denied for table')))
    expect(rows).toEqual([{ payments: 0, requests: 0 }])
    await expect(query(database.db, 'delete from resource_trail')).rejects.toThrow(/only ever added to/)
  })
})
