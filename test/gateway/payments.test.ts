import { hash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sign } from '../../src/jose.ts'
import { undeclared } from './support/declared.ts'
import { json } from './support/outside.ts'
import {
  aed,
  createBank,
  createPayer,
  FILE,
  filePaymentOf,
  messageOf,
  PAY_BASE,
  paymentConsent,
  paymentOf,
  refusal,
  schedules,
} from './support/payments.ts'
import { createWorld, newSigningKey, type World } from './support/world.ts'

let world: World
let payer: ReturnType<typeof createPayer>
let bank: ReturnType<typeof createBank>
beforeAll(async () => {
  world = await createWorld({ timeoutMs: 700 })
  payer = createPayer(world)
})
afterAll(async () => {
  expect(await undeclared(world)).toEqual([])
  await world.close()
})
beforeEach(() => {
  bank = createBank()
  world.lfi.asked.length = 0
  world.lfi.answer = bank.answer
})
const statusOf = async (id: string) => (await world.consents.find(id as never))?.status

describe('a single payment', () => {
  test('is made once, answered signed, found again, and uses its consent up', async () => {
    const consent = await paymentConsent(world, schedules().single)
    const key = randomUUID().slice(0, 30)
    const answer = await payer.pay(consent, paymentOf(consent), { key })
    const message = await messageOf(world, answer)
    const [executed] = bank.ledger
    const self = `${world.tenant.listeners.rs.origin}${PAY_BASE}/payments/${executed?.id}`
    expect(answer.status).toBe(201)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/jwt',
      location: self,
      'x-idempotency-key': key,
    })
    expect(message).toEqual({
      Data: {
        PaymentId: executed?.id,
        ConsentId: consent.id,
        Status: 'AcceptedSettlementCompleted',
        StatusUpdateDateTime: expect.any(String),
        CreationDateTime: expect.any(String),
        Instruction: { Amount: aed('100.00') },
        PaymentPurposeCode: 'ACM',
        DebtorReference: 'invoice 7',
        OpenFinanceBilling: { Type: 'PushP2P' },
      },
      Links: { Self: self, Related: `${world.tenant.listeners.rs.origin}${PAY_BASE}/payment-consents/${consent.id}` },
      Meta: {},
    })
    expect(world.registry.response('bank-initiation', 'CreatePayment', 201)?.(message)).toEqual([])
    expect(await world.consents.find(consent.id)).toMatchObject({
      status: 'Consumed',
      payment: {
        consumption: { number: 1, value: { amount: '100.00', currency: 'AED' } },
      },
    })

    const agreed = await payer.get(`/payment-consents/${consent.id}`)
    expect(await messageOf(world, agreed)).toMatchObject({ Links: { Related: [self] } })
    const found = await payer.get('/payments', { 'x-idempotency-key': key })
    expect(await messageOf(world, found)).toEqual({ Data: {}, Links: { Self: self } })
    const shown = await payer.get(`/payments/${executed?.id}`)
    expect([shown.status, await messageOf(world, shown)]).toEqual([200, message])
  })

  test('reaches the bank as it was asked for, with the headers of the TPP but without its credentials', async () => {
    const consent = await paymentConsent(world, schedules().single)
    const answer = await payer.pay(consent, paymentOf(consent), {
      key: 'the-key',
      headers: { cookie: 'a=b', 'x-fapi-customer-ip-address': '192.0.2.7' },
    })
    expect(answer.status).toBe(201)
    const [executed] = bank.ledger
    expect(executed?.order).toMatchObject({
      requestUrl: `${world.tenant.listeners.rs.origin}${PAY_BASE}/payments`,
      paymentType: 'cbuae-payment',
      request: paymentOf(consent),
      requestHeaders: { 'x-idempotency-key': 'the-key', 'x-fapi-customer-ip-address': '192.0.2.7' },
    })
    expect(Object.keys(executed?.order.requestHeaders ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(authorization|cookie|dpop)$/)]),
    )
    expect(world.lfi.asked[0]?.headers).toMatchObject({
      'o3-consent-id': consent.id,
      'o3-api-uri': `${PAY_BASE}/payments`,
      'o3-api-operation': 'POST',
      'o3-psu-identifier': Buffer.from('{"userId":"user-7"}').toString('base64'),
    })
    const entries = await world.entries(answer.headers['x-fapi-interaction-id'])
    expect(entries).toMatchObject([
      {
        ...{ kind: 'resource-changed', resource: 'payment', change: 'asked', consentId: consent.id },
        ...{ paymentConsentType: 'SingleInstantPayment', successfulTransactions: 0 },
      },
      {
        ...{ kind: 'resource-changed', resource: 'payment', change: 'answered', to: 'AcceptedSettlementCompleted' },
        ...{ organisationId: world.one.organisationId, paymentType: 'PushP2P', successfulTransactions: 1 },
      },
      {
        ...{ kind: 'consent-changed', change: 'consume', from: 'Authorized', to: 'Consumed' },
        ...{ consentType: 'service-initiation', standardVersion: 'v2.1', userType: null, purpose: null },
      },
      {
        ...{ kind: 'tpp-call', operationId: 'CreatePayment', status: 201, consentId: consent.id, records: 1 },
        paymentType: 'PushP2P',
        requestDigest: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
        parentInteractionId: null,
      },
      {
        ...{ kind: 'lfi-call', operationId: 'makePayment', status: 201, outcome: 'answered', consentId: consent.id },
        requestDigest: hash('sha256', world.lfi.asked[0]?.body ?? '', 'base64'),
        parentInteractionId: null,
      },
    ])
    expect(JSON.stringify(entries)).not.toMatch(/100\.00|invoice 7|user-7|192\.0\.2\.7/)
  })

  test.each([
    ['another amount', { Instruction: { Amount: aed('100.01') } }, 'Consent.FailsControlParameters'],
    [
      'another currency',
      { Instruction: { Amount: { Amount: '100.00', Currency: 'USD' } } },
      'Consent.FailsControlParameters',
    ],
    ['another purpose', { PaymentPurposeCode: 'SAL' }, 'Consent.BusinessRuleViolation', 'Data.PaymentPurposeCode'],
    ['another reference', { DebtorReference: 'invoice 8' }, 'Consent.BusinessRuleViolation', 'Data.DebtorReference'],
    ['no reference', { DebtorReference: undefined }, 'Consent.BusinessRuleViolation', 'Data.DebtorReference'],
    ['a NUL in a reference', { DebtorReference: 'invoice\u00007' }, 'Body.InvalidFormat'],
    ['half a surrogate pair in a reference', { DebtorReference: 'invoice \ud800' }, 'Body.InvalidFormat'],
    ['a reference more', { CreditorReference: 'x' }, 'Consent.BusinessRuleViolation', 'Data.CreditorReference'],
    ['another consent', { ConsentId: randomUUID() }, 'Consent.Invalid', 'Data.ConsentId'],
    [
      'clear text',
      { PersonalIdentifiableInformation: { Initiation: {} } },
      'Body.InvalidFormat',
      'Data.PersonalIdentifiableInformation',
    ],
    [
      'what is no JWE',
      { PersonalIdentifiableInformation: 'a.b.c' },
      'JWE.InvalidHeader',
      'Data.PersonalIdentifiableInformation',
    ],
    [
      'a JWE of another algorithm',
      {
        PersonalIdentifiableInformation: `${Buffer.from('{"alg":"RSA1_5","enc":"A256GCM","kid":"k"}').toString('base64url')}.a.b.c.d`,
      },
      'JWE.InvalidHeader',
      'Data.PersonalIdentifiableInformation',
    ],
    [
      'an amount that is none',
      { Instruction: { Amount: aed('100') } },
      'Body.InvalidFormat',
      'Data.Instruction.Amount.Amount',
    ],
    ['a member too many', { Extra: 1 }, 'Body.InvalidFormat', 'Data.Extra'],
  ] as const)('with %s is refused before the bank hears of it', async (_name, change, code, path?: string) => {
    const consent = await paymentConsent(world, schedules().single)
    const key = randomUUID().slice(0, 30)
    const answer = await payer.pay(consent, paymentOf(consent, aed('100.00'), change), { key })
    expect(await refusal(world, answer)).toEqual(path === undefined ? [400, code] : [400, code, path])
    expect(world.lfi.asked).toEqual([])
    // Nothing was lost: the same key makes the payment that fits.
    expect((await payer.pay(consent, paymentOf(consent), { key })).status).toBe(201)
  })

  test('is refused with a second key once the first is made, and while it waits', async () => {
    const made = await paymentConsent(world, schedules().single)
    expect((await payer.pay(made)).status).toBe(201)
    expect(await refusal(world, await payer.pay(made))).toEqual([400, 'Consent.Invalid'])

    world.lfi.answer = async (asked, response) => {
      const payment = bank.execute(await bank.orderIn(asked), 'Pending')
      bank.send(response, 201, bank.recordOf(payment))
    }
    const waiting = await paymentConsent(world, schedules().single)
    expect((await payer.pay(waiting)).status).toBe(201)
    expect(await statusOf(waiting.id)).toBe('Authorized')
    expect(await refusal(world, await payer.pay(waiting))).toEqual([400, 'Consent.FailsControlParameters'])
    expect(bank.ledger).toHaveLength(2)
  })

  test('that the bank rejects uses nothing up', async () => {
    world.lfi.answer = async (asked, response) => {
      const payment = bank.execute(await bank.orderIn(asked), 'Rejected')
      const rejectReasonCode = [{ code: 'AANI.AM04', message: 'Insufficient funds' }]
      bank.send(response, 201, bank.recordOf(payment, { rejectReasonCode }))
    }
    const consent = await paymentConsent(world, schedules().single)
    const { Data } = (await messageOf(world, await payer.pay(consent))) as { Data: object }
    expect(Data).toMatchObject({
      Status: 'Rejected',
      RejectReasonCode: [{ Code: 'AANI.AM04', Message: 'Insufficient funds' }],
    })
    expect(await statusOf(consent.id)).toBe('Authorized')
    world.lfi.answer = bank.answer
    expect((await payer.pay(consent)).status).toBe(201)
  })
})

