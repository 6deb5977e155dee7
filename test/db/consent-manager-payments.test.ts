/** What the LFI reads and says of payments, over its real door (lfi-api 2.8). */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { iso } from '../../src/clock.ts'
import type { JsonObject } from '../../src/consent-store/index.ts'
import type { ConsentId } from '../../src/ids.ts'
import type { MadePayment, PaymentStatus } from '../../src/resource-log/index.ts'
import { createPublishedJudge, isPublishedPresent, json, PAIRS, readPublished } from '../schemas/published.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { openManager, recordOf, said, type TestManager } from '../unit/consent-store/manager.ts'
import { madeOutcome, madePayment, PII, paymentIntent, record, settle } from '../unit/consent-store/payments.ts'
import { CLIENT, NOW, newConsentId, TPP, WEBHOOK } from '../unit/consent-store/support.ts'

let database: TestDatabase
let cm: TestManager
beforeAll(async () => {
  database = await createTestDatabase()
  cm = await openManager(database.db)
})
afterAll(async () => {
  await cm?.close()
  await database?.close()
})
beforeEach(() => cm.hub.clock.set(NOW))

const STATUS = 'paymentResponse.status'
const made = (consentId: ConsentId, more: Parameters<typeof madePayment>[3] = {}) =>
  madePayment(database.db, cm.resources, consentId, more)
const patch = (id: string, body: unknown) => cm.call('PATCH', `/payment-log/${id}`, { body })
const listed = async (consentId: string): Promise<readonly JsonObject[]> =>
  recordOf(await cm.call('GET', `/payment-log?consentId=${consentId}`)) as unknown as JsonObject[]
const notices = (resource: string, id: string) =>
  database.db('outbox').where({ resource, resource_id: id }).orderBy('id').select()

