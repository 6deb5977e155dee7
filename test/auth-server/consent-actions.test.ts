/** What the LFI has to say about a consent before it is stored (lfi-api 5.2, 5.3), at the real /par. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAuditReader } from '../../src/audit/index.ts'
import type { Milliseconds } from '../../src/clock.ts'
import type { ConsentActionsConfig, ConsentTypeName } from '../../src/config.ts'
import type { CorrelationId } from '../../src/ids.ts'
import { loadSchemas } from '../../src/schema-registry.ts'
import { createAuthority } from '../gateway/support/pki.ts'
import { type Answering, json, type Receiver, silence, startReceiver, status } from '../notices/support/receiver.ts'
import { type Flow, flowOf } from '../profiles/support/flow.ts'
import { createProfileWorld, type ProfileWorld } from '../profiles/support/world.ts'
import { JWE, SINGLE } from './support/payment-cases.ts'

const registry = loadSchemas()
const BOOT_MS = 180_000
let lfi: Receiver
let world: ProfileWorld
let flow: Flow
/** The configuration is read at each call, so that a test may change it. */
const actions: { -readonly [K in keyof ConsentActionsConfig]: ConsentActionsConfig[K] } = {
  validate: [],
  validateFailure: 'refuse',
  augment: [],
  events: [],
  validateTimeoutMs: 300 as Milliseconds,
  augmentTimeoutMs: 300 as Milliseconds,
  eventTimeoutMs: 300 as Milliseconds,
}

beforeAll(async () => {
  const bank = await createAuthority('Test Bank')
  lfi = await startReceiver(await bank.issue({ O: 'Bank', dns: 'localhost' }))
  world = await createProfileWorld(['uae'], {
    entry: (each) => ({ ...each, roles: ['BDSP', 'BSIP'] }),
    tenant: (tenant) => ({
      ...tenant,
      lfi: { ...tenant.lfi, ozoneConnectUrl: `${lfi.origin}/oc`, ca: bank.certificate, consentActions: actions },
    }),
  })
  flow = flowOf(world)
}, BOOT_MS)
afterAll(async () => {
  await lfi.close()
  await world.close()
}, BOOT_MS)
const valid = json(200, { data: { status: 'valid' }, meta: {} })
const REST_MS = 200

/** An LFI that has mostly failed is left alone for a while (src/lfi/breaker.ts). */
async function rested(): Promise<void> {
  lfi.answer = valid
  Object.assign(actions, { validate: ['account-access'], validateFailure: 'refuse', augment: [] })
  while ((await push()).answer.status !== 201) await sleep(REST_MS)
}
beforeEach(async () => {
  await rested()
  lfi.received.length = 0
  Object.assign(actions, { validate: [], validateFailure: 'refuse', augment: [] })
})

const asks = (what: { validate?: ConsentTypeName[]; augment?: ConsentTypeName[]; validateFailure?: 'accept' }) =>
  Object.assign(actions, what)

const DAY_MS = 86_400_000
const PAYMENT = (consentId: string) => ({
  scope: 'openid payments',
  authorization_details: [
    {
      type: 'urn:openfinanceuae:service-initiation-consent:v2.1',
      consent: {
        ConsentId: consentId,
        ExpirationDateTime: new Date(Date.now() + DAY_MS).toISOString(),
        PaymentPurposeCode: 'ACM',
        PersonalIdentifiableInformation: JWE,
        ControlParameters: { ConsentSchedule: SINGLE },
      },
    },
  ],
})