describe('who may pay', () => {
  test.each([
    ['AwaitingAuthorization', { authorized: false }],
    ['Revoked', { revoked: true }],
  ] as const)('under a consent that is %s nobody', async (_status, how) => {
    const consent = await paymentConsent(world, schedules().single, 'authorized' in how ? how : {})
    if ('revoked' in how) {
      await world.consents.revoke(
        consent.id,
        { revokedBy: 'LFI' },
        {
          by: 'lfi',
          organisationId: null,
          clientId: null,
          softwareStatementId: null,
          interactionId: null,
        },
      )
    }
    expect(await refusal(world, await payer.pay(consent))).toEqual([400, 'Consent.Invalid'])
    expect(world.lfi.asked).toEqual([])
  })

  test('a client without a user may not, and a user may not look', async () => {
    const consent = await paymentConsent(world, schedules().single)
    const body = await sign(world.one.signing, payer.claims(paymentOf(consent)))
    const asClient = await payer.sendSigned('/payments', await payer.clientToken(), body, 'k')
    expect(await refusal(world, asClient)).toEqual([403, 'AccessToken.InvalidScope'])
    const asUser = await payer.get('/payments/x', {}, await payer.token(consent))
    expect(await refusal(world, asUser)).toEqual([403, 'AccessToken.InvalidScope'])
  })

  test('a token for accounts opens nothing', async () => {
    const consent = await paymentConsent(world, schedules().single)
    const body = await sign(world.one.signing, payer.claims(paymentOf(consent)))
    const answer = await payer.sendSigned('/payments', await world.userToken(consent), body, 'k')
    expect(await refusal(world, answer)).toEqual([403, 'AccessToken.InvalidScope'])
  })

  test('a consent of another family does not pay', async () => {
    const consent = await world.consentOf({})
    expect(await refusal(world, await payer.pay(consent))).toEqual([400, 'Consent.Invalid'])
  })

  test('a header that names another consent of a group is refused', async () => {
    const consent = await paymentConsent(world, schedules().single)
    const answer = await payer.pay(consent, paymentOf(consent), { headers: { 'x-consent-id': randomUUID() } })
    expect(await refusal(world, answer)).toEqual([400, 'Consent.Invalid', 'x-consent-id'])
    const own = await payer.pay(consent, paymentOf(consent), { headers: { 'x-consent-id': consent.id } })
    expect(own.status).toBe(201)
  })
})

