/** What becomes of a customer whose request_uri begins no journey (lfi-api 1.3.2). */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { fateOf } from '../../../src/auth-server/spent-request.ts'
import { CLIENT_ID, clockAt, type Engine, ISSUER, REDIRECT_URI, REQUEST_URI_SECONDS, startEngine } from './engine.ts'

const URN = 'urn:ietf:params:oauth:request_uri:'
const NOW = Math.floor(Date.now() / 1000)
const clock = clockAt(NOW)
let engine: Engine
beforeAll(async () => {
  engine = await startEngine(clock)
})
afterEach(() => clock.set(NOW))
afterAll(() => engine.database.close())

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const objectOf = (claims: object) => `${encode({ alg: 'PS256', kid: 'client' })}.${encode(claims)}.c2ln`

async function push(claims: object = {}): Promise<string> {
  const request = objectOf({ client_id: CLIENT_ID, redirect_uri: REDIRECT_URI, state: 'its state', ...claims })
  // Made in the past, so that it has run out by now: the engine judges that by the system's clock.
  return new engine.provider.PushedAuthorizationRequest({ request } as never).save(60)
}
const fate = (id: string, query: object = {}) =>
  fateOf(engine, { client_id: CLIENT_ID, request_uri: `${URN}${id}`, ...query })
async function spent(claims: object = {}): Promise<string> {
  clock.set(NOW - REQUEST_URI_SECONDS - 1)
  const id = await push(claims)
  clock.set(NOW)
  return id
}

test('a request that may still be used is left to the engine', async () => {
  expect(await fate(await push())).toEqual({ kind: 'usable' })
})

test('an expired one goes back to the TPP, with its state', async () => {
  const found = await fate(await spent())
  expect(found.kind).toBe('spent')
  const location = new URL(found.kind === 'spent' ? found.location : '')
  expect(`${location.origin}${location.pathname}`).toBe(REDIRECT_URI)
  expect(Object.fromEntries(location.searchParams)).toEqual({
    error: 'invalid_request',
    error_description: expect.stringMatching(/expired/),
    state: 'its state',
    iss: ISSUER,
  })
})

test('so does a used one', async () => {
  const id = await push()
  await engine.adapter('PushedAuthorizationRequest').consume(id)
  expect((await fate(id)).kind).toBe('spent')
})

test('one of another client is told apart, used or not', async () => {
  for (const id of [await push({ client_id: randomUUID() }), await spent({ client_id: randomUUID() })]) {
    expect(await fate(id)).toEqual({ kind: 'foreign' })
  }
})

test('nobody is sent to a redirect URI that the client no longer has', async () => {
  expect(await fate(await spent({ redirect_uri: 'https://formerly.example/callback' }))).toEqual({ kind: 'unknown' })
  expect(await fate(await spent({ redirect_uri: 7 }))).toEqual({ kind: 'unknown' })
})

test('nor anywhere for a client that is no longer one', async () => {
  const id = await spent()
  const { client } = engine
  engine.client = null
  expect(await fate(id)).toEqual({ kind: 'unknown' })
  engine.client = client
  expect((await fate(id)).kind).toBe('spent')
})

test.each([
  ['no request_uri', { request_uri: undefined }],
  ['two of them', { request_uri: [`${URN}a`, `${URN}b`] }],
  ['an address to fetch', { request_uri: 'https://evil.example/' }],
  ['one that was never pushed', { request_uri: `${URN}nobody` }],
  ['one without an id', { request_uri: URN }],
  ['no client_id', { client_id: undefined }],
  ['an empty client_id', { client_id: '' }],
  ['two of those', { client_id: [CLIENT_ID, CLIENT_ID] }],
])('%s is nothing known', async (_name, query) => {
  expect(await fate(await spent(), query)).toEqual({ kind: 'unknown' })
})
