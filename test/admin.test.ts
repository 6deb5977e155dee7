/** The operator's door of a hub that runs as it would, with the sandbox's trust framework behind it. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type AdminDeps, mountAdmin } from '../src/admin/index.ts'
import { createAudit, createAuditReader } from '../src/audit/index.ts'
import { iso, plus, systemClock, toMilliseconds, toSeconds } from '../src/clock.ts'
import type { Config } from '../src/config.ts'
import { type ConsentStore, type ConsentType, createConsentStore } from '../src/consent-store/index.ts'
import { type Db, inTransaction, openDatabase } from '../src/db.ts'
import { createDeviations } from '../src/deviations/index.ts'
import { type Hub, startHub } from '../src/hub.ts'
import { newCorrelationId } from '../src/ids.ts'
import { createApp, openDoors } from '../src/listener.ts'
import { createLog } from '../src/log.ts'
import { createParticipants } from '../src/participants/index.ts'
import { createResourceLog } from '../src/resource-log/index.ts'
import { createAuthority } from './gateway/support/pki.ts'
import { databaseUrl } from './support/database-url.ts'
import { freePort } from './support/free-port.ts'
import { hubConfig } from './support/hub-config.ts'
import { createTestDatabase, type TestDatabase } from './support/postgres.ts'
import { enrolTrustFramework, peerWith, type TestTrustFramework } from './support/trust-framework.ts'
import { paymentIntent, record, settle } from './unit/consent-store/payments.ts'
import { AUTHORIZE, LFI, lodgeAsk, newConsentId, TPP } from './unit/consent-store/support.ts'

type Pem = { readonly cert: string; readonly key: string }

let framework: TestTrustFramework
let database: TestDatabase
let config: Config
let hub: Hub
let operator: Pem
const log = createLog({ level: 'silent', name: 'test' })

beforeAll(async () => {
  framework = await enrolTrustFramework(systemClock)
  await framework.start()
  database = await createTestDatabase()
  config = await hubConfig(framework, database.url, ['admin'])
  hub = await startHub({ config, log })
  operator = pemOf(framework.enrolment.hubs.aurora.adminClient)
  await registerPrimary()
}, 60_000)
afterAll(async () => {
  await hub.close()
  await framework.close()
  await database.db.destroy()
})

const pemOf = (files: { certFile: string; keyFile: string }): Pem => ({
  cert: readFileSync(files.certFile, 'utf8'),
  key: readFileSync(files.keyFile, 'utf8'),
})
async function registerPrimary(): Promise<void> {
  const [tenant] = config.tenants
  if (tenant === undefined) throw new Error('no tenant')
  const audit = createAudit({ db: database.db, tenantId: tenant.id, clock: systemClock, log })
  const deps = { db: database.db, tenant, trustFramework: config.trustFramework, audit, clock: systemClock, log }
  const participants = createParticipants(deps)
  await participants.register(peerWith(framework.enrolment.tpp.primary.transport), newCorrelationId())
  await participants.close()
  await audit.close()
}

type Sent = { method?: string; as?: Pem | null; body?: string; interactionId?: string }
async function ask(path: string, { method = 'GET', as = operator, body, interactionId }: Sent = {}) {
  const origin = config.tenants[0]?.listeners.admin.origin ?? ''
  const sent = request(`${origin}${path}`, {
    method,
    agent: false,
    ca: readFileSync(framework.enrolment.ca.bundleFile),
    ...(as ?? {}),
    headers: interactionId === undefined ? {} : { 'x-fapi-interaction-id': interactionId },
  })
  sent.end(body)
  const [response] = await once(sent, 'response')
  const answer = await text(response)
  return {
    status: response.statusCode as number,
    headers: response.headers as Readonly<Record<string, string>>,
    body: answer === '' ? null : (JSON.parse(answer) as Record<string, unknown>),
  }
}
const put = (path: string, status: unknown, sent: Sent = {}) =>
  ask(path, { method: 'PUT', body: JSON.stringify({ status }), ...sent })
const client = () => framework.enrolment.tpp.primary
const statusNow = async () =>
  ((await ask('/clients')).body as { data: { clientId: string; status: string }[] }).data.find(
    (each) => each.clientId === client().clientId,
  )?.status

describe('the LFI', () => {
  test('is asked whether it is there, in the clear and over mutual TLS', async () => {
    // Nobody plays the bank here.
    const { status, body } = await ask('/health/lfi')
    expect(status).toBe(503)
    expect(body).toMatchObject({ hello: { ok: false }, helloMtls: { ok: false } })
  })

  test('its deviations are shown and forgotten, to the LFI’s own people only', async () => {
    const deviations = createDeviations({ db: database.db, clock: systemClock, log })
    deviations.note('findAccounts', { 'data[].status enum': 2 })
    await deviations.close()
    expect((await ask('/deviations')).body).toMatchObject({
      data: [{ operationId: 'findAccounts', path: 'data[].status', rule: 'enum', count: 2 }],
    })
    for (const path of ['/deviations', '/health/lfi']) {
      const refused = await ask(path, { as: null }).then(
        ({ status }) => status,
        () => 'refused in the handshake',
      )
      expect(refused).toBe('refused in the handshake')
    }
    expect((await ask('/deviations', { method: 'POST' })).status).toBe(405)
    expect((await ask('/deviations', { method: 'DELETE' })).status).toBe(204)
    expect((await ask('/deviations')).body).toEqual({ data: [] })
  })
})

describe('who may come in', () => {
  const NO_HANDSHAKE = /alert|ECONNRESET|socket hang up|disconnected before secure/
  test('nobody without a certificate', async () => {
    await expect(ask('/health/live', { as: null })).rejects.toThrow(NO_HANDSHAKE)
  })

  test('nobody with a certificate of a foreign authority, whatever it says', async () => {
    const { organisationId, lfiName } = framework.enrolment.hubs.aurora
    const forged = await (await createAuthority('Elsewhere')).issue({ O: lfiName, OU: organisationId, CN: 'console' })
    const as = { cert: forged.certificate, key: forged.key }
    await expect(ask('/health/live', { as })).rejects.toThrow(NO_HANDSHAKE)
    await expect(ask('/clients', { as: pemOf(framework.enrolment.rogue.client) })).rejects.toThrow(NO_HANDSHAKE)
  })

  test.each([
    ['a TPP', () => pemOf(framework.enrolment.tpp.primary.transport)],
    ['another LFI', () => pemOf(framework.enrolment.hubs.meridian.adminClient)],
    ['the hub itself', () => pemOf(framework.enrolment.hubs.aurora.toLfi)],
  ])('not %s', async (_who, as) => {
    expect(await ask('/clients', { as: as() })).toMatchObject({ status: 401, body: { errorCode: 'Unauthorized' } })
    const before = await statusNow()
    expect((await put(`/clients/${client().clientId}/status`, 'blocked', { as: as() })).status).toBe(401)
    expect((await ask('/nowhere', { as: as() })).status).toBe(401)
    expect(await statusNow()).toBe(before)
  })
})

test('what is refused before it is a request of anybody’s is in the log, added up', async () => {
  const own = await hubConfig(framework, database.url, ['admin'])
  const { origin } = own.tenants[0]?.listeners.admin ?? {}
  const other = await startHub({ config: own, log })
  for (let times = 0; times < 3; times += 1) {
    const ca = readFileSync(framework.enrolment.ca.bundleFile)
    const sent = request(`${origin}/health/live`, {
      ...{ agent: false, ca, servername: 'localhost', ...operator },
      headers: { host: 'evil.example' },
    })
    sent.end()
    const [response] = await once(sent, 'response')
    expect(response.statusCode).toBe(421)
    response.resume()
  }
  await other.close()
  const written = await database.db('audit_entry').select('bytes').orderBy('id')
  const entries = written.map(({ bytes }) => JSON.parse(String(bytes)) as { kind: string })
  expect(entries.filter(({ kind }) => kind === 'refused-early')).toMatchObject([
    { surface: 'admin', status: 421, reason: 'host', calls: 3, interactionId: null },
  ])
})

describe('consents', () => {
  const lodged = async (
    type: ConsentType = 'account-access',
  ): Promise<{ id: string; store: ConsentStore; close: () => Promise<void> }> => {
    const tenantId = config.tenants[0]?.id
    if (tenantId === undefined) throw new Error('no tenant')
    const audit = createAudit({ db: database.db, tenantId, clock: systemClock, log })
    const store = createConsentStore({ db: database.db, tenantId, clock: systemClock, audit })
    const id = newConsentId()
    const ask = { ...lodgeAsk(id, { type }), authorizeBy: plus(systemClock.now(), toMilliseconds(3_600_000)) }
    const consent = {
      ...ask.request.consent,
      ExpirationDateTime: iso(plus(systemClock.now(), toMilliseconds(86_400_000))),
    }
    await inTransaction(database.db, (tx) => store.lodge(tx, { ...ask, request: { ...ask.request, consent } }, TPP))
    return { id, store, close: () => audit.close() }
  }
  test('are shown as they were at any moment, with who made them so', async () => {
    const { id, store, close } = await lodged()
    const first = systemClock.now()
    await new Promise((resolve) => setTimeout(resolve, 20))
    await store.patchByLfi(id as never, AUTHORIZE, LFI)
    await close()
    const now = await ask(`/consents/${id}`)
    expect(now.status).toBe(200)
    expect(now.body?.['data']).toMatchObject({
      revision: 2,
      record: { id, status: 'Authorized', accountIds: ['acc-1'] },
      since: { change: 'authorize', from: 'AwaitingAuthorization', to: 'Authorized', by: { by: 'lfi' } },
    })
    const then = await ask(`/consents/${id}?at=${iso((first + 1) as typeof first)}`)
    expect(then.body?.['data']).toMatchObject({
      revision: 1,
      record: { status: 'AwaitingAuthorization' },
      since: { change: 'lodged', by: { by: 'tpp' } },
    })
    const history = (await ask(`/consents/${id}/history`)).body?.['data'] as Record<string, unknown>[]
    expect(history.map(({ revision, change }) => [revision, change])).toEqual([
      [1, 'lodged'],
      [2, 'authorize'],
    ])
  })

  test('and payments that wait to be settled, by their names, and one by its key', async () => {
    const { id, store, close } = await lodged('service-initiation')
    await store.patchByLfi(id as never, AUTHORIZE, LFI)
    const tenantId = config.tenants[0]?.id
    if (tenantId === undefined) throw new Error('no tenant')
    const audit = createAudit({ db: database.db, tenantId, clock: systemClock, log })
    const resources = createResourceLog({ db: database.db, tenantId, clock: systemClock, audit, consents: store })
    const intent = paymentIntent(id as never, { idempotencyKey: 'key/1' })
    const asked = await record(database.db, resources, intent)
    const query = `/payments?unsettled=true&consentId=${id}`
    expect((await ask(query)).body).toEqual({ data: [] })
    if (asked.outcome !== 'recorded') throw new Error(asked.outcome)
    await settle(database.db, resources, asked.payment.logId, { kind: 'unknown' })
    await audit.close()
    await close()
    const listed = (await ask(query)).body?.['data']
    const line = {
      idempotencyKey: 'key/1',
      consentId: id,
      standing: 'unsettled',
      paymentId: `unanswered-${asked.payment.logId}`,
    }
    expect(listed).toMatchObject([line])
    expect(JSON.stringify(listed)).not.toMatch(/100\.00|acc-1|u-42|eyJ/)
    const interactionId = newCorrelationId()
    const shown = (await ask(`/payments/${encodeURIComponent('key/1')}`, { interactionId })).body?.['data']
    expect(shown).toMatchObject([
      {
        ...line,
        accountId: 'acc-1',
        instruction: { Amount: { Amount: '100.00' } },
        history: [{ change: 'asked' }, { change: 'unanswered' }],
      },
    ])
    expect(JSON.stringify(shown)).not.toMatch(/u-42|eyJ/)
    expect((await ask(`/payments/${line.paymentId}`)).body?.['data']).toMatchObject([line])
    const seen = await createAuditReader({ db: database.db }).findByInteraction(interactionId)
    expect(seen.map(({ entry }) => entry)).toMatchObject([
      { kind: 'consent-viewed', act: 'payment read', consentId: id },
      { kind: 'lfi-request', operationId: 'showPayments', route: '/payments/{name}', status: 200 },
    ])
    for (const [path, status] of [
      ['/payments/nobody', 404],
      ['/payments/%', 404],
      ['/payments?unsettled=yes', 400],
      ['/payments?consentId=nobody', 400],
      ['/payments?page=1', 400],
    ] as const) {
      expect([path, (await ask(path)).status]).toEqual([path, status])
    }
  })

  test('leave a trace of whoever looked', async () => {
    const { id, close } = await lodged()
    await close()
    const interactionId = newCorrelationId()
    await ask(`/consents/${id}/history`, { interactionId })
    const found = await createAuditReader({ db: database.db }).findByInteraction(interactionId)
    expect(found.map(({ entry }) => entry)).toMatchObject([
      { kind: 'consent-viewed', act: 'consent history read', consentId: id },
      { kind: 'lfi-request', surface: 'admin', operationId: 'showConsentHistory', status: 200 },
    ])
  })

  test('that are not there, or were not yet, are not found', async () => {
    const { id, close } = await lodged()
    await close()
    for (const path of [
      `/consents/${newConsentId()}`,
      `/consents/${newConsentId()}/history`,
      '/consents/no-uuid',
      '/consents/%00',
      `/consents/${id}?at=2001-01-01T00:00:00Z`,
    ]) {
      expect((await ask(path)).status, path).toBe(404)
    }
  })

  test.each([
    'at=yesterday',
    'at=2026-03-01',
    'at=2026-03-01T10:00:00',
    'at=2026-13-01T10:00:00Z',
    'at=2026-03-01T10:00:00Z&at=2026-03-01T10:00:00Z',
    'when=now',
    'at=',
  ])('are not shown for %s', async (query) => {
    const { id, close } = await lodged()
    await close()
    const { status, body } = await ask(`/consents/${id}?${query}`)
    expect([status, body?.['errorCode']]).toEqual([400, 'Resource.InvalidFormat'])
  })

  test('are not changed here, and their history takes no moment', async () => {
    const { id, close } = await lodged()
    await close()
    expect((await ask(`/consents/${id}`, { method: 'DELETE' })).status).toBe(405)
    expect((await ask(`/consents/${id}/history?at=2026-03-01T10:00:00Z`)).status).toBe(400)
  })
})

describe('participants', () => {
  test('are listed', async () => {
    const { status, headers, body } = await ask('/clients')
    expect([status, headers['cache-control']]).toEqual([200, 'no-store'])
    expect(body).toEqual({
      data: [
        {
          clientId: client().clientId,
          clientName: 'Wadi Budget',
          tppName: 'Wadi Money',
          organisationId: framework.enrolment.tpp.organisationId,
          softwareStatementId: client().softwareStatementId,
          status: 'inactive',
          roles: ['BDSP', 'BSIP', 'ISP'],
        },
      ],
    })
  })

  test('are activated on three levels, each on record with the actor', async () => {
    const interactionId = newCorrelationId()
    for (const path of [
      `/tpps/${framework.enrolment.tpp.organisationId}`,
      `/software-statements/${client().softwareStatementId}`,
      `/clients/${client().clientId}`,
    ]) {
      expect(await statusNow()).toBe('inactive')
      const answer = await put(`${path}/status`, 'active', { interactionId })
      expect(answer).toMatchObject({ status: 204, body: null, headers: { 'x-fapi-interaction-id': interactionId } })
    }
    expect(await statusNow()).toBe('active')
    const entries = await createAuditReader({ db: database.db }).findByInteraction(interactionId)
    const actor = framework.enrolment.hubs.aurora.adminClient.clientId
    expect(entries.map(({ entry }) => entry).filter((entry) => entry?.kind === 'admin-act')).toMatchObject([
      { kind: 'admin-act', actor, act: 'tpp active', target: framework.enrolment.tpp.organisationId },
      { kind: 'admin-act', actor, act: 'software-statement active', target: client().softwareStatementId },
      { kind: 'admin-act', actor, act: 'client active', target: client().clientId },
    ])
  })

  test('gives the operator the receipts of any call, and nobody else', async () => {
    const interactionId = newCorrelationId()
    await put(`/clients/${client().clientId}/status`, 'active', { interactionId })
    const path = `/audit/receipts/${interactionId}`
    expect(await ask(path)).toMatchObject({ status: 200, body: { interactionId, pending: 2, receipts: [] } })
    expect((await ask(`/audit/receipts/${newCorrelationId()}`)).status).toBe(404)
    expect((await ask(path, { method: 'DELETE' })).status).toBe(404)
    expect((await ask(path, { as: pemOf(framework.enrolment.tpp.primary.transport) })).status).toBe(401)
  })

  test.each<[string, string, Sent, number]>([
    ['an unknown client', `/clients/${crypto.randomUUID()}/status`, {}, 404],
    ['an unknown level', '/banks/x/status', {}, 404],
    ['a path beside', '/clients/x', {}, 404],
    ['an id with a slash too many', '/clients/x/y/status/', {}, 404],
    ['an escaped id', '/clients/%2e%2e/status', {}, 404],
    ['a status that is none', '/clients/x/status', { body: '{"status":"Active"}' }, 400],
    ['no status', '/clients/x/status', { body: '{}' }, 400],
    ['null', '/clients/x/status', { body: 'null' }, 400],
    ['no JSON', '/clients/x/status', { body: 'active' }, 400],
    ['a body that is too large', '/clients/x/status', { body: JSON.stringify({ status: 'x'.repeat(5000) }) }, 413],
  ])('%s is refused', async (_what, path, sent, status) => {
    const interactionId = newCorrelationId()
    expect((await put(path, 'active', { interactionId, ...sent })).status).toBe(status)
    const entries = await createAuditReader({ db: database.db }).findByInteraction(interactionId)
    expect(entries.map(({ entry }) => entry)).toMatchObject([{ kind: 'lfi-request', surface: 'admin', status }])
  })

  test.each(['GET', 'POST', 'DELETE'])('%s is not how a status is set', async (method) => {
    const answer = await ask(`/clients/${client().clientId}/status`, { method })
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'PUT'])
  })
})

/** The last of it takes the database away for good. */
describe('health', () => {
  test('does not hang with a database that does not answer', async () => {
    const silent = { raw: () => new Promise(() => {}) } as unknown as Db
    const tenant = config.tenants[0]
    if (tenant === undefined) throw new Error('no tenant')
    const app = createApp({ log, clock: systemClock })
    mountAdmin(app, { tenant, db: silent } as AdminDeps)
    const port = await freePort()
    const listener = { ...tenant.listeners.admin, port, origin: `https://localhost:${port}` }
    const door = { tenantId: tenant.id, role: 'admin', listener, clientCertificates: 'none', app } as const
    const listeners = await openDoors([door], { log, drainSeconds: toSeconds(0) })
    const sent = request(`${listener.origin}/health/ready`, {
      agent: false,
      ca: readFileSync(framework.enrolment.ca.bundleFile),
    })
    sent.end()
    const [response] = await once(sent, 'response')
    expect(response.statusCode).toBe(503)
    await listeners.close()
  })

  test('is asked by anyone whom the handshake lets in', async () => {
    const as = pemOf(framework.enrolment.tpp.primary.transport)
    expect(await ask('/health/live', { as })).toMatchObject({ status: 200, body: { status: 'up' } })
    expect(await ask('/health/ready', { as })).toMatchObject({ status: 200, body: { status: 'ready' } })
  })

  test('is not there for orchestrators without the database, while the process lives', async () => {
    const admin = openDatabase({
      url: databaseUrl(inject('postgresAdminUrl'), 'postgres'),
      poolMax: 1,
      applicationName: 'test-admin',
    })
    await database.db.destroy()
    await admin.raw('drop database ?? with (force)', [new URL(database.url.reveal()).pathname.slice(1)])
    await admin.destroy()
    const began = performance.now()
    expect(await ask('/health/ready')).toMatchObject({
      status: 503,
      body: { status: 'not-ready', failing: ['database'] },
    })
    expect(performance.now() - began).toBeLessThan(3000)
    expect((await ask('/health/live')).status).toBe(200)
    expect((await ask('/clients')).status).toBe(500)
  })
})