describe('the request', () => {
  const seconds = () => Math.floor(Date.now() / 1000)
  test.each([
    ['iss', { iss: randomUUID() }],
    ['iss', { iss: undefined }],
    ['aud', { aud: ['https://other.example'] }],
    ['aud', { aud: 'https://other.example' }],
    ['nbf', { nbf: undefined }],
    ['nbf', { nbf: seconds() + 120, exp: seconds() + 300 }],
    ['nbf', { nbf: seconds() - 3_600, exp: seconds() + 60 }],
    ['exp', { exp: undefined }],
    ['exp', { nbf: seconds() - 300, exp: seconds() - 60 }],
    ['exp', { exp: seconds() + 1_200 }],
    ['exp', { exp: '1' }],
    ['iat', { iat: seconds() + 120 }],
    ['iat', { iat: 'now' }],
    ['message', { message: undefined }],
    ['message', { message: 'text' }],
  ])('with a claim %s like %j is refused', async (claim, change) => {
    const consent = await paymentConsent(world, schedules().single)
    const body = await sign(world.one.signing, { ...payer.claims(paymentOf(consent)), ...change })
    const answer = await payer.sendSigned('/payments', await payer.token(consent), body, randomUUID())
    expect(await refusal(world, answer)).toEqual([400, 'JWS.InvalidClaim', claim])
  })

  test.each([
    ['a jti', { jti: randomUUID() }],
    ['no iat', { iat: undefined }],
    ['no audience', { aud: undefined }],
    ['one audience', (origin: string) => ({ aud: origin })],
  ] as const)('with %s is taken', async (_name, change) => {
    const consent = await paymentConsent(world, schedules().single)
    const changed = typeof change === 'function' ? change(world.tenant.listeners.auth.origin) : change
    const body = await sign(world.one.signing, { ...payer.claims(paymentOf(consent)), ...changed })
    const answer = await payer.sendSigned('/payments', await payer.token(consent), body, randomUUID())
    expect(answer.status).toBe(201)
  })

  test('is refused with a signature, key, header or form that is not as agreed', async () => {
    const consent = await paymentConsent(world, schedules().single)
    const good = await sign(world.one.signing, payer.claims(paymentOf(consent)))
    const [header = '', payload = '', signature = ''] = good.split('.')
    const foreign = { ...newSigningKey('x'), kid: world.one.signing.kid }
    const CASES: readonly (readonly [string, string])[] = [
      ['not a jws', 'JWS.Malformed'],
      [`${header}.${payload}`, 'JWS.Malformed'],
      [`${header}.${payload}.${signature.slice(0, -4)}AAAA`, 'JWS.InvalidSignature'],
      [await sign(foreign, payer.claims(paymentOf(consent))), 'JWS.InvalidSignature'],
      [await sign(newSigningKey('unknown'), payer.claims(paymentOf(consent))), 'JWS.InvalidSignature'],
      [
        `${Buffer.from(`{"alg":"none","kid":"${world.one.signing.kid}"}`).toString('base64url')}.${payload}.${signature}`,
        'JWS.InvalidHeader',
      ],
    ]
    for (const [body, code] of CASES) {
      const answer = await payer.sendSigned('/payments', await payer.token(consent), body, randomUUID())
      expect([body.slice(0, 20), ...(await refusal(world, answer))]).toEqual([body.slice(0, 20), 400, code])
    }
    expect(bank.orders()).toBe(0)
  })

  test('has to be signed, and answers are', async () => {
    const consent = await paymentConsent(world, schedules().single)
    const plain = await payer.pay(consent, paymentOf(consent), { headers: { 'content-type': 'application/json' } })
    expect([plain.status, plain.text]).toEqual([415, ''])
    const json = await payer.pay(consent, paymentOf(consent), { headers: { accept: 'application/json' } })
    expect([json.status, json.text]).toEqual([406, ''])
    const none = await payer.sendSigned('/payments', await payer.token(consent), '', 'k')
    expect(await refusal(world, none)).toEqual([400, 'Body.InvalidFormat', '$'])
  })

  test.each([
    ['absent', undefined],
    ['empty', ''],
    ['too long', 'x'.repeat(41)],
    ['with a blank', 'a b'],
    ['given twice', ['a', 'b']],
  ] as const)('with a key that is %s is refused', async (_name, key) => {
    const consent = await paymentConsent(world, schedules().single)
    const body = await sign(world.one.signing, payer.claims(paymentOf(consent)))
    const headers: Record<string, string | readonly string[]> = {
      authorization: `Bearer ${await payer.token(consent)}`,
      'content-type': 'application/jwt',
      ...(key === undefined ? {} : { 'x-idempotency-key': key }),
    }
    const answer = await world.call({ method: 'POST', path: `${PAY_BASE}/payments`, body, headers })
    expect(await refusal(world, answer)).toEqual([400, 'Resource.InvalidFormat', 'x-idempotency-key'])
  })
})