describe('the payments of a consent', () => {
  test('are listed as published, oldest first, with what is personal as a JWE', async () => {
    const consentId = await cm.hub.authorized()
    const first = await made(consentId)
    const second = await made(consentId, { clientInteractionId: null, signedRequestBody: null })
    const items = await listed(consentId)
    expect(items.map(({ paymentId }) => paymentId)).toEqual([first.paymentId, second.paymentId])
    expect(items[0]).toEqual({
      consentId,
      paymentType: 'cbuae-payment',
      paymentId: first.paymentId,
      idempotencyKey: first.idempotencyKey,
      paymentResponse: {
        id: first.paymentId,
        status: 'Pending',
        creationDateTime: iso(NOW),
        statusUpdateDateTime: iso(NOW),
        OpenFinanceBilling: { Type: 'PushP2P', MerchantId: 'merchant-1' },
      },
      signedResponse: 'header.answer.signature',
      tpp: first.tpp,
      accountId: 'acc-1',
      psuIdentifiers: { userId: 'u-42' },
      interactionId: { ozoneInteractionId: first.interactionId, clientInteractionId: 'as-the-tpp-said' },
      authorizationCode: {
        paymentId: first.paymentId,
        accessTokenHash: 'hash-of-a-token',
        currentDateTime: iso(NOW),
      },
      requestBody: {
        Data: {
          ConsentId: consentId,
          Instruction: { Amount: { Amount: '100.00', Currency: 'AED' } },
          PersonalIdentifiableInformation: PII,
          PaymentPurposeCode: 'ACM',
        },
      },
      signedRequestBody: 'header.request.signature',
      requestHeaders: { 'x-idempotency-key': 'as sent' },
    })
    expect(items[1]).not.toHaveProperty('signedRequestBody')
    expect(items[1]?.['interactionId']).toEqual({ ozoneInteractionId: second.interactionId })
  })

  test.skipIf(!isPublishedPresent)('are what the published document describes, at every step', async () => {
    const root = readPublished(PAIRS['consent-manager'].published)
    const operation = json(json(json(root['paths'])['/payment-log'])['get'])
    const content = json(json(json(operation['responses'])['200'])['content'])
    const judge = createPublishedJudge(root)(json(content['application/json'])['schema'])
    const consentId = await cm.hub.authorized()
    const payment = await made(consentId)
    const whole = async () => (await cm.call('GET', `/payment-log?consentId=${consentId}`)).body
    expect(judge(await whole())).toBe(true)
    await patch(payment.paymentId, {
      [STATUS]: 'Rejected',
      'paymentResponse.paymentTransactionId': 'aani-1',
      'paymentResponse.rejectReasonCode': [{ code: 'AANI.AM04', message: 'Insufficient funds' }],
    })
    expect(judge(await whole())).toBe(true)
    expect(judge({ ...(await whole()), data: [{ ...(await listed(consentId))[0], requestBody: { Data: {} } }] })).toBe(
      false,
    )
  })

  test('do not hold what the LFI is being asked for or has refused', async () => {
    const consentId = await cm.hub.authorized()
    await record(database.db, cm.resources, paymentIntent(consentId))
    const refused = await record(database.db, cm.resources, paymentIntent(consentId))
    if (refused.outcome !== 'recorded') throw new Error(refused.outcome)
    const answer = { status: 403, body: null, signed: null }
    await settle(database.db, cm.resources, refused.payment.logId, { kind: 'refused', answer })
    expect(await listed(consentId)).toEqual([])
  })

  test.skipIf(!isPublishedPresent)('hold what the LFI never answered, under an id by which it settles it', async () => {
    const consentId = await cm.hub.authorized({ webhook: 'active' })
    const asked = await record(database.db, cm.resources, paymentIntent(consentId))
    if (asked.outcome !== 'recorded') throw new Error(asked.outcome)
    await settle(database.db, cm.resources, asked.payment.logId, { kind: 'unknown' })
    const [item] = await listed(consentId)
    const id = String(item?.['paymentId'])
    expect(item).toMatchObject({
      paymentId: `unanswered-${asked.payment.logId}`,
      idempotencyKey: asked.payment.idempotencyKey,
      paymentResponse: { id, status: 'Pending' },
    })
    const root = readPublished(PAIRS['consent-manager'].published)
    const operation = json(json(json(root['paths'])['/payment-log'])['get'])
    const content = json(json(json(operation['responses'])['200'])['content'])
    const judge = createPublishedJudge(root)(json(content['application/json'])['schema'])
    expect(judge((await cm.call('GET', `/payment-log?consentId=${consentId}`)).body)).toBe(true)
    expect(said(await patch(`${id}0`, { [STATUS]: 'Rejected' }))).toBe('400 Resource.InvalidFormat')
    expect(said(await patch(id, { [STATUS]: 'AcceptedSettlementCompleted' }))).toBe('204')
    expect(said(await patch(id, { [STATUS]: 'Rejected' }))).toBe('400 Event.UnexpectedEvent')
    expect(await listed(consentId)).toMatchObject([
      { paymentId: id, paymentResponse: { status: 'AcceptedSettlementCompleted' } },
    ])
    const [trail] = await database.db('resource_trail').where({ log_id: asked.payment.logId, revision: 3 })
    expect(trail).toMatchObject({ change: 'patched', status_from: 'open', caller_kind: 'lfi' })
    const [notice, another] = await notices('payment', id)
    expect([notice?.body, another]).toMatchObject([{ PaymentId: id, Status: 'AcceptedSettlementCompleted' }, undefined])
    expect(notice?.body).toMatchObject({ Instruction: { Amount: { Amount: '100.00' } }, PaymentPurposeCode: 'ACM' })
  })

  test('of a consent that is not there are none', async () => {
    for (const id of [newConsentId(), 'no-uuid', '', "'; drop table consent"]) {
      const reply = await cm.call('GET', `/payment-log?consentId=${encodeURIComponent(id)}`)
      expect([reply.status, reply.body]).toEqual([200, { data: [], meta: {} }])
    }
  })

  const ASKED: readonly [string, string][] = [
    ['/payment-log', '400 Resource.InvalidFormat'],
    ['/payment-log?consentid=x', '400 Resource.InvalidFormat'],
    ['/payment-log?consentId=a&consentId=b', '400 Resource.InvalidFormat'],
    ['/payment-log?consentId=a&page=1', '400 Resource.InvalidFormat'],
    ['/payment-log/pay-1', '405'],
    ['/payment-log/pay-1/audit', '404'],
    ['/fx-quote-log/q-1', '405'],
    ['/fx-quote-log', '404'],
  ]
  test.each(ASKED)('GET %s is answered %s', async (path, answer) => {
    expect(said(await cm.call('GET', path))).toBe(answer)
  })

  test('stay readable when their consent has ended', async () => {
    const consentId = await cm.hub.authorized()
    const payment = await made(consentId)
    await cm.hub.store.revoke(consentId, { revokedBy: 'LFI' }, TPP)
    expect(await listed(consentId)).toHaveLength(1)
    expect(said(await patch(payment.paymentId, { [STATUS]: 'AcceptedSettlementCompleted' }))).toBe('204')
  })
})

