/**
 * The bank moves: two people give the hub another address of it, and every process of the hub follows. Two hubs on one
 * database, and two addresses of one bank. What the command line does of it: test/cli/bank.test.ts; calls of TPPs while
 * the address changes: test/gateway/lfi.test.ts.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ListenerConfig, TenantConfig } from '../../src/config.ts'
import { type Hub, startHub } from '../../src/hub.ts'
import { createLog } from '../../src/log.ts'
import { json, type StandInLfi } from '../gateway/support/outside.ts'
import { freePort } from '../support/free-port.ts'
import { type Bank, CLIENT_SECRET, startBank } from './support/bank.ts'
import type { Seen, Visitor } from './support/visitor.ts'
import { createPortalWorld, type PortalWorld, personNamed } from './support/world.ts'

const SOON = { timeout: 15_000 }
const log = createLog({ level: 'silent', name: 'test' })

let world: PortalWorld
let bank: Bank
let first: StandInLfi
let second: StandInLfi
let other: Hub
let nodes: readonly [TenantConfig, TenantConfig]
const browsers = new Map<string, Visitor>()

async function elsewhere(tenant: TenantConfig): Promise<TenantConfig> {
  const moved = async (listener: ListenerConfig): Promise<ListenerConfig> => {
    const port = await freePort()
    return { ...listener, port, origin: `https://localhost:${port}` }
  }
  const [auth, admin] = await Promise.all([moved(tenant.listeners.auth), moved(tenant.listeners.admin)])
  return { ...tenant, listeners: { ...tenant.listeners, auth, admin } }
}
const startOther = () => startHub({ config: { ...world.config, roles: ['auth', 'admin'], tenants: [nodes[1]] }, log })

beforeAll(async () => {
  const tenant = async (known: TenantConfig): Promise<TenantConfig> => {
    bank = await startBank(known)
    return bank.tenant
  }
  world = await createPortalWorld({}, { tenant })
  const [one, another] = bank.doors
  first = one
  second = another
  nodes = [world.tenant, await elsewhere(world.tenant)]
  other = await startOther()
  for (const username of ['jamal', 'sara', 'saif']) browsers.set(username, await world.loggedIn(username))
}, 60_000)
afterAll(async () => {
  await other.close()
  await world.close()
  await bank.close()
})

const at = (path: string): string => `${world.origin}${path}`
const as = (username: string): Visitor => browsers.get(username) ?? expect.fail(username)
const wordsOf = ({ body }: Seen): string => body.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
const subject = (username: string): string => personNamed(username).subject
const lastActs = (many: number) => world.acts(many)

async function get(address: string) {
  const { adminClient } = world.framework.enrolment.hubs.aurora
  const files = [world.framework.enrolment.ca.bundleFile, adminClient.certFile, adminClient.keyFile]
  const [ca, cert, key] = files.map((file) => readFileSync(file))
  const sent = request(address, { agent: false, ca, cert, key })
  sent.end()
  const [response] = await once(sent, 'response')
  return { status: response.statusCode as number, body: JSON.parse(await text(response)) as Record<string, unknown> }
}
/** Asks the bank, by one hub. */
const ask = async ({ listeners }: TenantConfig) => (await get(`${listeners.admin.origin}/health/lfi`)).status
async function isAskedBy(hubs: readonly TenantConfig[], { asked }: StandInLfi): Promise<boolean> {
  const before = asked.length
  for (const hub of hubs) await ask(hub)
  return asked.length > before
}
const pageIn = async ({ listeners }: TenantConfig) =>
  (await get(`${listeners.auth.origin}/.well-known/openid-configuration`)).body['authorization_endpoint']