async function push(of: 'accounts' | 'a payment' = 'accounts') {
  const id = randomUUID()
  const asked = of === 'accounts' ? flow.request() : { ...flow.request(PAYMENT(id)), consentId: id }
  const { params, consentId } = asked
  const { answer } = await flow.push(world.parties.uae, params, { certificate: world.parties.uae.certificate })
  return { answer, consentId, body: answer.json() as Readonly<Record<string, unknown>> }
}
async function consent(consentId: string): Promise<Readonly<Record<string, unknown>> | null> {
  const answer = await world.call('cm', { path: `/consents/${consentId}`, certificate: world.bank })
  return answer.status === 200 ? (answer.json() as { data: Readonly<Record<string, unknown>> }).data : null
}
/** Nothing of it is left: not the consent, nor its notices, nor the pushed request. */
async function expectNothingStored(consentId: string): Promise<void> {
  expect(await consent(consentId)).toBeNull()
  expect(await world.db('outbox').where({ consent_id: consentId })).toEqual([])
  const pushed = await world.db('oidc_model').where({ model: 'PushedAuthorizationRequest' }).select('payload')
  expect(JSON.stringify(pushed)).not.toContain(consentId)
}
/** Kinds in the order in which a request comes to them; in the log those of one instant may stand either way round. */
const KINDS = ['consent-changed', 'tpp-call', 'lfi-call', 'authorization-step']
/** Without the event of the lodging, which is delivered whenever the worker comes to it. */
const entries = async (headers: Readonly<Record<string, unknown>>) =>
  (
    await createAuditReader({ db: world.db }).findByInteraction(
      String(headers['x-fapi-interaction-id']) as CorrelationId,
    )
  )
    .flatMap(({ entry }) => (entry === null ? [] : [entry]))
    .filter((entry) => entry['operationId'] !== 'consentEvent')
    .sort((one, other) => KINDS.indexOf(String(one.kind)) - KINDS.indexOf(String(other.kind)))

test('an LFI that has asked for nothing is not asked', async () => {
  asks({ validate: ['insurance', 'service-initiation'], augment: ['service-initiation'] })
  const { answer, consentId } = await push()
  expect(answer.status).toBe(201)
  expect(await consent(consentId)).toMatchObject({ status: 'AwaitingAuthorization' })
  expect(lfi.received).toEqual([])
})

