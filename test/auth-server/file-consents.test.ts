/** The consent of a file of payments is posted to the LFI before the push is answered (lfi-api 3.9.3), at the real /par. */
import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAuditReader } from '../../src/audit/index.ts'
import type { Milliseconds } from '../../src/clock.ts'
import type { CorrelationId } from '../../src/ids.ts'
import { loadSchemas } from '../../src/schema-registry.ts'
import { createAuthority } from '../gateway/support/pki.ts'
import { json, type Receiver, silence, startReceiver, status } from '../notices/support/receiver.ts'
import { type Flow, flowOf } from '../profiles/support/flow.ts'
import { createProfileWorld, type ProfileWorld } from '../profiles/support/world.ts'
import { JWE, SINGLE } from './support/payment-cases.ts'

const registry = loadSchemas()
const BOOT_MS = 180_000
/** The configuration is read at each call, so that a test may change it. */
const configured: { announceFileConsents?: boolean; validate: 'service-initiation'[] } = { validate: [] }
let lfi: Receiver
let world: ProfileWorld
let collector: Server
const traced: string[] = []
let flow: Flow

beforeAll(async () => {
  const bank = await createAuthority('Test Bank')
  lfi = await startReceiver(await bank.issue({ O: 'Bank', dns: 'localhost' }))
  collector = createServer(async (request, response) => {
    traced.push(await text(request))
    response.end('{}')
  })
  await new Promise<void>((ready) => collector.listen(0, '127.0.0.1', ready))
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`
  world = await createProfileWorld(['uae'], {
    tracing: { endpoint, ca: null, authorization: null, ratio: 1, queueMax: 1_000, timeoutMs: 5_000 as Milliseconds },
    entry: (each) => ({ ...each, roles: ['BDSP', 'BSIP'] }),
    tenant: (tenant) => ({
      ...tenant,
      lfi: {
        ...tenant.lfi,
        ozoneConnectUrl: `${lfi.origin}/oc`,
        ca: bank.certificate,
        operationTimeoutsMs: { createBulkBatchPaymentConsent: 300 as Milliseconds },
        get announceFileConsents() {
          return configured.announceFileConsents ?? true
        },
        consentActions: {
          get validate() {
            return configured.validate
          },
          validateFailure: 'refuse',
          augment: [],
          events: [],
          validateTimeoutMs: 300 as Milliseconds,
          augmentTimeoutMs: 300 as Milliseconds,
          eventTimeoutMs: 300 as Milliseconds,
        },
      },
    }),
  })
  flow = flowOf(world)
}, BOOT_MS)
afterAll(async () => {
  await lfi.close()
  await world.close()
  await new Promise((closed) => collector.close(closed))
}, BOOT_MS)
beforeEach(() => {
  lfi.received.length = 0
  lfi.answer = status(201)
  configured.validate = []
  delete configured.announceFileConsents
})

const FILE = {
  FileType: 'csv',
  FileHash: 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=',
  FileReference: 'salaries',
  NumberOfTransactions: 3,
  ControlSum: '1000.00',
}
async function push(ConsentSchedule: object = { FilePayment: FILE }, how: { readonly signal?: AbortSignal } = {}) {
  const consentId = randomUUID()
  const { params } = flow.request({
    scope: 'openid payments',
    authorization_details: [
      {
        type: 'urn:openfinanceuae:service-initiation-consent:v2.1',
        consent: {
          ConsentId: consentId,
          ExpirationDateTime: new Date(Date.now() + 86_400_000).toISOString(),
          PaymentPurposeCode: 'ACM',
          PersonalIdentifiableInformation: JWE,
          ControlParameters: { ConsentSchedule },
        },
      },
    ],
  })
  const sending = { certificate: world.parties.uae.certificate, ...how }
  const { answer } = await flow.push(world.parties.uae, params, sending)
  return { answer, consentId, body: answer.json() as Readonly<Record<string, unknown>> }
}
const statusOf = async (consentId: string) =>
  (await world.call('cm', { path: `/consents/${consentId}`, certificate: world.bank })).status
const callsOf = async (headers: Readonly<Record<string, unknown>>) => {
  const id = String(headers['x-fapi-interaction-id']) as CorrelationId
  const found = await createAuditReader({ db: world.db }).findByInteraction(id)
  return found.flatMap(({ entry }) => (entry?.kind === 'lfi-call' ? [entry] : []))
}
const asked = () => lfi.received.map(({ method, path }) => `${method} ${path}`)

test('the LFI has it, in the form of the contract, before the TPP has its answer', async () => {
  const { answer, consentId, body } = await push()
  expect([answer.status, body['request_uri']]).toEqual([201, expect.stringContaining('urn:')])
  expect(asked()).toEqual(['POST /oc/payment-consents'])
  const [received] = lfi.received
  const sent = JSON.parse(received?.body ?? '') as unknown
  expect(sent).toEqual({ consentId, request: FILE })
  expect(registry.requestBody('service-initiation', 'createBulkBatchPaymentConsent')?.(sent)).toEqual([])
  expect(received?.headers).toMatchObject({
    'content-type': 'application/json',
    'o3-consent-id': consentId,
    'o3-api-uri': '/par',
    'o3-api-operation': 'POST',
    'o3-caller-client-id': world.parties.uae.clientId,
  })
  // There is nobody yet who could have agreed.
  expect(received?.headers['o3-psu-identifier']).toBeUndefined()
  expect(await statusOf(consentId)).toBe(200)
  expect(await callsOf(answer.headers)).toMatchObject([
    { operationId: 'createBulkBatchPaymentConsent', route: '/payment-consents', status: 201, outcome: 'answered' },
  ])
})

test('a trace of the push has the call to the LFI in it, under the id that the LFI was told', async () => {
  traced.length = 0
  const { answer, consentId } = await push()
  const interaction = String(answer.headers['x-fapi-interaction-id'])
  const told = String(lfi.received[0]?.headers['traceparent']).split('-')
  expect(told[3]).toBe('01')
  const spans = () => {
    type Body = { resourceSpans: { scopeSpans: { spans: { name: string; traceId: string; spanId: string }[] }[] }[] }
    return traced
      .flatMap((body) => (JSON.parse(body) as Body).resourceSpans.flatMap((each) => each.scopeSpans[0]?.spans ?? []))
      .filter((span) => JSON.stringify(span).includes(interaction))
  }
  await expect.poll(spans, { timeout: 10_000 }).toMatchObject([
    { name: 'par', traceId: told[1] },
    { name: 'createBulkBatchPaymentConsent', traceId: told[1], spanId: told[2] },
  ])
  expect(traced.join()).not.toContain(consentId)
  const metrics = await world.call('admin', { path: '/metrics', certificate: world.bank })
  expect(metrics.text).toMatch(/^falaj_spans_exported_total [1-9]\d*$/m)
  expect(metrics.text).toMatch(/^falaj_spans_dropped_total 0$/m)
})

test('consents of other payments, and where the tenant says so of files, stay at the hub', async () => {
  expect((await push(SINGLE)).answer.status).toBe(201)
  configured.announceFileConsents = false
  expect((await push()).answer.status).toBe(201)
  expect(asked()).toEqual([])
})

test('comes after validate, and not at all when that says no', async () => {
  configured.validate = ['service-initiation']
  const verdict =
    (data: object): Receiver['answer'] =>
    (received, response) =>
      (received.path.endsWith('validate') ? json(200, { data }) : status(201))(received, response)
  lfi.answer = verdict({ status: 'valid' })
  expect((await push()).answer.status).toBe(201)
  expect(asked()).toEqual(['POST /oc/consent/action/validate', 'POST /oc/payment-consents'])
  lfi.received.length = 0
  lfi.answer = verdict({ status: 'invalid' })
  expect((await push()).answer.status).toBe(400)
  expect(asked()).toEqual(['POST /oc/consent/action/validate'])
})

describe('the push is refused, nothing is stored, and the LFI was asked once', () => {
  const said = (errorCode: string, errorMessage: string) => ({ errorCode, errorMessage })
  const AWAY = 'the LFI could not be told of the consent for a file'
  test.each([
    [
      '400 in its words',
      json(400, said('Consent.BusinessRuleViolation', 'Too many')),
      'Too many (Consent.BusinessRuleViolation)',
      'answered',
    ],
    ['403 in its words', json(403, said('', 'Not for you')), 'Not for you', 'answered'],
    ['400 without words', status(400), 'the LFI does not take this file', 'answered'],
    ['401', json(401, said('x', 'inside')), AWAY, 'answered'],
    ['404', json(404, said('x', 'inside')), AWAY, 'answered'],
    ['409', json(409, said('x', 'inside')), AWAY, 'answered'],
    ['500', json(500, said('x', 'inside')), AWAY, 'answered'],
    ['302', status(302, { location: '/elsewhere' }), AWAY, 'answered'],
    ['silence', silence, AWAY, 'timeout'],
    ['a connection that is cut', (_received, response) => void response.socket?.destroy(), AWAY, 'unreachable'],
  ] as readonly (readonly [
    string,
    Receiver['answer'],
    string,
    string,
  ])[])('%s', async (_name, answering, description, outcome) => {
    lfi.answer = answering
    const { answer, consentId, body } = await push()
    expect([answer.status, body]).toEqual([400, { error: 'invalid_request', error_description: description }])
    expect(asked()).toHaveLength(1)
    expect(await statusOf(consentId)).toBe(400)
    expect(await callsOf(answer.headers)).toMatchObject([{ outcome }])
  })

  test('a TPP that hangs up', async () => {
    const calledOff = Promise.withResolvers<void>()
    const leaving = new AbortController()
    lfi.answer = (_received, response) => {
      response.once('close', () => calledOff.resolve())
      leaving.abort()
    }
    await expect(push({ FilePayment: FILE }, { signal: leaving.signal })).rejects.toThrow()
    await calledOff.promise
    expect(asked()).toHaveLength(1)
  })
})
