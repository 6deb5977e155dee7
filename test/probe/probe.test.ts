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
import { type Finding, type ProbeReport, type ProbeTarget, probe } from '../../src/probe/index.ts'
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
const FILE = Buffer.from('iban,amount\nAE07,1.00\n')
const target: ProbeTarget = {
  psu: { userId: layla?.userId ?? '' },
  accountIds: layla?.accountIds ?? [],
  iban: account === undefined ? null : accountNumbers(account, BANKS.aurora)[0].identification,
  writes: true,
  payments: {
    amount: '1.00',
    consentId: null,
    personal: null,
    file: { bytes: FILE, described: { FileType: 'csv', NumberOfTransactions: 1, ControlSum: '1.00' }, consentId: null },
  },
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
  const listeners = { rs: { origin: 'https://rs.aurora.example' } }
  return {
    id: 'aurora',
    listeners,
    authorizationEndpoint: `${rig.bank.pagesUrl}/authorize`,
    lfi,
  } as unknown as TenantConfig
}
const run = (tenant: TenantConfig, more: Partial<ProbeTarget> = {}): Promise<ProbeReport> =>
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
  for (const { method, path } of registry.operations('service-initiation')) expect(asked).toContain(`${method} ${path}`)
  for (const { method, path } of registry.operations('fx-and-account-opening')) {
    expect(asked).toContain(`${method} ${path}`)
  }
  expect(asked.filter((each) => / (?:without|with|for) /.test(each)).length).toBeGreaterThan(6)
})

test('what it asks for is itself in the form of the contract', async () => {
  const bodies: (readonly [string, unknown])[] = []
  proxy.change = (asked, _answer, body) => {
    if (asked.method !== 'GET')
      bodies.push([`${asked.method} ${asked.url?.replace(/\?.*|\/[0-9a-f-]{36}/g, '')}`, body])
  }
  expect(found(await run(tenantOf(proxy.url)))).toEqual([])
  const checks = {
    'POST /payments': registry.requestBody('service-initiation', 'makePayment'),
    'POST /payment-consents': registry.requestBody('service-initiation', 'createBulkBatchPaymentConsent'),
    'POST /accounts': registry.requestBody('fx-and-account-opening', 'CreateAccount_create'),
    'POST /fx-quotes': registry.requestBody('fx-and-account-opening', 'CreateFxQuote_create'),
    'PATCH /fx-quotes': registry.requestBody('fx-and-account-opening', 'FxQuote_patch'),
    'POST /leads': registry.requestBody('products-data', 'CreateLead'),
  }
  for (const [operation, check] of Object.entries(checks)) {
    const [first] = bodies.filter(([name]) => name === operation)
    expect([operation, check?.(first?.[1])]).toEqual([operation, []])
  }
})

test('no money moves unless somebody says so', async () => {
  const asked: string[] = []
  proxy.change = ({ method, url }) => void asked.push(`${method} ${url}`)
  expect(found(await run(tenantOf(proxy.url), { payments: null }))).toEqual([])
  expect(asked.filter((each) => / \/payment|PATCH/.test(each))).toEqual([])
})

test('without an account it asks what it can', async () => {
  const report = await run(tenantOf(rig.bank.ozoneConnectUrl), { accountIds: [], writes: false, payments: null })
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

/** Of the answer as a whole. */
const data =
  (change: (data: Record<string, Record<string, unknown>>) => void): Change =>
  ({ body }) =>
    change((body as { data: Record<string, Record<string, unknown>> }).data)
const status =
  (code: number): Change =>
  (answer) => {
    answer.status = code
  }
const MONEY: readonly [what: string, at: RegExp, change: Change, expected: string][] = [
  [
    'a payment under another id each time',
    /^POST \/payments$/,
    data((it) => Object.assign(it, { id: crypto.randomUUID() })),
    'POST /payments again under the same key: payment data.id as it was ordered',
  ],
  [
    'a payment of another amount',
    /^POST \/payments$/,
    data((it) => Object.assign(it['instruction']?.['Amount'] ?? {}, { amount: '7.77' })),
    'POST /payments: payment data.instruction.Amount.amount as it was ordered',
  ],
  [
    'a payment under another consent',
    /^POST \/payments$/,
    data((it) => Object.assign(it, { consentId: 'a-stranger' })),
    'POST /payments: payment data.consentId as it was ordered',
  ],
  [
    'the status of another payment',
    /^GET \/payments\/[^/]+$/,
    data((it) => Object.assign(it, { id: 'a-stranger' })),
    'GET /payments/{paymentId}: payment data.id as it was ordered',
  ],
  [
    'a status that there is not',
    /^GET \/payments\/[^/]+$/,
    data((it) => Object.assign(it, { status: 'Maybe' })),
    'GET /payments/{paymentId}: schema data.status enum',
  ],
  ['a payment that is only accepted', /^POST \/payments$/, status(202), 'POST /payments: status - 201'],
  [
    'an order without a purpose, carried out',
    /^POST \/payments$/,
    ({ status: was }) => was,
    'POST /payments without a purpose: status - 400',
  ],
  [
    'a refund without an account',
    /refund$/,
    data((it) => delete it['refundAccount']),
    'GET /payment-consents/{consentId}/refund: schema data.refundAccount required',
  ],
  ['a file taken with a body', /\/file$/, status(200), 'POST /payment-consents/{consentId}/file: status - 204'],
  [
    'a consent of a file that is not created',
    /^POST \/payment-consents$/,
    status(204),
    'POST /payment-consents: status - 201',
  ],
  ['no report', /report-file$/, status(404), 'GET /payments/{paymentId}/report-file: status - 200'],
  ['a quote that is taken twice as long', /^PATCH/, status(202), 'PATCH /fx-quotes/{FxQuoteId}: status - 204'],
  ['an opening that is created', /^POST \/accounts$/, status(201), 'POST /accounts: status - 200'],
  [
    'the opening of another',
    /^GET \/accounts\/[^/]+\/status$/,
    data((it) => Object.assign(it, { AccountId: 'a-stranger' })),
    'GET /accounts/{AccountId}/status: account data.AccountId of the opening asked for',
  ],
]

describe('a bank that has', () => {
  test.each(MONEY)('%s', async (what, at, change, expected) => {
    proxy.change = (asked, answer, body) => {
      if (!at.test(`${asked.method} ${asked.url}`)) return
      if (!what.includes('without a purpose')) return void (answer.status < 300 && change(answer))
      const ordered = (body as { request?: { Data?: object } }).request?.Data ?? {}
      if (!('PaymentPurposeCode' in ordered)) answer.status = 201
    }
    const report = await run(tenantOf(proxy.url), { accountIds: [] })
    expect(found(report)).toContain(expected)
    expect(JSON.stringify(report)).not.toMatch(/a-stranger|Maybe|7\.77/)
  })
})

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

/** As it is where it is not JSON: files are not. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

type Proxy = {
  readonly url: string
  change: (asked: IncomingMessage, answer: Changed, body: unknown) => void
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
      body: text === '' ? undefined : parsed(text),
    }
    proxy.change(asked, answer, chunks.length === 0 ? undefined : parsed(Buffer.concat(chunks).toString()))
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
