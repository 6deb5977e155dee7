/**
 * TPP, software statement and client: what the operator, or the directory, takes away from any of the three is gone at
 * the next request, at every node, also on connections that are open; and so it comes back (lfi-api 7.3).
 */
import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Seconds } from '../../src/clock.ts'
import type { Answer } from '../gateway/support/tpp.ts'
import { type Flow, flowOf } from './support/flow.ts'
import { type Node, startSecondNode } from './support/second-node.ts'
import { createProfileWorld, type Party, type ProfileWorld, REDIRECT_URI } from './support/world.ts'

const READ =
  '/open-finance/account-information/v2.1/account-access-consents?baseConsentId=6d2b4c1e-5f0a-4c39-9d5e-0a1b2c3d4e5f'
const CACHE_SECONDS = 2

let world: ProfileWorld
let second: Node
let nodes: readonly { readonly name: string; readonly flow: Flow; readonly call: Node['call'] }[]
let by: Party
let tokens: { readonly access: string; readonly refresh: string }
beforeAll(async () => {
  world = await createProfileWorld(['uae'], { trustFramework: { cacheSeconds: CACHE_SECONDS as Seconds } })
  second = await startSecondNode(world)
  nodes = [
    { name: 'first', flow: flowOf(world), call: world.call },
    { name: 'second', flow: flowOf({ ...world, call: second.call }), call: second.call },
  ]
  by = world.parties.uae
  const flow = flowOf(world)
  const asked = flow.request()
  const how = { certificate: by.certificate }
  const pushed = (await flow.push(by, asked.params, how)).answer.json() as { readonly request_uri: string }
  const code = (await flow.agree(by, pushed.request_uri, asked.consentId)).searchParams.get('code') ?? ''
  const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: asked.verifier }
  const user = (await flow.token(by, form, how)).answer.json() as { readonly refresh_token: string }
  const own = (await flow.token(by, OWN, how)).answer.json() as { readonly access_token: string }
  tokens = { access: own.access_token, refresh: user.refresh_token }
}, 120_000)
afterAll(async () => {
  await second?.close()
  await world?.close()
})

const OWN = { grant_type: 'client_credentials', scope: 'accounts' }
type Levels = 'tpps' | 'software-statements' | 'clients'
const idAt = (level: Levels): string => (level === 'tpps' ? by.organisationId : by.clientId)
async function setStatus(level: Levels, status: string): Promise<void> {
  const answer = await world.call('admin', {
    method: 'PUT',
    path: `/${level}/${idAt(level)}/status`,
    certificate: world.bank,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ status }),
  })
  expect(answer.status).toBe(204)
}

/** Everything that a client does, at every node: status and OAuth error of each. */
async function answers(): Promise<readonly (readonly [what: string, status: number, error: string])[]> {
  const how = { certificate: by.certificate }
  const found: (readonly [string, number, string])[] = []
  for (const { name, flow, call } of nodes) {
    const told = (what: string, answer: Answer) => {
      const error = String(answer.headers['content-type']).includes('json')
        ? String((answer.json() as { error?: string }).error ?? '')
        : (/error="(\w+)"/.exec(String(answer.headers['www-authenticate']))?.[1] ?? '')
      found.push([`${what} at the ${name}`, answer.status, error])
    }
    told('par', (await flow.push(by, flow.request().params, how)).answer)
    told('token', (await flow.token(by, OWN, how)).answer)
    const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh }
    told('refresh', (await flow.token(by, refresh, how)).answer)
    told('read', await call('rs', { path: READ, headers: { authorization: `Bearer ${tokens.access}` }, ...how }))
  }
  return found
}
const at = (what: string, status: number, error: string) =>
  ['first', 'second'].map((name) => [`${what} at the ${name}`, status, error])