describe('validate', () => {
  test('gets the consent as it would be stored, and valid lets it through', async () => {
    asks({ validate: ['account-access'] })
    lfi.answer = valid
    const { answer, consentId, body } = await push()
    expect(answer.status).toBe(201)
    expect(lfi.received.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /oc/consent/action/validate'])
    const [received] = lfi.received
    const sent = JSON.parse(received?.body ?? '') as Readonly<Record<string, unknown>>
    expect(registry.requestBody('consent-events-actions', 'validateConsent')?.(sent)).toEqual([])
    expect(registry.parameters('consent-events-actions', 'validateConsent').header(received?.headers)).toEqual([])
    expect(received?.headers).toMatchObject({
      'o3-api-uri': '/par',
      'o3-api-operation': 'POST',
      'o3-consent-id': consentId,
    })
    expect(received?.headers['o3-psu-identifier']).toBeUndefined()
    expect(received?.headers['authorization']).toBeUndefined()
    const stored = await consent(consentId)
    expect(stored).toMatchObject({ parId: body['request_uri'] })
    const { updatedAt: _, ...told } = sent
    const { updatedAt: __, ...kept } = stored ?? {}
    const without = (record: Readonly<Record<string, unknown>>) => {
      const data = (record['consentBody'] as { Data: object }).Data
      return { ...record, consentBody: { Data: { ...data, CreationDateTime: null } } }
    }
    expect(without(told)).toEqual(without(kept))
    // Neither the client's credentials nor its cookies are passed on.
    expect(JSON.stringify(sent)).not.toContain('client_assertion')
    expect(await entries(answer.headers)).toMatchObject([
      { kind: 'consent-changed', change: 'lodged' },
      { kind: 'tpp-call', operationId: 'par', status: 201, lfiStatus: 200, lfiMs: expect.any(Number) },
      {
        kind: 'lfi-call',
        operationId: 'validateConsent',
        route: '/consent/action/validate',
        status: 200,
        outcome: 'answered',
      },
      { kind: 'authorization-step', step: 'par', outcome: 'done' },
    ])
  })

  const invalid = (data: object): Answering => json(200, { data: { status: 'invalid', ...data } })
  test.each([
    [
      'its words and its code',
      { code: 'InvalidDebtorAccount', description: 'Not ours' },
      'Not ours (InvalidDebtorAccount)',
    ],
    ['its words', { description: ' Not ours ' }, 'Not ours'],
    ['its code', { code: 'UNSUPPORTED_CONSENT' }, 'the LFI does not accept this consent (UNSUPPORTED_CONSENT)'],
    ['nothing', {}, 'the LFI does not accept this consent'],
    ['characters that OAuth does not allow', { description: 'say "no"\r\nX: y\u0000é' }, "say 'no'''X: y''"],
    ['more than there is room for', { description: 'x'.repeat(2_000) }, 'x'.repeat(500)],
  ])('invalid with %s: 400 invalid_request, and nothing is stored', async (_name, data, description) => {
    asks({ validate: ['account-access'] })
    lfi.answer = invalid(data)
    const { answer, consentId, body } = await push()
    expect([answer.status, body]).toEqual([400, { error: 'invalid_request', error_description: description }])
    expect(answer.headers['cache-control']).toContain('no-store')
    // What it has said is not asked for again.
    expect(lfi.received).toHaveLength(1)
    await expectNothingStored(consentId)
    expect(await entries(answer.headers)).toMatchObject([
      { kind: 'tpp-call', status: 400, errorCode: 'invalid_request', consentId, clientId: world.parties.uae.clientId },
      { kind: 'lfi-call', operationId: 'validateConsent', status: 200, outcome: 'answered', consentId },
      { kind: 'authorization-step', step: 'par', outcome: 'refused' },
    ])
  })

  test('after a refusal the same ConsentId may be pushed again', async () => {
    asks({ validate: ['account-access'] })
    lfi.answer = invalid({})
    const { params, consentId } = flow.request()
    const how = { certificate: world.parties.uae.certificate }
    expect((await flow.push(world.parties.uae, params, how)).answer.status).toBe(400)
    lfi.answer = valid
    expect((await flow.push(world.parties.uae, params, how)).answer.status).toBe(201)
    expect(await consent(consentId)).toMatchObject({ status: 'AwaitingAuthorization' })
  })

  /** Asked so often, and audited so, when it is none of valid and invalid. */
  const NO_ANSWER: readonly (readonly [string, Answering, number, string])[] = [
    ['400', json(400, { errorCode: 'x', errorMessage: 'secret words' }), 1, 'answered'],
    ['401', status(401), 1, 'answered'],
    ['302', status(302, { location: '/elsewhere' }), 1, 'answered'],
    ['204', status(204), 1, 'answered'],
    ['500', status(500), 2, 'answered'],
    ['503', json(503, {}), 2, 'answered'],
    ['silence', silence, 2, 'timeout'],
    ['no JSON', status(200, {}, '<html>'), 1, 'invalid-response'],
    ['no verdict', json(200, { data: {} }), 1, 'invalid-response'],
    ['another verdict', json(200, { data: { status: 'maybe' } }), 1, 'invalid-response'],
    ['a verdict of another type', json(200, { data: { status: true } }), 1, 'invalid-response'],
    ['a verdict at the wrong place', json(200, { status: 'valid' }), 1, 'invalid-response'],
    ['unknown meta', json(200, { data: { status: 'valid' }, meta: { more: 1 } }), 1, 'invalid-response'],
  ]
  test.each(NO_ANSWER)('%s: refused, and nothing is stored', async (_name, answering, times, outcome) => {
    asks({ validate: ['account-access'] })
    lfi.answer = answering
    const { answer, consentId, body } = await push()
    expect([answer.status, body]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'consent validation unavailable' },
    ])
    expect(lfi.received).toHaveLength(times)
    await expectNothingStored(consentId)
    const calls = (await entries(answer.headers)).filter(({ kind }) => kind === 'lfi-call')
    expect(calls.map((each) => each['outcome'])).toEqual(Array.from({ length: times }, () => outcome))
  })

  test.each(NO_ANSWER)('%s: accepted where the tenant says so', async (_name, answering) => {
    asks({ validate: ['account-access'], validateFailure: 'accept' })
    lfi.answer = answering
    const { answer, consentId } = await push()
    expect(answer.status).toBe(201)
    expect(await consent(consentId)).toMatchObject({ status: 'AwaitingAuthorization' })
  })

  test('a second attempt that is answered counts', async () => {
    asks({ validate: ['account-access'] })
    lfi.answer = (received, response) => (lfi.received.length === 1 ? status(503) : valid)(received, response)
    const { answer } = await push()
    expect(answer.status).toBe(201)
    expect(lfi.received).toHaveLength(2)
  })

  test('is called off, not repeated, and nothing is stored when the TPP hangs up', async () => {
    asks({ validate: ['account-access'] })
    actions.validateTimeoutMs = 20_000 as Milliseconds
    const calledOff = Promise.withResolvers<void>()
    const leaving = new AbortController()
    lfi.answer = (_received, response) => {
      response.once('close', () => calledOff.resolve())
      leaving.abort()
    }
    const { params, consentId } = flow.request()
    const how = { certificate: world.parties.uae.certificate, signal: leaving.signal }
    await expect(flow.push(world.parties.uae, params, how)).rejects.toThrow()
    await calledOff.promise
    const calls = async () => {
      const rows = (await world.db('audit_entry').select('bytes')) as { readonly bytes: Buffer }[]
      return rows
        .map(({ bytes }) => JSON.parse(bytes.toString()) as Readonly<Record<string, unknown>>)
        .filter((entry) => entry['kind'] === 'lfi-call' && entry['outcome'] === 'cancelled')
    }
    await expect.poll(calls).toMatchObject([{ operationId: 'validateConsent' }])
    await expectNothingStored(consentId)
    expect(lfi.received).toHaveLength(1)
    actions.validateTimeoutMs = 300 as Milliseconds
  })

  test('comes after all that the hub checks itself', async () => {
    asks({ validate: ['account-access'] })
    lfi.answer = valid
    const { params } = flow.request({ scope: 'openid payments' })
    const { answer } = await flow.push(world.parties.uae, params, { certificate: world.parties.uae.certificate })
    expect(answer.status).toBe(400)
    const unregistered = flow.request({ redirect_uri: 'https://elsewhere.example/' })
    const how = { certificate: world.parties.uae.certificate }
    expect((await flow.push(world.parties.uae, unregistered.params, how)).answer.status).toBe(400)
    expect(lfi.received).toEqual([])
  })

  test('holds no connection to the database while the LFI thinks', async () => {
    asks({ validate: ['account-access'] })
    actions.validateTimeoutMs = 2_000 as Milliseconds
    const thinking: (() => void)[] = []
    lfi.answer = (received, response) => void thinking.push(() => valid(received, response))
    // More than the pool has connections.
    const pushes = Promise.all(Array.from({ length: 4 }, () => push()))
    await lfi.until(4)
    const [{ count }] = (
      await world.db.raw(
        "select count(*)::integer as count from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
      )
    ).rows as [{ count: number }]
    expect(count).toBe(0)
    for (const go of thinking) go()
    expect((await pushes).map(({ answer }) => answer.status)).toEqual([201, 201, 201, 201])
    actions.validateTimeoutMs = 300 as Milliseconds
  })
})