/** The form that the page has for this address, filled in. */
async function propose(username: string, name: string, url: string | null): Promise<Seen> {
  const page = await as(username).go(at('/lfi'))
  const act = url === null ? 'lfi.endpoint-reset' : 'lfi.endpoint'
  const form = page.body
    .split('<form')
    .find((each) => each.includes(`action="/acts/${act}"`) && each.includes(`name="name" value="${name}"`))
  const fields = [...(form ?? '').matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
  const hidden = Object.fromEntries(fields.map(([, field = '', value = '']) => [field, value]))
  return as(username).go(at(`/acts/${act}`), { form: { ...hidden, ...(url === null ? {} : { url }) } })
}
async function approve(username: string): Promise<Seen> {
  return as(username).send(await as(username).go(at('/approvals')), '/acts/proposal.approve')
}
async function change(name: string, url: string | null): Promise<void> {
  expect((await propose('jamal', name, url)).address).toBe(at('/lfi?done=proposed'))
  expect((await approve('sara')).address).toBe(at('/approvals?done=proposal.approve'))
}
const waiting = async () => {
  const { rows } = await world.database.db.raw(`select count(*)::int as n from portal_proposal where state = 'waiting'`)
  return rows[0].n as number
}

describe('the address of Ozone Connect', () => {
  test('is proposed by one, who has it tried, and approved by another; both hubs follow, and no call fails', async () => {
    const stop = new AbortController()
    const answers: number[] = []
    const callers = nodes.map(async (node) => {
      while (!stop.signal.aborted) answers.push(await ask(node))
    })
    try {
      expect((await propose('jamal', 'ozone-connect', second.url)).address).toBe(at('/lfi?done=proposed'))
      // It was tried, with the hub's certificate and nothing else, and nothing has changed yet.
      expect(second.asked.map(({ url, headers }) => [url, headers.authorization])).toEqual([
        ['/oc/hello-mtls', undefined],
      ])
      const page = await as('sara').go(at('/approvals'))
      expect(wordsOf(page)).toMatch(
        new RegExp(`Change the address ozone-connect ${second.url} Seen .* GET /oc/hello-mtls answered 200 in \\d+ ms`),
      )
      const tried = second.asked.length
      expect((await approve('sara')).status).toBe(200)
      await expect.poll(() => second.asked.length, SOON).toBeGreaterThan(tried + 10)
      // Also the one that was not told.
      await expect.poll(() => isAskedBy(nodes, first), SOON).toBe(false)
    } finally {
      stop.abort()
      await Promise.all(callers)
    }
    expect([...new Set(answers)]).toEqual([200])
    const told = { act: 'lfi.endpoint', target: `ozone-connect ${second.url}`, before: `file ${first.url}` }
    expect(await lastActs(2)).toEqual([
      expect.objectContaining({ ...told, outcome: 'proposed', actor: subject('jamal'), after: null }),
      expect.objectContaining({ ...told, outcome: 'approved', actor: subject('sara'), after: `stored ${second.url}` }),
    ])
    // Beside it, in the transaction of the change:
    const { rows } = await world.database.db.raw(
      `select count(*)::int as n from audit_entry where encode(bytes, 'escape') like ?`,
      [`%"act":"lfi.ozoneConnectUrl set, before ${first.url}","target":"${second.url}"%`],
    )
    expect(rows).toEqual([{ n: 1 }])
    const shown = wordsOf(await as('jamal').go(at('/lfi')))
    expect(shown).toContain(`${second.url} set here and in the configuration: ${first.url}`)
    expect(shown).toContain(`${subject('jamal')} ${subject('sara')}`)
    expect(wordsOf(await as('jamal').go(at('/settings')))).toContain(`${first.url} – set in the hub: ${second.url}`)
  })

  test('is still there after a restart', async () => {
    await other.close()
    other = await startOther()
    const before = first.asked.length
    expect(await ask(nodes[1])).toBe(200)
    expect(first.asked.length).toBe(before)
  })
})

test('each address has its own way: back to the file, into discovery at every hub, and tried without a secret', async () => {
  await change('ozone-connect', null)
  expect(await lastActs(1)).toMatchObject([
    { act: 'lfi.endpoint-reset', outcome: 'approved', before: `stored ${second.url}`, after: `file ${first.url}` },
  ])
  expect((await as('jamal').go(at('/lfi'))).body).not.toContain('/acts/lfi.endpoint-reset')
  await change('authorization', `${bank.page}/authorize`)
  await change('token', `${second.url}/token`)
  for (const node of nodes) await expect.poll(() => pageIn(node), SOON).toBe(`${bank.page}/authorize`)
  await expect.poll(() => isAskedBy(nodes, second), SOON).toBe(false)
  const tokens = second.asked.filter(({ url }) => url === '/oc/token')
  // By the one who proposed it, and by the one who approved.
  expect(tokens.map(({ method, headers }) => [method, headers.authorization])).toEqual([
    ['POST', undefined],
    ['POST', undefined],
  ])
  expect(JSON.stringify(tokens)).not.toContain(CLIENT_SECRET)
})

describe('nothing waits for a second person, and nothing changes,', () => {
  const nowhere = 'https://localhost:1/oc'
  test.each<[string, string, () => string, number, RegExp]>([
    [
      'without TLS',
      'ozone-connect',
      () => second.url.replace('https:', 'http:'),
      400,
      /is an https URL without a user/,
    ],
    ['with a query', 'authorization', () => `${second.url}/authorize?a=b`, 400, /is an https URL/],
    ['with a password', 'ozone-connect', () => 'https://a:b@localhost/oc', 400, /is an https URL/],
    ['that is too long', 'ozone-connect', () => `https://localhost/${'x'.repeat(200)}`, 400, /200 characters at most/],
    ['that is none', 'ozone-connect', () => '', 400, /is an https URL/],
    ['of a private place', 'ozone-connect', () => 'https://10.0.0.1/oc', 400, /its address is not a public one/],
    ['of the machine’s own facts', 'token', () => 'https://169.254.169.254/t', 400, /its address is not a public one/],
    [
      'where nobody answers',
      'ozone-connect',
      () => nowhere,
      400,
      /did not pass its trial: .* unreachable, ECONNREFUSED/,
    ],
    ['where something else is', 'ozone-connect', () => `${second.url}/x`, 400, /answered 404 in \d+ ms, and 200 was/],
    ['without a page', 'authorization', () => `${bank.page}/nothing`, 400, /answered 404 .* a page was expected/],
    ['without tokens', 'token', () => `${second.url}/hello`, 400, /answered 200 .* 400 or 401/],
    ['that is there already', 'ozone-connect', () => first.url, 400, /is https:\/\/localhost:\d+\/oc already/],
  ])('for an address %s', async (_what, name, url, status, why) => {
    const seen = await propose('jamal', name, url())
    expect([seen.status, wordsOf(seen)]).toEqual([status, expect.stringMatching(why)])
    expect(await lastActs(1)).toMatchObject([{ act: 'lfi.endpoint', outcome: 'refused', actor: subject('jamal') }])
    expect(await waiting()).toBe(0)
  })

  test('for an address of nothing, or one that has changed since the page was loaded', async () => {
    const csrf = /name="csrf" value="([^"]+)"/.exec((await as('jamal').go(at('/lfi'))).body)?.[1] ?? ''
    const send = (given: Record<string, string>, act = 'lfi.endpoint') =>
      as('jamal').go(at(`/acts/${act}`), { form: { csrf, url: second.url, ...given } })
    expect((await send({ name: 'jwks', version: '0' })).status).toBe(404)
    expect((await send({ name: 'ozone-connect', version: '2' }, 'lfi.endpoint-reset')).status).toBe(400)
    const stale = await send({ name: 'ozone-connect', version: '1' })
    expect([stale.status, wordsOf(stale)]).toEqual([400, expect.stringContaining('has changed meanwhile')])
  })

  test('of what one person wants alone', async () => {
    await propose('sara', 'ozone-connect', second.url)
    const { body } = await as('saif').go(at('/approvals'))
    const id = /name="id" value="(\d+)"/.exec(body)?.[1] ?? ''
    const csrf = /name="csrf" value="([^"]+)"/.exec((await as('sara').go(at('/account'))).body)?.[1] ?? ''
    expect((await as('sara').ask(at('/acts/proposal.approve'), { form: { csrf, id } })).status).toBe(403)
    expect(await lastActs(1)).toMatchObject([{ act: 'lfi.endpoint', outcome: 'refused', proposal: id }])
  })

  test('of what does not answer any more when it is approved', async () => {
    second.answer = json(503, {})
    const seen = await approve('saif')
    expect([seen.status, wordsOf(seen)]).toEqual([400, expect.stringMatching(/answered 503 .* and 200 was expected/)])
    expect(await lastActs(1)).toMatchObject([
      { outcome: 'failed', before: `file ${first.url}`, after: `file ${first.url}` },
    ])
    expect(await waiting()).toBe(0)
  })
})
