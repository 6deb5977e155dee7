/** What the LFI reads and says of payments, quotes and account openings, over its real door (lfi-api 2.8, 2.9). */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { iso } from '../../src/clock.ts'
import type { JsonObject, Subscription } from '../../src/consent-store/index.ts'
import { inTransaction } from '../../src/db.ts'
import type { ConsentId } from '../../src/ids.ts'
import type { MadePayment, PaymentStatus, RequestKind } from '../../src/resource-log/index.ts'
import { createPublishedJudge, isPublishedPresent, json, PAIRS, readPublished } from '../schemas/published.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { openManager, recordOf, said, type TestManager } from '../unit/consent-store/manager.ts'
import { madeOutcome, madePayment, PII, paymentIntent, record, settle } from '../unit/consent-store/payments.ts'
import { CLIENT, NOW, newConsentId, ORGANISATION, TPP, WEBHOOK } from '../unit/consent-store/support.ts'

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

  test('do not hold what the LFI has not answered or has refused', async () => {
    const consentId = await cm.hub.authorized()
    await record(database.db, cm.resources, paymentIntent(consentId))
    const refused = await record(database.db, cm.resources, paymentIntent(consentId))
    if (refused.outcome !== 'recorded') throw new Error(refused.outcome)
    const answer = { status: 403, body: null, signed: null }
    await settle(database.db, cm.resources, refused.payment.logId, { kind: 'refused', answer })
    expect(await listed(consentId)).toEqual([])
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
      'has an empty transaction id',
      { [STATUS]: 'Pending', 'paymentResponse.paymentTransactionId': '' },
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

const amount = (text: string) => ({ Amount: text, Currency: 'AED' })
const TRADE = { SellAmount: amount('100.00'), BuyAmount: { Amount: '27.20', Currency: 'USD' } }
const COMPLETED = {
  QuoteStatus: 'Completed',
  PolicyTerm: 'P1Y',
  Premium: {
    OneYearPremiumExcludingVAT: amount('100.00'),
    VATAmount: amount('5.00'),
    TotalOneYearPremium: amount('105.00'),
  },
  CustomerPaidInFull: true,
  PolicyCountrySubDivision: 'Dubai',
}
type Kind = {
  readonly kind: RequestKind
  readonly path: string
  readonly member: string
  readonly first: string
  /** On the way, then an end. */
  readonly next: JsonObject
  readonly end: JsonObject
  readonly told: (id: string, body: JsonObject) => JsonObject
  readonly refused: readonly unknown[]
}
const KINDS: readonly Kind[] = [
  {
    kind: 'account-opening',
    path: '/account-opening-log',
    member: 'OpeningStatus',
    first: 'Pending',
    next: { OpeningStatus: 'AwaitingUserInput', AdditionalStatusInformation: 'Please visit us' },
    end: { OpeningStatus: 'Completed' },
    told: (id, body) => ({ AccountId: id, LinkedOperations: { FxQuoteId: 'fx-1' }, ...body }),
    refused: [{}, { OpeningStatus: 'Opened' }, { OpeningStatus: 'Pending', AdditionalStatusInformation: '' }, [], null],
  },
  {
    kind: 'fx-quote',
    path: '/fx-quote-log',
    member: 'QuoteStatus',
    first: 'Available',
    next: { QuoteStatus: 'Funded', AdditionalStatusInformation: 'Arrived' },
    end: { QuoteStatus: 'Completed', Trade: TRADE, Commission: { CommissionAmount: amount('1.00') } },
    told: (id, body) => ({ FxQuoteId: id, ...body }),
    refused: [
      {},
      { QuoteStatus: 'Accepted' },
      { QuoteStatus: 'Completed' },
      { QuoteStatus: 'Completed', Trade: TRADE },
      {
        QuoteStatus: 'Completed',
        Trade: { ...TRADE, SellAmount: amount('1') },
        Commission: { CommissionAmount: amount('1.00') },
      },
    ],
  },
  {
    kind: 'insurance-quote',
    path: '/insurance-quote-log',
    member: 'QuoteStatus',
    first: 'Available',
    next: { QuoteStatus: 'PaymentRequired', BrokerInstructions: [{ ActionRequired: 'Collect' }] },
    end: COMPLETED,
    told: (_id, body) => body,
    refused: [
      {},
      { QuoteStatus: 'Completed' },
      { ...COMPLETED, PolicyTerm: '1Y' },
      { ...COMPLETED, PolicyCountrySubDivision: 'Muscat' },
      { QuoteStatus: 'PaymentRequired', BrokerInstructions: [] },
      { QuoteStatus: 'PaymentRequired', BrokerInstructions: [{}] },
    ],
  },
]

describe.each(KINDS)('$kind', ({ kind, path, member, first, next, end, told, refused }) => {
  const active: Subscription = { Webhook: { Url: WEBHOOK, IsActive: true } }
  const asked = async (subscription: Subscription | null): Promise<string> => {
    const resourceId = randomUUID()
    const echoed = kind === 'account-opening' ? { LinkedOperations: { FxQuoteId: 'fx-1' } } : {}
    const request = {
      kind,
      resourceId,
      clientId: CLIENT,
      organisationId: ORGANISATION,
      status: first,
      subscription,
      echoed,
    }
    await inTransaction(database.db, (tx) => cm.resources.recordRequest(tx, request, TPP))
    return resourceId
  }
  const say = (id: string, body: unknown) => cm.call('PATCH', `${path}/${id}`, { body })

  test('goes on until it ends, and its TPP hears of it', async () => {
    const id = await asked(active)
    cm.hub.clock.advance(1000)
    expect(said(await say(id, { ...next, unknownToTheDocument: 'stays here' }))).toBe('204')
    cm.hub.clock.advance(1000)
    expect(said(await say(id, end))).toBe('204')
    const [one, two, ...more] = await notices(kind, id)
    expect(more).toEqual([])
    const opening = kind === 'account-opening'
    const at = (ms: number) => (opening ? { OpeningStatusUpdateDateTime: iso((NOW + ms) as typeof NOW) } : {})
    expect(one.body).toEqual({ ...told(id, next), ...at(1000) })
    expect(two.body).toEqual({ ...told(id, end), ...at(2000) })
    expect(one).toMatchObject({
      consent_id: null,
      client_id: CLIENT,
      url: WEBHOOK,
      event: 'Resource.Updated',
      revision: 2,
    })

    const after = await say(id, next)
    expect([said(after), after.body['errorMessage']]).toEqual(['400 Event.UnexpectedEvent', 'The request has ended'])
    expect(await cm.resources.findRequest(kind, id)).toMatchObject({ status: end[member], revision: 3 })
    const { id: logged } = await database.db('service_request').where({ resource_id: id }).first()
    const trail = await database.db('resource_trail').where({ resource: kind, log_id: logged }).orderBy('revision')
    expect(trail.map(({ change, status_to }) => [change, status_to])).toEqual([
      ['asked', first],
      ['patched', next[member]],
      ['patched', end[member]],
    ])
  })

  test('of a TPP that did not subscribe is told to nobody', async () => {
    for (const subscription of [null, { Webhook: { Url: WEBHOOK, IsActive: false } }]) {
      const id = await asked(subscription)
      expect(said(await say(id, next))).toBe('204')
      expect(await notices(kind, id)).toEqual([])
    }
  })

  test('keeps nothing of what the LFI says but the status', async () => {
    const id = await asked(null)
    await say(id, end)
    const row = await database.db('service_request').where({ kind, resource_id: id }).first()
    expect(JSON.stringify(row)).not.toMatch(/100\.00|Collect|visit/)
  })

  test('is refused in any other form', async () => {
    const id = await asked(active)
    for (const body of refused) expect(said(await say(id, body)), JSON.stringify(body)).toBe('400 Body.InvalidFormat')
    expect(said(await cm.call('PATCH', `${path}/${id}`, { raw: '{', type: 'application/json' }))).toBe(
      '400 Body.InvalidFormat',
    )
    expect(said(await cm.call('PATCH', `${path}/${id}`, { raw: '{}', type: 'text/plain' }))).toBe('415')
    expect(said(await cm.call('PATCH', `${path}/${id}`))).toBe('415')
    expect(said(await cm.call('PATCH', `${path}/${id}?dry=1`, { body: next }))).toBe('400 Resource.InvalidFormat')
    expect(await cm.resources.findRequest(kind, id)).toMatchObject({ status: first, revision: 1 })
    expect(await notices(kind, id)).toEqual([])
  })

  test('that is not there is an unknown one, of another kind as well', async () => {
    const id = await asked(active)
    const other = KINDS.find((each) => each.kind !== kind)
    const replies = [
      await say(randomUUID(), next),
      await cm.call('PATCH', `${other?.path}/${id}`, { body: other?.next }),
    ]
    for (const reply of replies)
      expect([said(reply), reply.body['errorMessage']]).toEqual([
        '400 Resource.InvalidFormat',
        'There is no such request',
      ])
  })

  test('is the business of the LFI alone', async () => {
    const id = await asked(active)
    for (const as of [{}, cm.otherLfi, cm.stranger])
      expect(said(await cm.call('PATCH', `${path}/${id}`, { as, body: next }))).toBe('401')
    expect(await cm.resources.findRequest(kind, id)).toMatchObject({ revision: 1 })
  })
})

describe('text that no database keeps', () => {
  const NUL = '\u0000'
  const HALF = '\ud800'
  const body = (userId: string) => ({ authorizationChannel: 'App', psuIdentifiers: { userId } })
  const CASES: readonly [string, string, unknown, string][] = [
    ['GET', '/psu/%00/consents', undefined, 'Resource.InvalidFormat'],
    ['GET', '/accounts/a%00/consents', undefined, 'Resource.InvalidFormat'],
    ['GET', '/consent-groups/%00/consents', undefined, 'Resource.InvalidFormat'],
    ['GET', '/consents?status=%00', undefined, 'Resource.InvalidFormat'],
    ['PATCH', '/payment-log/%00', { [STATUS]: 'Rejected' }, 'Resource.InvalidFormat'],
    ['PATCH', `/consents/${newConsentId()}`, body(NUL), 'Body.InvalidFormat'],
    ['PATCH', `/consents/${newConsentId()}`, body(HALF), 'Body.InvalidFormat'],
    [
      'PATCH',
      `/consents/${newConsentId()}`,
      { ...body('u'), supplementaryInformation: { [NUL]: 1 } },
      'Body.InvalidFormat',
    ],
    [
      'PATCH',
      `/consents/${newConsentId()}`,
      { ...body('u'), supplementaryInformation: [[HALF]] },
      'Body.InvalidFormat',
    ],
  ]
  test.each(CASES)('%s %s with %j', async (method, path, sent, code) => {
    expect(said(await cm.call(method, path, sent === undefined ? {} : { body: sent }))).toBe(`400 ${code}`)
  })
})