const all = (rows: readonly (readonly [string, number, string])[]) => rows.flatMap((row) => at(...row)).sort()
const SERVED = all([
  ['par', 201, ''],
  ['token', 200, ''],
  ['refresh', 200, ''],
  ['read', 200, ''],
])
const REFUSED = all([
  ['par', 401, 'invalid_client'],
  ['token', 401, 'invalid_client'],
  ['refresh', 401, 'invalid_client'],
  ['read', 401, 'invalid_token'],
])
const sorted = async () => [...(await answers())].map((each) => [...each]).sort()

/** A connection to each node that stays open, and what it is told on it. */
function keptConnection(port: number, host: string) {
  const { certificate: cert, key } = by.certificate
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: world.ca, cert, key, servername: 'localhost' })
  let connections = 0
  return {
    connections: () => connections,
    read: () =>
      new Promise<number>((resolve, reject) => {
        const headers = { host, authorization: `Bearer ${tokens.access}` }
        const sent = request({ agent, host: '127.0.0.1', port, path: READ, headers }, (response) => {
          text(response).then(() => resolve(response.statusCode ?? 0), reject)
        })
        sent.on('socket', (socket) => socket.once('secureConnect', () => (connections += 1)))
        sent.on('error', reject)
        sent.end()
      }),
    close: () => agent.destroy(),
  }
}

describe('the operator', () => {
  afterEach(async () => {
    for (const level of ['tpps', 'software-statements', 'clients'] as const) await setStatus(level, 'active')
  })

  test.each([
    ['tpps', 'blocked'],
    ['software-statements', 'blocked'],
    ['clients', 'blocked'],
    ['tpps', 'inactive'],
    ['software-statements', 'inactive'],
    ['clients', 'inactive'],
  ] as const)('sets one of %s %s: refused everywhere at once, and served again afterwards', async (level, status) => {
    expect(await sorted()).toEqual(SERVED)
    await setStatus(level, status)
    expect(await sorted()).toEqual(REFUSED)
    // Who is not the client is not touched.
    const other = world.parties.otherUae
    const fine = await flowOf(world).token(other, OWN, { certificate: other.certificate })
    expect(fine.answer.status).toBe(200)
    await setStatus(level, 'active')
    expect(await sorted()).toEqual(SERVED)
  })

  test('is obeyed on connections that are open', async () => {
    const host = new URL(world.doors.rs.origin).host
    const kept = [Number(new URL(world.doors.rs.origin).port), second.port('rs')].map((port) =>
      keptConnection(port, host),
    )
    const read = () => Promise.all(kept.map((each) => each.read()))
    expect(await read()).toEqual([200, 200])
    await setStatus('clients', 'blocked')
    expect(await read()).toEqual([401, 401])
    await setStatus('clients', 'active')
    expect(await read()).toEqual([200, 200])
    expect(kept.map((each) => each.connections())).toEqual([1, 1])
    for (const each of kept) each.close()
  })

  test('has to activate all three', async () => {
    for (const level of ['tpps', 'software-statements', 'clients'] as const) await setStatus(level, 'inactive')
    for (const level of ['tpps', 'software-statements'] as const) {
      await setStatus(level, 'active')
      expect(await sorted()).toEqual(REFUSED)
    }
    await setStatus('clients', 'active')
    expect(await sorted()).toEqual(SERVED)
  })

  test('is not overruled by registering again', async () => {
    await setStatus('software-statements', 'blocked')
    const again = { method: 'POST', path: '/tpp-registration', certificate: by.certificate }
    expect((await second.call('rs', again)).status).toBe(204)
    expect(await sorted()).toEqual(REFUSED)
  })
})

describe('the directory', () => {
  test.each([
    ['an organisation', () => by.organisationId],
    ['a software statement', () => by.clientId],
  ] as const)('takes %s back: refused everywhere once the answer is due, and served again', async (_what, id) => {
    expect(await sorted()).toEqual(SERVED)
    const untilDue = () => new Promise((done) => setTimeout(done, CACHE_SECONDS * 1000 + 50))
    world.directory.statuses.set(id(), 'Inactive')
    await untilDue()
    expect(await sorted()).toEqual(REFUSED)
    world.directory.statuses.delete(id())
    await untilDue()
    expect(await sorted()).toEqual(SERVED)
  })
})