const idOf = (answer: { readonly headers: Readonly<Record<string, unknown>> }) =>
  answer.headers['x-fapi-interaction-id']
/** The interaction from which this one follows, as its entry in the log has it. */
async function parentOf(answer: Parameters<typeof idOf>[0]): Promise<unknown> {
  const calls = (await world.entries(idOf(answer))).filter(({ kind }) => kind === 'tpp-call')
  expect(calls).toHaveLength(1)
  return calls[0]?.['parentInteractionId']
}

describe('a repeated key', () => {
  test('gets the first answer, whatever the body says now, and the bank hears nothing', async () => {
    const consent = await paymentConsent(world, schedules().single)
    const first = await payer.pay(consent, paymentOf(consent), { key: 'again' })
    const again = await payer.pay(consent, paymentOf(consent), { key: 'again' })
    const changed = await payer.pay(consent, paymentOf(consent, aed('1.00')), { key: 'again' })
    expect([first.status, again.status, changed.status]).toEqual([201, 201, 201])
    const messages = await Promise.all([first, again, changed].map((answer) => messageOf(world, answer)))
    expect(messages[1]).toEqual(messages[0])
    expect(messages[2]).toEqual(messages[0])
    expect([again.headers['location'], again.headers['x-idempotency-key']]).toEqual([
      first.headers['location'],
      'again',
    ])
    expect([bank.orders(), bank.ledger.length]).toEqual([1, 1])
    expect(await Promise.all([first, again, changed].map(parentOf))).toEqual([null, idOf(first), idOf(first)])
  })

  test('of another consent is a conflict', async () => {
    const [one, other] = [
      await paymentConsent(world, schedules().single),
      await paymentConsent(world, schedules().single),
    ]
    expect((await payer.pay(one, paymentOf(one), { key: 'shared' })).status).toBe(201)
    const answer = await payer.pay(other, paymentOf(other), { key: 'shared' })
    expect(await refusal(world, answer)).toEqual([409, 'GenericError', 'x-idempotency-key'])
  })

  test('is its own in each operation', async () => {
    const [one, file] = [await paymentConsent(world, schedules().single), await paymentConsent(world, schedules().file)]
    expect((await payer.pay(one, paymentOf(one), { key: 'both' })).status).toBe(201)
    expect((await payer.pay(file, filePaymentOf(file), { key: 'both', path: '/file-payments' })).status).toBe(201)
  })

  test('gets a refusal of the bank again', async () => {
    world.lfi.answer = json(400, {
      errorCode: 'Consent.BusinessRuleViolation',
      errorMessage: 'A lien is on the account',
    })
    const consent = await paymentConsent(world, schedules().single)
    const answers = [
      await payer.pay(consent, paymentOf(consent), { key: 'refused' }),
      await payer.pay(consent, paymentOf(consent), { key: 'refused' }),
    ]
    for (const answer of answers) {
      const message = await messageOf(world, answer)
      expect([answer.status, message]).toEqual([
        400,
        { Errors: [{ Code: 'Consent.BusinessRuleViolation', Message: 'A lien is on the account' }] },
      ])
    }
    expect(world.lfi.asked).toHaveLength(1)
    // And the consent is free for another try.
    world.lfi.answer = bank.answer
    expect((await payer.pay(consent)).status).toBe(201)
  })

  test('waits for the first, and is told to come back when that takes too long', async () => {
    const consent = await paymentConsent(world, schedules().variableOnDemand)
    let release = () => {}
    world.lfi.answer = async (asked, response) => {
      const order = await bank.orderIn(asked)
      await new Promise<void>((go) => {
        release = go
        setTimeout(go, 300)
      })
      bank.send(response, 201, bank.recordOf(bank.execute(order)))
    }
    const message = paymentOf(consent, aed('10.00'))
    const answers = await Promise.all(Array.from({ length: 5 }, () => payer.pay(consent, message, { key: 'at-once' })))
    release()
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201])
    expect(bank.orders()).toBe(1)
  })
})

