/** Classes of operations, each with time, connections and a breaker of its own, over real TLS. */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Milliseconds, toInstant } from '../../../src/clock.ts'
import type { TenantConfig } from '../../../src/config.ts'
import { type Connector, createConnector, longestAttemptOf } from '../../../src/lfi/index.ts'
import { isLfiOperation, LFI_OPERATIONS, type LfiOperation } from '../../../src/lfi-operations.ts'
import { type DocumentId, loadSchemas } from '../../../src/schema-registry.ts'
import { Secret } from '../../../src/secret.ts'
import { newTrace } from '../../../src/trace.ts'
import { type Authority, type Certificate, createAuthority } from '../../gateway/support/pki.ts'
import { json, type Receiver, silence, startReceiver, status } from '../../notices/support/receiver.ts'

let framework: Authority
let hub: Certificate
let lfi: Receiver
let connector: Connector | undefined
let ahead = 0

beforeAll(async () => {
  framework = await createAuthority('Test')
  hub = await framework.issue({ O: 'Hub', OU: randomUUID(), CN: randomUUID() })
  lfi = await startReceiver(await framework.issue({ O: 'Bank', dns: 'localhost' }), framework.certificate)
})
afterAll(() => lfi.close())
afterEach(() => connector?.close())

const ms = (value: number) => value as Milliseconds
function begin(more: Partial<TenantConfig['lfi']> = {}): void {
  lfi.received.length = 0
  ahead = 0
  const tenant = {
    lfi: {
      ozoneConnectUrl: lfi.origin,
      ca: framework.certificate,
      certificate: hub.certificate,
      key: new Secret(hub.key),
      authentication: { type: 'none' },
      connections: 4,
      timeoutMs: ms(20_000),
      connectTimeoutMs: ms(2_000),
      responseBytesMax: 10_000,
      ...more,
    },
  } as unknown as TenantConfig
  connector = createConnector({ tenant, clock: { now: () => toInstant(Date.now() + ahead) } })
}
function open(): Connector {
  if (connector === undefined) throw new Error('not begun')
  return connector
}
const ask = async (operationId: LfiOperation, gone: AbortSignal | null = null, timeoutMs?: number) => {
  const at = {
    operationId,
    method: 'GET',
    route: '/x',
    target: `/${operationId}`,
    headers: {},
    under: null,
    trace: newTrace(),
  } as const
  return (await open().ask(timeoutMs === undefined ? at : { ...at, timeoutMs }, gone)).attempt
}
/** Hangs for what is asked under these names, answers everything else. */
const dead =
  (...names: readonly LfiOperation[]): Receiver['answer'] =>
  (received, response) =>
    (names.some((name) => received.path === `/${name}`) ? silence : json(200, {}))(received, response)

test('every operation of the documents towards an LFI has a class, and no other name has', () => {
  const registry = loadSchemas()
  const documents: readonly DocumentId[] = [
    'data-sharing',
    'open-data',
    'products-data',
    'fx-and-account-opening',
    'consent-events-actions',
    'service-initiation',
  ]
  const named = documents.flatMap((document) => registry.operations(document).map(({ operationId }) => operationId))
  expect(named.toSorted()).toEqual(Object.keys(LFI_OPERATIONS).toSorted())
  expect(isLfiOperation('toString')).toBe(false)
})

describe('time', () => {
  test.each([
    ['the operation, before its class', { operationTimeoutsMs: { getPayment: ms(150) } }, undefined, 150],
    [
      'the operation, also where that is longer',
      { timeoutMs: ms(100), operationTimeoutsMs: { getPayment: ms(150) } },
      undefined,
      150,
    ],
    ['the class', { budgets: { payment: { timeoutMs: ms(160) }, read: { timeoutMs: ms(1) } } }, undefined, 160],
    ['all', { timeoutMs: ms(170) }, undefined, 170],
    ['the call, where that is shorter', { timeoutMs: ms(5_000) }, 140, 140],
    ['all, where the call would have longer', { timeoutMs: ms(130) }, 5_000, 130],
  ] as const)('of %s', async (_name, more, own, expected) => {
    begin(more)
    lfi.answer = silence
    expect(await ask('getPayment', null, own)).toMatchObject({ outcome: 'timeout', why: `no answer in ${expected} ms` })
  })
})

test('a payment is under way for as long as everything that may belong to it', () => {
  const lfi = (type: string) =>
    ({
      timeoutMs: 1_000,
      operationTimeoutsMs: { makePayment: 300 },
      authentication: { type },
    }) as unknown as TenantConfig['lfi']
  expect(longestAttemptOf(lfi('jwt'), 'makePayment')).toBe(600)
  expect(longestAttemptOf(lfi('client-credentials'), 'makePayment')).toBe(2_600)
  expect(longestAttemptOf(lfi('none'), 'getPayment')).toBe(2_000)
})

describe('payments that are dead', () => {
  test('hold their own connections, and reads, services and consents go on', async () => {
    begin({ budgets: { payment: { connections: 2 } } })
    lfi.answer = dead('makePayment')
    const gone = new AbortController()
    const hanging = Array.from({ length: 10 }, () => ask('makePayment', gone.signal))
    await lfi.until(2)
    for (const operation of ['findAccounts', 'GetProducts', 'validateConsent'] as const) {
      expect(await ask(operation)).toMatchObject({ outcome: 'answered', status: 200 })
    }
    expect(lfi.received.filter(({ path }) => path === '/makePayment')).toHaveLength(2)
    gone.abort()
    for (const attempt of await Promise.all(hanging)) expect(attempt.outcome).toBe('cancelled')
  })

  test('are left alone by themselves, all of their class, until one call has found them well', async () => {
    begin()
    lfi.answer = (received, response) =>
      (received.path === '/makePayment' ? status(503) : json(200, {}))(received, response)
    for (let call = 0; call < 20; call += 1) expect(await ask('makePayment')).toMatchObject({ status: 503 })
    expect(await ask('makePayment')).toMatchObject({ outcome: 'unreachable', retryAfterSeconds: 2 })
    expect(await ask('getPayment')).toMatchObject({ outcome: 'unreachable', retryAfterSeconds: 2 })
    for (const operation of ['findAccounts', 'GetProducts', 'validateConsent'] as const) {
      expect(await ask(operation)).toMatchObject({ outcome: 'answered', status: 200 })
    }
    expect(lfi.received).toHaveLength(23)
    ahead = 2_000
    expect(await ask('getPayment')).toMatchObject({ status: 200 })
    expect(await ask('makePayment')).toMatchObject({ status: 503 })
  })
})

test.each([
  'findAccounts',
  'getPayment',
  'validateConsent',
  'CreateLead',
] as const)('%s is cancelled on the wire when nobody waits for it any more', async (operation) => {
  begin()
  const closed = Promise.withResolvers<void>()
  const gone = new AbortController()
  lfi.answer = (_received, response) => {
    response.once('close', () => closed.resolve())
    gone.abort()
  }
  expect(await ask(operation, gone.signal)).toMatchObject({ outcome: 'cancelled' })
  await closed.promise
})