describe('augment', () => {
  test('adds to the consent what its type has a place for', async () => {
    asks({ augment: ['account-access'] })
    lfi.answer = json(200, { OpenFinanceBilling: { IsLargeCorporate: true } })
    const { answer, consentId } = await push()
    expect(answer.status).toBe(201)
    expect(lfi.received.map(({ path }) => path)).toEqual(['/oc/consent/action/augment'])
    const sent = JSON.parse(lfi.received[0]?.body ?? '') as unknown
    expect(registry.requestBody('consent-events-actions', 'augmentAccountConsent')?.(sent)).toEqual([])
    expect(await consent(consentId)).toMatchObject({
      consentBody: {
        Data: { OpenFinanceBilling: { UserType: 'Retail', Purpose: 'BudgetingAnalysis', IsLargeCorporate: true } },
      },
    })
    expect(await entries(answer.headers)).toMatchObject([
      { kind: 'consent-changed', change: 'lodged' },
      { kind: 'tpp-call' },
      { kind: 'lfi-call', operationId: 'augmentAccountConsent', status: 200, outcome: 'answered' },
      { kind: 'authorization-step' },
    ])
  })

  test.each([
    ['nothing to add', json(200, {}), 'answered'],
    ['a refusal', json(400, {}), 'answered'],
    ['a fault', status(500), 'answered'],
    ['silence', silence, 'timeout'],
    ['no JSON', status(200, {}, 'x'), 'invalid-response'],
    [
      'what the contract does not know',
      json(200, { OpenFinanceBilling: { IsLargeCorporate: 'yes' } }),
      'invalid-response',
    ],
  ])('%s: the consent is what the TPP asked for', async (_name, answering, outcome) => {
    asks({ augment: ['account-access'] })
    lfi.answer = answering
    const { answer, consentId } = await push()
    expect(answer.status).toBe(201)
    expect(lfi.received).toHaveLength(1)
    expect(await consent(consentId)).toMatchObject({
      consentBody: { Data: { OpenFinanceBilling: { UserType: 'Retail', Purpose: 'BudgetingAnalysis' } } },
    })
    const calls = (await entries(answer.headers)).filter(({ kind }) => kind === 'lfi-call')
    expect(calls.map((each) => each['outcome'])).toEqual([outcome])
  })

  const CHARGES = [{ ChargeBearer: 'Shared', Type: 'Fees', Amount: { Amount: '1.50', Currency: 'AED' } }]
  const RATE = { UnitCurrency: 'USD', ExchangeRate: 3.6725, RateType: 'Agreed', ContractIdentification: 'c-1' }
  /** What LFI and TPP are shown of a payment consent. */
  const shown = async (consentId: string) => {
    const record = (await consent(consentId)) as { consentBody: { Data: Readonly<Record<string, unknown>> } }
    const { answer } = await flow.token(
      world.parties.uae,
      { grant_type: 'client_credentials', scope: 'payments' },
      { certificate: world.parties.uae.certificate },
    )
    const { access_token: token } = answer.json() as { access_token: string }
    const read = await world.call('rs', {
      path: `/open-finance/payment/v2.1/payment-consents/${consentId}`,
      certificate: world.parties.uae.certificate,
      headers: { authorization: `Bearer ${token}` },
    })
    expect(read.status, read.text).toBe(200)
    const { message } = decodeJwt<{ message: { Data: Readonly<Record<string, unknown>> } }>(read.text)
    expect(registry.response('payment-consents', 'RetrievePaymentConsent', 200)?.(message)).toEqual([])
    const told = message.Data
    return [record.consentBody.Data, told].map(({ Charges, ExchangeRate }) => [Charges, ExchangeRate])
  }

  test('gives a payment consent its charges and its rate of exchange, which LFI and TPP are shown', async () => {
    asks({ augment: ['service-initiation'] })
    const more = { ...CHARGES[0], Amount: { ...CHARGES[0]?.Amount, Description: 'for the LFI alone' } }
    lfi.answer = json(200, { Charges: [more], ExchangeRate: RATE })
    const { answer, consentId } = await push('a payment')
    expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('request_uri')])
    expect(lfi.received.map(({ path }) => path)).toEqual(['/oc/consent/action/augment'])
    expect(await shown(consentId)).toEqual([
      [CHARGES, RATE],
      [CHARGES, RATE],
    ])
  })

  test.each([
    ['no charges', { Charges: [] }],
    ['a charge of another kind', { Charges: [{ ...CHARGES[0], Type: 'Tip' }] }],
    ['an amount that is none', { Charges: [{ ...CHARGES[0], Amount: { Amount: '1', Currency: 'AED' } }] }],
    ['a rate without its kind', { ExchangeRate: { UnitCurrency: 'USD', ExchangeRate: 3.6725 } }],
    ['a contract that cannot be kept', { ExchangeRate: { ...RATE, ContractIdentification: 'c\u0000' } }],
  ])('%s: the payment consent is what the TPP asked for', async (_name, said) => {
    asks({ augment: ['service-initiation'] })
    lfi.answer = json(200, said)
    const { answer, consentId } = await push('a payment')
    expect(answer.status).toBe(201)
    expect(await shown(consentId)).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ])
  })

  test('leaves a consent of accounts without charges', async () => {
    asks({ augment: ['account-access'] })
    lfi.answer = json(200, { Charges: CHARGES, ExchangeRate: RATE })
    const { answer, consentId } = await push()
    expect(answer.status).toBe(201)
    const stored = await consent(consentId)
    expect(JSON.stringify(stored)).not.toMatch(/Charges|ExchangeRate/)
  })

  test('comes after validate, and not at all when that says no', async () => {
    asks({ validate: ['account-access'], augment: ['account-access'] })
    lfi.answer = (received, response) =>
      (received.path.endsWith('validate') ? valid : json(200, {}))(received, response)
    expect((await push()).answer.status).toBe(201)
    expect(lfi.received.map(({ path }) => path.split('/').at(-1))).toEqual(['validate', 'augment'])
    lfi.received.length = 0
    lfi.answer = json(200, { data: { status: 'invalid' } })
    expect((await push()).answer.status).toBe(400)
    expect(lfi.received.map(({ path }) => path.split('/').at(-1))).toEqual(['validate'])
  })

  test('what it adds stays when the TPP pushes the same request again', async () => {
    asks({ augment: ['account-access'] })
    lfi.answer = json(200, { OpenFinanceBilling: { IsLargeCorporate: true } })
    const { params, consentId } = flow.request()
    const how = { certificate: world.parties.uae.certificate }
    expect((await flow.push(world.parties.uae, params, how)).answer.status).toBe(201)
    lfi.answer = json(200, {})
    expect((await flow.push(world.parties.uae, params, how)).answer.status).toBe(201)
    expect(await consent(consentId)).toMatchObject({
      consentBody: { Data: { OpenFinanceBilling: { IsLargeCorporate: true } } },
    })
  })
})

test('a caller that sends an interaction id is heard of by the LFI under it', async () => {
  asks({ validate: ['account-access'] })
  lfi.answer = valid
  const { params } = flow.request()
  const by = world.parties.uae
  const interactionId = randomUUID()
  const answer = await world.call('as', {
    method: 'POST',
    path: '/par',
    certificate: by.certificate,
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-fapi-interaction-id': interactionId },
    body: new URLSearchParams({ ...flow.credentials(by), request: flow.objectOf(by, params) }).toString(),
  })
  expect(answer.status).toBe(201)
  expect(lfi.received[0]?.headers).toMatchObject({
    'o3-caller-interaction-id': interactionId,
    'o3-ozone-interaction-id': interactionId,
  })
  await push()
  expect(lfi.received[1]?.headers['o3-caller-interaction-id']).toBeUndefined()
  expect(lfi.received[1]?.headers['o3-ozone-interaction-id']).toMatch(/^[0-9a-f-]{36}$/)
})