const STATUSES: readonly PaymentStatus[] = [
  'Pending',
  'AcceptedSettlementCompleted',
  'AcceptedWithoutPosting',
  'AcceptedCreditSettlementCompleted',
  'Rejected',
]
/** Row: from; column: to, in the order above. Said once more here, so that the code is not its own judge. */
const ALLOWED: readonly string[] = ['yyyyy', '.yyy.', '..yy.', '...y.', '....y']

describe('the status of a payment', () => {
  test('passes as the contract has it, from every status to every other', async () => {
    const consentId = await cm.hub.authorized()
    const verdicts: string[] = []
    for (const from of STATUSES) {
      let row = ''
      for (const to of STATUSES) {
        const recorded = await record(database.db, cm.resources, paymentIntent(consentId))
        if (recorded.outcome !== 'recorded') throw new Error(recorded.outcome)
        const outcome = madeOutcome(consentId, { status: from })
        await settle(database.db, cm.resources, recorded.payment.logId, outcome)
        const answer = said(await patch(outcome.paymentId, { [STATUS]: to }))
        expect(['204', '400 Event.UnexpectedEvent']).toContain(answer)
        const after = await cm.resources.findPayment(outcome.paymentId)
        expect(after?.status).toBe(answer === '204' ? to : from)
        row += answer === '204' ? 'y' : '.'
      }
      verdicts.push(row)
    }
    expect(verdicts).toEqual(ALLOWED)
  })

  test('is told to the TPP that subscribed, with what else the LFI said', async () => {
    const consentId = await cm.hub.lodge({ webhook: 'active' })
    const payment = await made(consentId)
    expect(await notices('payment', payment.paymentId)).toEqual([])
    cm.hub.clock.advance(5000)
    const reasons = [{ code: 'AANI.AM04', message: 'Insufficient funds', internal: 'stays here' }]
    const body = {
      [STATUS]: 'Rejected',
      'paymentResponse.paymentTransactionId': 'aani-7',
      'paymentResponse.rejectReasonCode': reasons,
    }
    expect(said(await patch(payment.paymentId, body))).toBe('204')
    const [notice, ...more] = await notices('payment', payment.paymentId)
    expect(more).toEqual([])
    expect(notice).toMatchObject({
      kind: 'tpp-webhook',
      event: 'Resource.Updated',
      resource: 'payment',
      consent_id: consentId,
      client_id: CLIENT,
      url: WEBHOOK,
      revision: 3,
    })
    expect(notice.body).toEqual({
      PaymentId: payment.paymentId,
      ConsentId: consentId,
      Status: 'Rejected',
      StatusUpdateDateTime: iso(cm.hub.clock.now()),
      PaymentTransactionId: 'aani-7',
      PaymentPurposeCode: 'ACM',
      Instruction: { Amount: { Amount: '100.00', Currency: 'AED' } },
      OpenFinanceBilling: { Type: 'PushP2P' },
      RejectReasonCode: [{ Code: 'AANI.AM04', Message: 'Insufficient funds' }],
    })
  })

  test('said twice is told once', async () => {
    const consentId = await cm.hub.lodge({ webhook: 'active' })
    const payment = await made(consentId)
    for (let times = 0; times < 3; times += 1)
      expect(said(await patch(payment.paymentId, { [STATUS]: 'AcceptedSettlementCompleted' }))).toBe('204')
    expect(await notices('payment', payment.paymentId)).toHaveLength(1)
    const trail = await database.db('resource_trail').where({ resource: 'payment', log_id: payment.logId })
    expect(trail.map(({ change }) => change)).toEqual(['asked', 'answered', 'patched'])
  })

  test('is told to nobody who did not subscribe, and of a file no event exists', async () => {
    const quiet = await made(await cm.hub.lodge({ webhook: 'inactive' }))
    const file = await made(await cm.hub.lodge({ webhook: 'active' }), { paymentType: 'cbuae-file-payment' })
    for (const { paymentId } of [quiet, file]) {
      expect(said(await patch(paymentId, { [STATUS]: 'Rejected' }))).toBe('204')
      expect(await notices('payment', paymentId)).toEqual([])
    }
  })

  test('leaves an audit entry that names the LFI and no value', async () => {
    const consentId = await cm.hub.authorized()
    const payment = await made(consentId)
    const interactionId = randomUUID()
    const reply = await cm.call('PATCH', `/payment-log/${payment.paymentId}`, {
      body: {
        [STATUS]: 'Rejected',
        'paymentResponse.rejectReasonCode': [{ code: 'LFI.X1', message: 'Words of a person' }],
      },
      headers: { 'x-fapi-interaction-id': interactionId },
    })
    expect(said(reply)).toBe('204')
    const entries = await cm.entriesOf(interactionId)
    expect(entries).toMatchObject([
      {
        kind: 'resource-changed',
        resource: 'payment',
        logId: payment.logId,
        consentId,
        clientId: CLIENT,
        change: 'patched',
        from: 'Pending',
        to: 'Rejected',
        by: 'lfi',
        changed: ['paymentResponse.status', 'paymentResponse.rejectReasonCode'],
      },
      { kind: 'lfi-request', operationId: 'patchPymentlog', route: '/payment-log/{id}', status: 204, errorCode: null },
    ])
    expect(JSON.stringify(entries)).not.toMatch(/Words|LFI\.X1|pay-/)
  })

  test('of two PATCHes at once both are there, one after the other', async () => {
    const payment = await made(await cm.hub.authorized())
    const answers = await Promise.all([
      patch(payment.paymentId, { [STATUS]: 'AcceptedSettlementCompleted' }),
      patch(payment.paymentId, { [STATUS]: 'Pending', 'paymentResponse.paymentTransactionId': 'aani-1' }),
    ])
    const after = await cm.resources.findPayment(payment.paymentId)
    const second = said(answers[1])
    expect(said(answers[0])).toBe('204')
    expect(after?.status).toBe('AcceptedSettlementCompleted')
    expect([second, after?.paymentTransactionId]).toEqual(
      second === '204' ? ['204', 'aani-1'] : ['400 Event.UnexpectedEvent', null],
    )
  })
})

