/** The probe against the sandbox's bank, in which it finds nothing, and against banks that are wrong in one place. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bankUsers } from '../../sandbox/bank/bank.ts'
import { BANKS } from '../../sandbox/bank/data/book.ts'
import { accountNumbers } from '../../sandbox/bank/data/identifiers.ts'
import { type Milliseconds, type Seconds, systemClock } from '../../src/clock.ts'
import type { TenantConfig } from '../../src/config.ts'
import { type Finding, type ProbeReport, probe } from '../../src/probe/index.ts'
import { loadSchemas } from '../../src/schema-registry.ts'
import { Secret } from '../../src/secret.ts'
import { createRig, type Rig } from '../sandbox/bank-rig.ts'

const registry = loadSchemas()
let rig: Rig
let proxy: Proxy
beforeAll(async () => {
  rig = await createRig('aurora', (_, response) => {
    // A hub that has never heard of the request.
    response.writeHead(400, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: 'invalid_client', error_description: 'unknown' }))
  })
  proxy = await startProxy(rig)
})
afterAll(async () => {
  await proxy.close()
  await rig.close()
})

const [layla] = bankUsers('aurora')
const account = BANKS.aurora.accounts.find(({ id }) => id === layla?.accountIds[0])
const target = {
  psu: { userId: layla?.userId ?? '' },
  accountIds: layla?.accountIds ?? [],
  iban: account === undefined ? null : accountNumbers(account, BANKS.aurora)[0].identification,
  writes: true,
  withinMs: 60_000,
}

function tenantOf(url: string, more: Partial<TenantConfig['lfi']> = {}): TenantConfig {
  const lfi: Partial<TenantConfig['lfi']> = {
    ozoneConnectUrl: url,
    ca: rig.ca,
    certificate: rig.hub.cert,
    key: new Secret(rig.hub.key),
    authentication: {
      type: 'jwt',
      audience: 'aurora',
      kid: rig.hubKey.kid,
      key: new Secret(rig.hubKey.pem),
      lifetimeSeconds: 20 as Seconds,
    },
    connections: 2,
    timeoutMs: 10_000 as Milliseconds,
    connectTimeoutMs: 5_000 as Milliseconds,
    responseBytesMax: 5_000_000,
    pageSize: 100,
    ...more,
  }
  // The rest of a tenant is none of the probe's business.
  return { id: 'aurora', authorizationEndpoint: `${rig.bank.pagesUrl}/authorize`, lfi } as unknown as TenantConfig
}
const run = (tenant: TenantConfig, more: Partial<typeof target> = {}): Promise<ProbeReport> =>
  probe({ tenant, registry, clock: systemClock }, { ...target, ...more })
const found = ({ operations }: ProbeReport): readonly string[] =>
  operations.flatMap(({ operation, findings }) =>
    findings.map(({ check, path, rule }: Finding) => `${operation}: ${check} ${path ?? '-'} ${rule}`),
  )

test('nothing is wrong with the bank of the sandbox, and all of it was asked', async () => {
  const report = await run(tenantOf(rig.bank.ozoneConnectUrl))
  expect(found(report)).toEqual([])
  expect(report.ok).toBe(true)
  const asked = report.operations.map(({ operation }) => operation)
  for (const id of ['data-sharing', 'open-data', 'products-data'] as const) {
    for (const { method, path } of registry.operations(id)) expect(asked).toContain(`${method} ${path}`)
  }
  expect(asked).toContain('GET /fx-quotes/{FxQuoteId}')
  expect(asked.filter((each) => / (?:without|with|for) /.test(each)).length).toBeGreaterThan(6)
})

test('without an account it asks what it can', async () => {
  const report = await run(tenantOf(rig.bank.ozoneConnectUrl), { accountIds: [], writes: false })
  expect(found(report)).toEqual([])
  expect(report.operations.map(({ operation }) => operation)).not.toContain('GET /accounts/{accountId}')
})

type Changed = { status: number; headers: Record<string, string>; body: unknown }
type Change = (answer: Changed) => void
/** Of the first record. */
const member =
  (name: string, value: unknown): Change =>
  ({ body }) => {
    const [record] = (body as { data: Record<string, unknown>[] }).data
    if (record !== undefined) record[name] = value
  }
const FAULTS: readonly [what: string, at: RegExp, change: Change, expected: string | RegExp][] = [
  [
    'a member of the wrong type',
    /^\/accounts\/[^/]+\/balances/,
    member('amount', 'much'),
    /GET \/accounts\/\{accountId\}\/balances: schema data\[0\]\.amount type/,
  ],
  ['a required member missing', /^\/accounts\?/, member('id', undefined), 'GET /accounts: schema data[0].id required'],
  [
    'a value that is not listed',
    /^\/accounts\/[^/]+\/direct-debits/,
    member('directDebitStatusCode', 'Maybe'),
    /direct-debits: schema data\[0\]\.directDebitStatusCode enum/,
  ],
  [
    'another status of success',
    /^\/atm/,
    (answer) => {
      answer.status = 206
    },
    'GET /atm: status - 200',
  ],
  [
    'a wrong status of creation',
    /^\/leads/,
    (answer) => {
      answer.status = 202
    },
    /POST \/leads: status - 201/,
  ],
  [
    'another content type',
    /^\/products/,
    (answer) => {
      answer.headers['content-type'] = 'text/plain'
    },
    'GET /products: content-type - application/json',
  ],
  [
    'no JSON',
    /^\/customer\b/,
    (answer) => {
      answer.body = '<html>'
    },
    'GET /customer: schema  json',
  ],
  [
    'records of a stranger',
    /^\/accounts\/[^/]+\/beneficiaries/,
    member('accountId', 'acc-of-a-stranger'),
    /beneficiaries: account data\[0\]\.accountId/,
  ],
  [
    'pages that are not kept',
    /page-size=1$/,
    (answer) => {
      answer.body = { data: [{}, {}], meta: {} }
    },
    /GET \/accounts\/\{accountId\}\/transactions: paging/,
  ],
  [
    'a customer whom nobody knows, served',
    /nobody/,
    (answer) => {
      answer.status = 200
    },
    /for a customer whom nobody knows: status/,
  ],
]