describe('a bank that does not answer', () => {
  test('leaves a payment that waits, holds its place, is found, and is asked about with the same key', async () => {
    const consent = await paymentConsent(world, schedules().single)
    const late: (() => void)[] = []
    world.lfi.answer = async (asked) => {
      // It pays, and its answer is lost.
      bank.execute(await bank.orderIn(asked))
      late.push(() => {})
    }
    const first = await payer.pay(consent, paymentOf(consent), { key: 'lost' })
    expect(await refusal(world, first)).toEqual([500, 'GenericRecoverableError'])
    expect(late).toHaveLength(1)

    const found = await messageOf(world, await payer.get('/payments', { 'x-idempotency-key': 'lost' }))
    const self = (found as { Links: { Self: string } }).Links.Self
    const shown = await payer.get(self.slice(self.indexOf('/payments/')))
    const message = await messageOf(world, shown)
    expect(message).toMatchObject({ Data: { Status: 'Pending', ConsentId: consent.id } })
    expect(world.registry.response('bank-initiation', 'RetrievePayment', 200)?.(message)).toEqual([])
    expect(await refusal(world, await payer.pay(consent))).toEqual([400, 'Consent.FailsControlParameters'])

    world.lfi.answer = bank.answer
    const again = await payer.pay(consent, paymentOf(consent, aed('1.00')), { key: 'lost' })
    expect(again.status).toBe(201)
    const { Data } = (await messageOf(world, again)) as { Data: { PaymentId: string; Instruction: object } }
    expect(Data.Instruction).toEqual({ Amount: aed('100.00') })
    expect([bank.ledger.length, bank.orders()]).toEqual([1, 2])
    expect(Data.PaymentId).toBe(bank.ledger[0]?.id)
    expect(await statusOf(consent.id)).toBe('Consumed')
    // What the bank is asked again is recorded under this request, and this one follows from the first.
    expect([await parentOf(first), await parentOf(again)]).toEqual([null, idOf(first)])
    expect((await world.entries(idOf(again))).filter(({ kind }) => kind === 'lfi-call')).toMatchObject([
      { operationId: 'makePayment', status: 201, parentInteractionId: null },
    ])
  })

  test.each([
    [
      'breaks off',
      (_asked: unknown, response: { destroy(): void }) => response.destroy(),
      500,
      'GenericRecoverableError',
    ],
    ['answers 503', json(503, {}), 500, 'GenericRecoverableError'],
    ['answers 500', json(500, { errorCode: 'GenericError', errorMessage: 'stack' }), 500, 'GenericError'],
    ['answers 401', json(401, {}), 500, 'GenericError'],
    [
      'is at it already',
      json(409, { errorCode: 'Payment.DuplicateInFlight', errorMessage: 'wait' }),
      409,
      'Payment.DuplicateInFlight',
    ],
    ['answers no JSON', json(201, '<html>'), 500, 'GenericError'],
    ['answers without an id', json(201, { data: { status: 'Pending' } }), 500, 'GenericError'],
  ] as const)('that %s leaves it open for the same key', async (_name, how, status, code) => {
    world.lfi.answer = how as typeof bank.answer
    const consent = await paymentConsent(world, schedules().single)
    const key = randomUUID()
    expect(await refusal(world, await payer.pay(consent, paymentOf(consent), { key }))).toEqual([status, code])
    expect(world.lfi.asked).toHaveLength(1)
    expect(await refusal(world, await payer.pay(consent))).toEqual([400, 'Consent.FailsControlParameters'])
    world.lfi.answer = bank.answer
    expect((await payer.pay(consent, paymentOf(consent), { key })).status).toBe(201)
  })

  test('and is too busy says when to come back', async () => {
    world.lfi.answer = json(429, {}, { 'retry-after': '17' })
    const consent = await paymentConsent(world, schedules().single)
    const answer = await payer.pay(consent)
    expect([answer.status, answer.text, answer.headers['retry-after']]).toEqual([429, '', '17'])
  })

  test.each([
    ['another consent', { consentId: randomUUID() }],
    ['another amount', { instruction: { Amount: { amount: '1.00', currency: 'AED' } } }],
    ['another purpose', { paymentPurposeCode: 'SAL' }],
    ['an id that is too long', { id: 'x'.repeat(41) }],
  ])('but confirms %s is not believed', async (_name, change) => {
    world.lfi.answer = async (asked, response) => {
      bank.send(response, 201, bank.recordOf(bank.execute(await bank.orderIn(asked)), change))
    }
    const consent = await paymentConsent(world, schedules().single)
    const answer = await payer.pay(consent)
    expect(await refusal(world, answer)).toEqual([500, 'GenericError'])
    expect(await world.entries(answer.headers['x-fapi-interaction-id'])).toContainEqual(
      expect.objectContaining({ kind: 'lfi-call', outcome: 'invalid-response' }),
    )
  })

  test('a TPP that goes away does not end its payment', async () => {
    const consent = await paymentConsent(world, schedules().single)
    const leaving = new AbortController()
    world.lfi.answer = async (asked, response) => {
      const order = await bank.orderIn(asked)
      leaving.abort()
      setTimeout(() => bank.send(response, 201, bank.recordOf(bank.execute(order))), 200)
    }
    await expect(payer.pay(consent, paymentOf(consent), { key: 'gone', signal: leaving.signal })).rejects.toThrow()
    await expect.poll(() => statusOf(consent.id)).toBe('Consumed')
    expect((await payer.pay(consent, paymentOf(consent), { key: 'gone' })).status).toBe(201)
    expect(bank.orders()).toBe(1)
  })
})

