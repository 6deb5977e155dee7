/** Towards an LFI that gives out tokens: client credentials at its own authorization server, over real TLS. */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Milliseconds, toInstant } from '../../../src/clock.ts'
import type { LfiAuthentication, TenantConfig } from '../../../src/config.ts'
import { type Connector, createConnector } from '../../../src/lfi/index.ts'
import { Secret } from '../../../src/secret.ts'
import { newTrace } from '../../../src/trace.ts'
import { type Authority, type Certificate, createAuthority } from '../../gateway/support/pki.ts'
import { type Answering, json, type Receiver, silence, startReceiver, status } from '../../notices/support/receiver.ts'

let framework: Authority
let server: Certificate
let hub: Certificate
let lfi: Receiver
let issuer: Receiver
let ahead = 0
let connector: Connector

beforeAll(async () => {
  framework = await createAuthority('Test')
  server = await framework.issue({ O: 'Bank', dns: 'localhost' })
  hub = await framework.issue({ O: 'Hub', OU: randomUUID(), CN: randomUUID() })
  lfi = await startReceiver(server, framework.certificate)
  issuer = await startReceiver(server, framework.certificate)
})
afterAll(() => Promise.all([lfi.close(), issuer.close()]))
afterEach(() => connector.close())

const begin = (more: Partial<Extract<LfiAuthentication, { type: 'client-credentials' }>> = {}) => {
  lfi.received.length = 0
  issuer.received.length = 0
  lfi.answer = json(200, {})
  issuer.answer = granted('token-1')
  ahead = 0
  const tenant = {
    lfi: {
      ozoneConnectUrl: lfi.origin,
      ca: framework.certificate,
      certificate: hub.certificate,
      key: new Secret(hub.key),
      authentication: {
        type: 'client-credentials',
        tokenUrl: `${issuer.origin}/oauth/token?realm=hub`,
        clientId: 'hub:id',
        clientSecret: new Secret('s e+c%ret'),
        ...more,
      },
      connections: 4,
      timeoutMs: 300 as Milliseconds,
      connectTimeoutMs: 300 as Milliseconds,
      responseBytesMax: 10_000,
    },
  } as unknown as TenantConfig
  connector = createConnector({ tenant, clock: { now: () => toInstant(Date.now() + ahead) } })
}
const granted = (token: unknown, expiresIn: unknown = 600): Answering =>
  json(200, { access_token: token, token_type: 'Bearer', expires_in: expiresIn })
const ask = async () =>
  (
    await connector.ask(
      {
        operationId: 'CreateLead',
        method: 'POST',
        route: '/x',
        target: '/x',
        headers: { accept: 'application/json' },
        under: null,
        trace: newTrace(),
        body: '{}',
      },
      null,
    )
  ).attempt
const shown = () => lfi.received.map(({ headers }) => headers.authorization)

test('a token is asked for with the secret, in the form of RFC 6749 2.3.1, and shown to the LFI', async () => {
  begin({ scope: 'accounts payments' })
  expect(await ask()).toMatchObject({ outcome: 'answered', status: 200 })
  const [asked] = issuer.received
  expect(asked).toMatchObject({ method: 'POST', path: '/oauth/token?realm=hub' })
  expect(asked?.headers).toMatchObject({
    'content-type': 'application/x-www-form-urlencoded',
    authorization: `Basic ${Buffer.from('hub%3Aid:s+e%2Bc%25ret').toString('base64')}`,
  })
  expect(Object.fromEntries(new URLSearchParams(asked?.body))).toEqual({
    grant_type: 'client_credentials',
    scope: 'accounts payments',
  })
  expect(shown()).toEqual(['Bearer token-1'])
})

test('it is kept until shortly before its end, and asked for once by all who wait for it', async () => {
  begin()
  await Promise.all(Array.from({ length: 5 }, ask))
  ahead = 584_000
  await ask()
  expect(issuer.received).toHaveLength(1)
  issuer.answer = granted('token-2')
  ahead = 586_000
  await ask()
  expect(issuer.received).toHaveLength(2)
  expect(shown()).toEqual([...Array.from({ length: 6 }, () => 'Bearer token-1'), 'Bearer token-2'])
  expect(Object.fromEntries(new URLSearchParams(issuer.received[0]?.body))).toEqual({
    grant_type: 'client_credentials',
  })
})

test('one that the LFI refuses is replaced, once', async () => {
  begin()
  lfi.answer = (received, response) =>
    (received.headers.authorization === 'Bearer token-2' ? json(200, {}) : status(401))(received, response)
  await ask()
  // The one that was just given is refused as well.
  expect(shown()).toEqual(['Bearer token-1', 'Bearer token-1'])
  issuer.answer = granted('token-2')
  expect(await ask()).toMatchObject({ status: 200 })
  expect(shown().slice(2)).toEqual(['Bearer token-1', 'Bearer token-2'])
})

describe('without a token the LFI is not asked', () => {
  test.each([
    ['401', status(401), 'no access token: answered 401'],
    ['500', status(500), 'no access token: answered 500'],
    ['a redirect', status(302, { location: 'https://elsewhere.example/' }), 'no access token: answered 302'],
    ['no JSON', status(200, {}, 'token'), 'no access token: the answer holds none'],
    ['no token', json(200, {}), 'no access token: the answer holds none'],
    ['a token that is no text', granted(7), 'no access token: the answer holds none'],
    ['a token with a line break', granted('a\r\nx-evil: 1'), 'no access token: the answer holds none'],
    ['a token that is too long', granted('x'.repeat(16_385)), 'no access token: too large'],
    ['silence', silence, 'no access token: no answer in 300 ms'],
  ] as const)('%s', async (_name, answer, why) => {
    begin()
    issuer.answer = answer
    expect(await ask()).toMatchObject({
      outcome: 'unreachable',
      status: null,
      why: why,
    })
    expect(lfi.received).toEqual([])
    // The next call asks again.
    issuer.answer = granted('token-1')
    expect(await ask()).toMatchObject({ outcome: 'answered' })
  })
})

test('one whose lifetime is not said, or is nonsense, is kept for less than a minute', async () => {
  for (const lifetime of [null, 'x', -5]) {
    begin()
    issuer.answer = granted('token-1', lifetime)
    await ask()
    ahead = 40_000
    await ask()
    expect(issuer.received).toHaveLength(1)
    ahead = 50_000
    await ask()
    expect(issuer.received).toHaveLength(2)
    await connector.close()
  }
})