describe('a bank with', () => {
  test.each(FAULTS)('%s', async (_what, at, change, expected) => {
    proxy.change = (asked, answer) => {
      const psu = Buffer.from(String(asked.headers['o3-psu-identifier'] ?? ''), 'base64').toString()
      if (at.test(asked.url ?? '') || at.test(psu)) change(answer)
    }
    const report = await run(tenantOf(proxy.url))
    expect(report.ok).toBe(false)
    expect(found(report)).toContainEqual(
      expect.stringMatching(expected instanceof RegExp ? expected : escaped(expected)),
    )
    // Nothing of a value is told.
    expect(JSON.stringify(report)).not.toMatch(/acc-of-a-stranger|"much"|Maybe/)
  })

  test('no time for anybody', async () => {
    proxy.change = () => undefined
    const report = await run(tenantOf(proxy.url), { withinMs: 0, writes: false })
    expect(found(report)).toContain('GET /atm: timing - within 0 ms')
  })

  test('an open door: no certificate, no proof, any LFI, any account', async () => {
    const open = await startServer(rig, { requestCert: false }, (asked, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const health = { connectionEstablished: true, mtlsStatus: 'not-checked', hostName: 'localhost' }
      const body = asked.url?.startsWith('/hello') || asked.url === '/echo-cert' ? health : { data: {}, meta: {} }
      response.end(JSON.stringify(body))
    })
    const report = await run(tenantOf(open.url), { writes: false })
    await open.close()
    const all = found(report)
    expect(all).toContain('GET /hello-mtls without a client certificate: tls - refused')
    expect(all).toContain('GET /hello-mtls: tls mtlsStatus mtlsStatus established')
    for (const what of [
      'without what proves the hub: auth',
      'with a forged proof: auth',
      'for another LFI: headers',
      'without o3-consent-id: headers',
    ]) {
      expect(all).toContainEqual(expect.stringContaining(what))
    }
    expect(all).toContainEqual(expect.stringMatching(/for an account that is not the customer’s: account - 403/))
  })

  test('nobody at home', async () => {
    const report = await run(tenantOf('https://localhost:1'), { writes: false })
    expect(report.ok).toBe(false)
    expect(found(report)).toContain('GET /hello: reachable - answers')
    expect(found(report)).toContain('GET /atm: reachable - unreachable')
  })

  test('an authorization page that sends whoever comes to wherever they say', async () => {
    const page = await startServer(rig, { requestCert: false }, (asked, response) => {
      const to = new URL(asked.url ?? '', 'https://localhost').searchParams.get('redirect_uri') ?? ''
      response.writeHead(302, { location: to }).end()
    })
    const report = await run(
      { ...tenantOf(rig.bank.ozoneConnectUrl), authorizationEndpoint: `${page.url}/authorize` },
      { writes: false },
    )
    await page.close()
    expect(found(report)).toEqual([
      'GET the authorization endpoint with a request that nobody made: auth - no redirect to an address from the request',
    ])
  })
})

const escaped = (text: string): RegExp => new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')}$`)

type Proxy = {
  readonly url: string
  change: (asked: IncomingMessage, answer: Changed) => void
  close(): Promise<void>
}

/** Stands before the real bank with a certificate of its kind, and changes what it says. */
async function startProxy(at: Rig): Promise<Proxy> {
  const proxy: { change: Proxy['change'] } = { change: () => undefined }
  const agent = new Agent({ connect: { ca: at.ca, cert: at.hub.cert, key: at.hub.key } })
  const server = await startServer(at, { requestCert: true }, async (asked, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of asked as AsyncIterable<Buffer>) chunks.push(chunk)
    const { host: _, connection: __, 'content-length': ___, ...headers } = asked.headers
    const answered = await request(`${at.bank.ozoneConnectUrl}${asked.url}`, {
      method: asked.method as 'GET',
      dispatcher: agent,
      headers: headers as Record<string, string>,
      body: chunks.length === 0 ? null : Buffer.concat(chunks),
    })
    const text = await answered.body.text()
    const answer = {
      status: answered.statusCode,
      headers: { 'content-type': String(answered.headers['content-type'] ?? 'application/json') },
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    }
    proxy.change(asked, answer)
    response.writeHead(answer.status, answer.headers)
    response.end(
      answer.body === undefined
        ? undefined
        : typeof answer.body === 'string'
          ? answer.body
          : JSON.stringify(answer.body),
    )
  })
  return Object.assign(proxy, {
    url: server.url,
    close: async () => {
      await server.close()
      await agent.close()
    },
  })
}

async function startServer(
  at: Rig,
  tls: { readonly requestCert: boolean },
  handler: (asked: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server: Server = createServer(
    { cert: at.server.cert, key: at.server.key, ca: at.ca, rejectUnauthorized: tls.requestCert, ...tls },
    handler,
  )
  await new Promise<void>((ready) => {
    server.listen(0, '127.0.0.1', ready)
  })
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