describe('a payment that is asked about', () => {
  test('shows and keeps what the bank says now', async () => {
    world.lfi.answer = async (asked, response) => {
      bank.send(response, 201, bank.recordOf(bank.execute(await bank.orderIn(asked), 'Pending')))
    }
    const consent = await paymentConsent(world, schedules().single)
    await payer.pay(consent)
    const [payment] = bank.ledger
    if (payment === undefined) throw new Error('nothing was paid')
    payment.status = 'AcceptedSettlementCompleted'
    world.lfi.answer = bank.answer
    const { Data } = (await messageOf(world, await payer.get(`/payments/${payment.id}`))) as { Data: object }
    expect(Data).toMatchObject({ Status: 'AcceptedSettlementCompleted' })
    expect(await world.resources.findPayment(payment.id)).toMatchObject({ status: 'AcceptedSettlementCompleted' })
    expect(await statusOf(consent.id)).toBe('Consumed')
  })

  test('keeps its last word where the bank falls behind it', async () => {
    const consent = await paymentConsent(world, schedules().single)
    await payer.pay(consent)
    const [payment] = bank.ledger
    if (payment === undefined) throw new Error('nothing was paid')
    payment.status = 'Pending'
    const { Data } = (await messageOf(world, await payer.get(`/payments/${payment.id}`))) as { Data: object }
    expect(Data).toMatchObject({ Status: 'AcceptedSettlementCompleted' })
  })

  test("of another client, of another kind, or of nobody, is not there; nor is a key of nobody's", async () => {
    const consent = await paymentConsent(world, schedules().single)
    await payer.pay(consent, paymentOf(consent), { key: 'mine' })
    const id = bank.ledger[0]?.id
    const others = await world.clientToken(world.two, { scope: 'openid payments' })
    const asTwo = { certificate: world.two.certificate, headers: { authorization: `Bearer ${others}` } }
    const answers = [
      await world.call({ path: `${PAY_BASE}/payments/${id}`, ...asTwo }),
      await payer.get(`/file-payments/${id}`),
      await payer.get('/payments/nobody'),
      await payer.get('/payments/unanswered-999999'),
    ]
    for (const answer of answers) expect([answer.status, answer.text]).toEqual([404, ''])
    expect(await refusal(world, await payer.get('/payments', { 'x-idempotency-key': 'nobody' }))).toEqual([
      400,
      'Resource.InvalidFormat',
      'x-idempotency-key',
    ])
  })
})