describe('a PATCH of a payment', () => {
  const reason = { code: 'AANI.AM04', message: 'Insufficient funds' }
  const FORMS: readonly [string, unknown, string][] = [
    ['is as it should be', { [STATUS]: 'Pending' }, '204'],
    [
      'has a code of its own namespace',
      { [STATUS]: 'Rejected', 'paymentResponse.rejectReasonCode': [{ ...reason, code: 'Bank.9' }] },
      '204',
    ],
    ['has no status', { 'paymentResponse.paymentTransactionId': 't' }, '400 Body.InvalidFormat'],
    ['has a status that only files of others have', { [STATUS]: 'Received' }, '400 Body.InvalidFormat'],
    ['is nested', { paymentResponse: { status: 'Rejected' } }, '400 Body.InvalidFormat'],
    ['is wrapped', { data: { [STATUS]: 'Rejected' } }, '400 Body.InvalidFormat'],
    ['has a member more', { [STATUS]: 'Rejected', zz: 1 }, '400 Body.InvalidFormat'],
    [
      'spells reasons in capitals',
      { [STATUS]: 'Rejected', 'paymentResponse.RejectReasonCode': [reason] },
      '400 Body.InvalidFormat',
    ],
    [
      'spells a reason in capitals',
      { [STATUS]: 'Rejected', 'paymentResponse.rejectReasonCode': [{ Code: 'AANI.AM04', Message: 'x' }] },
      '400 Body.InvalidFormat',
    ],
    [
      'has no reasons in the list',
      { [STATUS]: 'Rejected', 'paymentResponse.rejectReasonCode': [] },
      '400 Body.InvalidFormat',
    ],
    [
      'has a reason without a namespace',
      { [STATUS]: 'Rejected', 'paymentResponse.rejectReasonCode': [{ ...reason, code: 'AM04' }] },
      '400 Body.InvalidFormat',
    ],
    [
      'has a reason without words',
      { [STATUS]: 'Rejected', 'paymentResponse.rejectReasonCode': [{ ...reason, message: '' }] },
      '400 Body.InvalidFormat',
    ],
    [
      'has a reason of too many words',
      { [STATUS]: 'Rejected', 'paymentResponse.rejectReasonCode': [{ ...reason, message: 'x'.repeat(501) }] },
      '400 Body.InvalidFormat',
    ],
    [
      'has a transaction id that is too long',
      { [STATUS]: 'Pending', 'paymentResponse.paymentTransactionId': 'x'.repeat(41) },
      '400 Body.InvalidFormat',
    ],
    [
      'bills what is not to be billed',
      { [STATUS]: 'Pending', 'paymentResponse.OpenFinanceBilling': { Type: 'PushP2P' } },
      '400 Body.InvalidFormat',
    ],
    [
      'counts parts of what is no file',
      { [STATUS]: 'Pending', 'paymentResponse.OpenFinanceBilling': { NumberOfSuccessfulTransactions: 2 } },
      '400 Event.UnexpectedEvent',
    ],
    ['is null', null, '400 Body.InvalidFormat'],
    ['is a list', [], '400 Body.InvalidFormat'],
  ]
  test.each(FORMS)('that %s', async (_what, body, answer) => {
    const payment = await made(await cm.hub.authorized())
    expect(said(await patch(payment.paymentId, body))).toBe(answer)
    const after = await cm.resources.findPayment(payment.paymentId)
    if (answer !== '204') expect(after).toEqual(payment)
  })

  test('sets the id of the transaction once', async () => {
    const payment = await made(await cm.hub.authorized())
    const id = 'paymentResponse.paymentTransactionId'
    expect(said(await patch(payment.paymentId, { [STATUS]: 'Pending', [id]: 'aani-1' }))).toBe('204')
    expect(said(await patch(payment.paymentId, { [STATUS]: 'Pending', [id]: 'aani-1' }))).toBe('204')
    const other = await patch(payment.paymentId, { [STATUS]: 'Rejected', [id]: 'aani-2' })
    expect([said(other), other.body['errorMessage']]).toEqual([
      '400 Event.UnexpectedEvent',
      'paymentTransactionId is set already and does not change',
    ])
    expect(await cm.resources.findPayment(payment.paymentId)).toMatchObject({
      status: 'Pending',
      paymentTransactionId: 'aani-1',
    })
  })

  test('replaces the whole list of reasons, also after the end', async () => {
    const payment = await made(await cm.hub.authorized())
    const say = (...codes: string[]) =>
      patch(payment.paymentId, {
        [STATUS]: 'Rejected',
        'paymentResponse.rejectReasonCode': codes.map((code) => ({ code, message: 'why' })),
      })
    await say('LFI.A')
    await say('LFI.B', 'LFI.C')
    const after = (await cm.resources.findPayment(payment.paymentId)) as MadePayment
    expect(after.rejectReasons?.map(({ code }) => code)).toEqual(['LFI.B', 'LFI.C'])
  })

  test('counts what of a file was paid', async () => {
    const payment = await made(await cm.hub.authorized(), { paymentType: 'cbuae-file-payment' })
    const body = {
      [STATUS]: 'AcceptedSettlementCompleted',
      'paymentResponse.OpenFinanceBilling': { NumberOfSuccessfulTransactions: 17 },
    }
    expect(said(await patch(payment.paymentId, body))).toBe('204')
    expect((await listed(payment.consentId))[0]).toMatchObject({
      paymentResponse: { OpenFinanceBilling: { NumberOfSuccessfulTransactions: 17 } },
    })
  })

  test('of an unknown payment, and of one that was never made, is the same', async () => {
    const intent = paymentIntent(await cm.hub.authorized())
    const open = await record(database.db, cm.resources, intent)
    if (open.outcome !== 'recorded') throw new Error(open.outcome)
    const replies = await Promise.all(
      ['nobody', open.payment.logId, intent.idempotencyKey, 'x'.repeat(300)].map((id) =>
        patch(id, { [STATUS]: 'Rejected' }),
      ),
    )
    for (const reply of replies)
      expect([said(reply), reply.body['errorMessage']]).toEqual([
        '400 Resource.InvalidFormat',
        'There is no such payment',
      ])
  })
})