describe('a file payment', () => {
  const upload = async (consent: { readonly id: string }, body: Buffer) =>
    world.call({
      method: 'POST',
      path: `${PAY_BASE}/payment-consents/${consent.id}/file`,
      body,
      headers: {
        authorization: `Bearer ${await payer.clientToken()}`,
        'content-type': 'text/csv',
        'x-idempotency-key': randomUUID(),
      },
    })

  test('takes its file, is made once, and has a report', async () => {
    const consent = await paymentConsent(world, schedules().file)
    const uploaded = await upload(consent, FILE)
    expect([uploaded.status, uploaded.text]).toEqual([200, ''])
    expect([...bank.files.values()]).toEqual([FILE])
    expect(world.lfi.asked[0]?.headers['content-type']).toBe('text/csv')
    const answer = await payer.pay(consent, filePaymentOf(consent), { path: '/file-payments' })
    const message = await messageOf(world, answer)
    expect([answer.status, message]).toMatchObject([201, { Data: { Status: 'Received', ConsentId: consent.id } }])
    expect(world.registry.response('bank-initiation', 'CreateFilePayment', 201)?.(message)).toEqual([])
    const id = bank.ledger[0]?.id
    const shown = await messageOf(world, await payer.get(`/file-payments/${id}`))
    expect(shown).toEqual(message)
    const report = await payer.get(`/file-payments/${id}/report`)
    expect([report.status, report.headers['content-type'], report.text]).toEqual([200, 'text/csv', 'id,status\n1,ok\n'])
    expect(await statusOf(consent.id)).toBe('Consumed')
  })

  test('of another file is refused, at the door and at the order', async () => {
    const consent = await paymentConsent(world, schedules().file)
    expect(await refusal(world, await upload(consent, Buffer.from('another')))).toEqual([
      400,
      'Consent.FailsControlParameters',
      'FileHash',
    ])
    expect(await refusal(world, await upload(consent, Buffer.alloc(0)))).toEqual([400, 'Body.InvalidFormat', '$'])
    for (const change of [
      { FileHash: 'x' },
      { ControlSum: '25.51' },
      { NumberOfTransactions: 3 },
      { FileReference: 'x' },
    ]) {
      const order = filePaymentOf(consent, { ...(filePaymentOf(consent).Data.Instruction as object), ...change })
      const answer = await payer.pay(consent, order, { path: '/file-payments' })
      expect(await refusal(world, answer)).toEqual([400, 'Consent.FailsControlParameters'])
    }
    expect(world.lfi.asked).toEqual([])
  })

  test('and a payment of money do not go under the same consent', async () => {
    const [file, single] = [
      await paymentConsent(world, schedules().file),
      await paymentConsent(world, schedules().single),
    ]
    expect(await refusal(world, await payer.pay(file))).toEqual([400, 'Consent.FailsControlParameters'])
    const order = filePaymentOf(single)
    expect(await refusal(world, await payer.pay(single, order, { path: '/file-payments' }))).toEqual([
      400,
      'Consent.FailsControlParameters',
    ])
    expect(await refusal(world, await upload(single, FILE))).toEqual([400, 'Consent.FailsControlParameters'])
  })
})

describe('the refund account', () => {
  const REFUND = {
    data: { refundAccount: { schemeName: 'IBAN', identification: 'AE070331234567890123456', name: { en: 'Layla' } } },
    meta: {},
  }

  test('is shown with the payments it would return', async () => {
    const consent = await paymentConsent(world, schedules().single)
    await payer.pay(consent)
    world.lfi.answer = json(200, REFUND)
    const message = await messageOf(world, await payer.get(`/payment-consents/${consent.id}/refund`))
    const base = `${world.tenant.listeners.rs.origin}${PAY_BASE}`
    expect(message).toEqual({
      Data: {
        ConsentId: consent.id,
        RefundAccount: { SchemeName: 'IBAN', Identification: 'AE070331234567890123456', Name: { en: 'Layla' } },
      },
      Links: {
        Self: `${base}/payment-consents/${consent.id}/refund`,
        Related: [`${base}/payments/${bank.ledger[0]?.id}`],
      },
    })
    expect(world.registry.response('bank-initiation', 'RetrievePaymentConsentRefund', 200)?.(message)).toEqual([])
  })

  test('needs the permission, an authorized consent, and its own client', async () => {
    world.lfi.answer = json(200, REFUND)
    const without = await paymentConsent(world, schedules().single, { permissions: [] })
    expect(await refusal(world, await payer.get(`/payment-consents/${without.id}/refund`))).toEqual([
      403,
      'AccessToken.InvalidScope',
    ])
    const awaiting = await paymentConsent(world, schedules().single, { authorized: false })
    expect(await refusal(world, await payer.get(`/payment-consents/${awaiting.id}/refund`))).toEqual([
      400,
      'Consent.Invalid',
    ])
    const foreign = await paymentConsent(world, schedules().single, { tpp: world.two })
    expect((await payer.get(`/payment-consents/${foreign.id}/refund`)).status).toBe(404)
    expect(world.lfi.asked).toEqual([])
  })

  test('of an LFI that breaks the contract is not shown', async () => {
    const consent = await paymentConsent(world, schedules().single)
    for (const body of [
      {},
      { data: { refundAccount: { schemeName: 'IBAN' } } },
      { data: { ...REFUND.data, consentId: randomUUID() } },
    ]) {
      world.lfi.answer = json(200, body)
      const answer = await payer.get(`/payment-consents/${consent.id}/refund`)
      expect(await refusal(world, answer)).toEqual([500, 'GenericError'])
    }
  })
})

describe('limits', () => {
  test.each([
    ['variableOnDemand', ['50.00', '50.00', '20.00'], '0.01'],
    ['fixedOnDemand', ['30.00', '30.00'], '30.00'],
    ['variablePeriodic', ['50.00'], '1.00'],
    ['fixedPeriodic', ['30.00'], '30.00'],
  ] as const)('of %s are those of the period', async (name, amounts, oneMore) => {
    const consent = await paymentConsent(world, schedules()[name])
    for (const amount of amounts) expect((await payer.pay(consent, paymentOf(consent, aed(amount)))).status).toBe(201)
    const answer = await payer.pay(consent, paymentOf(consent, aed(oneMore)))
    expect(await refusal(world, answer)).toEqual([400, 'Consent.FailsControlParameters'])
    expect(bank.ledger).toHaveLength(amounts.length)
  })

  test.each(['variableDefined', 'fixedDefined'] as const)('of %s are those of the date', async (name) => {
    const consent = await paymentConsent(world, schedules()[name])
    expect((await payer.pay(consent, paymentOf(consent, aed('30.00')))).status).toBe(201)
    expect(await statusOf(consent.id)).toBe('Consumed')
    const another = await paymentConsent(world, schedules('2099-01-01')[name])
    const answer = await payer.pay(another, paymentOf(another, aed('30.00')))
    expect(await refusal(world, answer)).toEqual([400, 'Consent.FailsControlParameters'])
  })

  test('there are none where authentication is delegated', async () => {
    const consent = await paymentConsent(world, schedules().delegated)
    for (const amount of ['1.00', '99999.99']) {
      expect((await payer.pay(consent, paymentOf(consent, aed(amount), { PaymentPurposeCode: 'SAL' }))).status).toBe(
        201,
      )
    }
    expect(await statusOf(consent.id)).toBe('Authorized')
  })
})
