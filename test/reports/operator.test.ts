/** The operator's door of a running hub: figures, readiness, reports; and that dashboards name what there is. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuditReader } from '../../src/audit/index.ts'
import { systemClock } from '../../src/clock.ts'
import type { Config, FixedRole } from '../../src/config.ts'
import { type Hub, startHub } from '../../src/hub.ts'
import { newCorrelationId } from '../../src/ids.ts'
import { hubConfig } from '../support/hub-config.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { enrolTrustFramework, type TestTrustFramework } from '../support/trust-framework.ts'
import { dateOf, log } from './support/day.ts'

let framework: TestTrustFramework
let database: TestDatabase
let config: Config
let hub: Hub

beforeAll(async () => {
  framework = await enrolTrustFramework(systemClock)
  await framework.start()
  database = await createTestDatabase()
  config = await hubConfig(framework, database.url, ['as', 'rs', 'hh', 'cm', 'admin', 'worker'])
  hub = await startHub({ config, log })
}, 60_000)
afterAll(async () => {
  await hub.close()
  await framework.close()
  await database.close()
})

type Files = { certFile: string; keyFile: string }
type Sent = { method?: string; as?: Files; body?: unknown; headers?: Record<string, string> }
async function ask(door: FixedRole, path: string, { method = 'GET', as, body, headers = {} }: Sent = {}) {
  const files = as ?? framework.enrolment.hubs.aurora.adminClient
  const sent = request(`${config.tenants[0]?.listeners[door].origin}${path}`, {
    method,
    agent: false,
    ca: readFileSync(framework.enrolment.ca.bundleFile),
    cert: readFileSync(files.certFile),
    key: readFileSync(files.keyFile),
    headers,
  })
  sent.end(body === undefined ? undefined : JSON.stringify(body))
  const [response] = await once(sent, 'response')
  return {
    status: response.statusCode as number,
    headers: response.headers as Readonly<Record<string, string>>,
    text: await text(response),
  }
}
const admin = (path: string, sent: Sent = {}) => ask('admin', path, sent)
const tpp = (path: string, sent: Sent = {}) =>
  ask('rs', path, { as: framework.enrolment.tpp.primary.transport, ...sent })
const json = (answer: { text: string }) => JSON.parse(answer.text) as Record<string, unknown>
const today = () => dateOf(Date.now())
async function entriesOf(interactionId: string) {
  const found = await createAuditReader({ db: database.db }).findByInteraction(interactionId as never)
  return found.map(({ entry }) => entry)
}

describe('/metrics', () => {
  test('counts what happened at each door, by names alone', async () => {
    const interactionId = newCorrelationId()
    await tpp('/nowhere', { headers: { 'x-fapi-interaction-id': interactionId } })
    await tpp('/tpp-reports')
    await ask('as', '/token', { method: 'POST', as: framework.enrolment.tpp.primary.transport })
    await ask('hh', '/hello-mtls')
    await ask('cm', '/consents')
    await admin('/clients')
    const answer = await admin('/metrics')
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    for (const line of [
      'falaj_requests_total{door="rs",operation="none",status="4xx"} 1',
      'falaj_requests_total{door="rs",operation="TppReports_read",status="4xx"} 1',
      'falaj_requests_total{door="as",operation="token",status="4xx"} 1',
      'falaj_requests_total{door="hh",operation="helloMtls"',
      'falaj_requests_total{door="cm",operation="getAllConsents"',
      'falaj_requests_total{door="admin",operation="listClients",status="2xx"} 1',
      'falaj_refusals_total{door="rs",rule="route.known"} 1',
      'falaj_refusals_total{door="rs",rule="token.in-header"} 1',
      'falaj_request_duration_seconds_count{door="rs",operation="none",status="4xx",segment="total"} 1',
    ]) {
      expect(answer.text).toContain(line)
    }
    for (const id of [
      interactionId,
      framework.enrolment.tpp.primary.clientId,
      framework.enrolment.tpp.organisationId,
    ]) {
      expect(answer.text).not.toContain(id)
    }
  })

  test('has a value for every level', async () => {
    const { text: figures } = await admin('/metrics')
    const levels = [...figures.matchAll(/^# TYPE (falaj_\w+) gauge$/gm)].map((found) => String(found[1]))
    expect(levels.length).toBeGreaterThan(10)
    for (const name of levels) expect(figures, name).toMatch(new RegExp(`^${name}(?:\\{[^}]*\\})? \\d`, 'm'))
  })

  test('has every figure that the dashboard and the alerts ask for, with those labels', async () => {
    const { text: figures } = await admin('/metrics')
    const dashboard = JSON.parse(readFileSync('deploy/observability/grafana-dashboard.json', 'utf8')) as {
      panels: { targets: { expr: string }[] }[]
    }
    const rules = load(readFileSync('deploy/observability/alert-rules.yaml', 'utf8')) as {
      groups: { rules: { alert: string; expr: string }[] }[]
    }
    const asked = [
      ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ...rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr)),
    ]
    expect(asked.length).toBeGreaterThan(20)
    const KINDS = { counter: '', gauge: '', histogram: '_bucket' }
    const there = new Set(
      [...figures.matchAll(/^# TYPE (\w+) (counter|gauge|histogram)$/gm)].map(
        (found) => `${found[1]}${KINDS[found[2] as keyof typeof KINDS]}`,
      ),
    )
    // Whoever reads the figures of several LFIs gives them the label `tenant`, as the rules themselves say.
    const labels = new Set(['tenant', ...[...figures.matchAll(/(\w+)="/g)].map((found) => found[1])])
    for (const expr of asked) {
      const names = [...expr.matchAll(/\bfalaj_\w+/g)].map((found) => found[0])
      expect(names.length, expr).toBeGreaterThan(0)
      for (const name of names) expect(there, expr).toContain(name)
      const used = [
        ...[...expr.matchAll(/by \(([^)]*)\)/g)].flatMap((found) => String(found[1]).split(/, ?/)),
        ...[...expr.matchAll(/(\w+)="/g)].map((found) => found[1]),
      ]
      for (const label of used) expect(labels, expr).toContain(label)
    }
    // And nothing that the hub counts is watched by nobody.
    const watched = asked.join(' ')
    for (const name of there) expect(watched, name).toContain(name)
  })
})

describe('reports', () => {
  test('of the LFI, as JSON and as CSV', async () => {
    const path = `/reports/lfi-availability?from=${today()}&to=${today()}`
    const { data } = json(await admin(path)) as { data: unknown[] }
    expect(data).toMatchObject([{ Period: today(), LfiName: config.tenants[0]?.name }, { UptimePercentage: 100 }])
    const csv = await admin(`${path}&format=csv`)
    expect(csv.headers['content-type']).toContain('text/csv')
    expect(csv.text.split('\r\n')[0]).toBe(
      'Period,LfiId,LfiName,TotalTimeMinutes,TotalUptimeMinutes,PlannedDowntimeMinutes,UnplannedDowntimeMinutes,' +
        'TotalDowntimeMinutes,UptimePercentage,DowntimePercentage,UnplannedDowntimePercentage',
    )
    expect(csv.text.trimEnd().split('\r\n')).toHaveLength(3)
  })

  test('of the raw log, in both forms, with the meaning of each column', async () => {
    for (const _ of [1, 2]) await tpp('/nowhere')
    const path = `/reports/raw-log?from=${today()}&to=${today()}`
    await expect
      .poll(async () => (await admin(path)).text.split('"Rule":"route.known"').length, { timeout: 20_000 })
      .toBeGreaterThan(2)
    const [header, ...rows] = (await admin(`${path}&format=csv`)).text.trimEnd().split('\r\n')
    const { data } = json(await admin('/reports/raw-log/fields')) as { data: { name: string }[] }
    expect(header?.split(',')).toEqual(data.map(({ name }) => name))
    expect(rows.length).toBeGreaterThan(1)
  })

  test('of the day and the hour, once they are counted', async () => {
    const path = `?from=${today()}&to=${today()}`
    const rows = async (kind: string) =>
      (json(await admin(`/reports/${kind}${path}`)) as { data: { door: string }[] }).data
    await expect
      .poll(async () => (await rows('daily')).some(({ door }) => door === 'rs'), { timeout: 20_000 })
      .toBe(true)
    expect((await rows('hourly')).some(({ door }) => door === 'admin')).toBe(true)
  })

  test('of consents, payments, billing, versions and times', async () => {
    await tpp('/open-finance/account-information/v2.1/accounts')
    const path = (name: string) => `/reports/${name}?from=${today()}&to=${today()}`
    const rows = async (name: string) => (json(await admin(path(name))) as { data: Record<string, unknown>[] }).data
    await expect.poll(() => rows('billing'), { timeout: 20_000 }).not.toEqual([])
    expect(await rows('billing')).toMatchObject([
      {
        ...{ Dataset: 'billing', ReportingPeriodDate: today(), LfiName: config.tenants[0]?.name, HttpMethod: 'GET' },
        ...{ Url: '/open-finance/account-information/v2.1/accounts', HttpResponseCodeGroup: '4xx', TotalCalls: 1 },
      },
    ])
    expect((await admin(`${path('billing')}&format=csv`)).text).toMatch(
      /^Dataset,ReportingPeriodDate,LfiId,LfiName,TppId,/,
    )
    expect((await rows('times')).map((row) => row['Dataset'])).toContain('times')
    for (const name of ['consents', 'payments', 'versions']) expect(await rows(name), name).toEqual([])
  })

  test.each([
    ['no days', '/reports/daily', 400],
    ['too many days', '/reports/daily?from=2024-01-01&to=2026-01-01', 400],
    ['a form that is none', '/reports/lfi-availability?from=2026-01-01&to=2026-01-01&format=xml', 400],
    ['another form of the raw log', '/reports/raw-log?from=2026-01-01&to=2026-01-01&format=json', 400],
    ['no such report', '/reports/other', 404],
  ])('with %s are refused', async (_what, path, status) => {
    expect((await admin(path)).status).toBe(status)
  })

  test.each([
    '/metrics',
    '/reports/daily',
    '/reports/consents',
    '/reports/raw-log',
    '/outages',
    `/refusals/${newCorrelationId()}`,
  ])('%s is not for a TPP', async (path) => {
    const answer = await admin(path, { as: framework.enrolment.tpp.primary.transport })
    expect(answer.status).toBe(401)
  })
})

describe('outages', () => {
  test('are begun, listed and ended, each on record under its interaction id', async () => {
    const interactionId = newCorrelationId()
    const headers = { 'x-fapi-interaction-id': interactionId }
    const body = { kind: 'unplanned', subject: 'lfi', reason: 'core banking is down' }
    const begun = await admin('/outages', { method: 'POST', body, headers })
    expect(begun.status).toBe(201)
    const { id } = json(begun) as { id: string }
    expect((json(await admin('/outages')) as { data: unknown[] }).data).toMatchObject([{ id, endsAt: null }])
    expect((await admin('/metrics')).text).toContain('falaj_outages_open 1')
    expect(json(await admin(`/outages/${id}/end`, { method: 'POST', headers }))['endsAt']).not.toBeNull()
    expect((await admin(`/outages/${id}/end`, { method: 'POST' })).status).toBe(404)
    expect(await entriesOf(interactionId)).toMatchObject([
      { kind: 'admin-act', act: 'outage begun' },
      { kind: 'lfi-request', surface: 'admin', operationId: 'declareOutage', status: 201, route: '/outages' },
      { kind: 'admin-act', act: 'outage ended' },
      { kind: 'lfi-request', surface: 'admin', operationId: 'endOutage', route: '/outages/{id}/end', resource: 'end' },
    ])
  })

  test.each<[string, unknown]>([
    ['no subject', { kind: 'unplanned', reason: 'x' }],
    ['no kind', { subject: 'lfi', reason: 'x' }],
    ['no reason', { subject: 'lfi', kind: 'unplanned' }],
    ['no notice', { subject: 'lfi', kind: 'planned', reason: 'x', startsAt: new Date().toISOString(), endsAt: 'x' }],
    ['no object', 'x'],
  ])('with %s are refused', async (_what, body) => {
    const before = (json(await admin('/outages')) as { data: unknown[] }).data.length
    expect((await admin('/outages', { method: 'POST', body })).status).toBe(400)
    expect((json(await admin('/outages')) as { data: unknown[] }).data).toHaveLength(before)
  })

  test('are not deleted', async () => {
    const answer = await admin('/outages', { method: 'DELETE' })
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET, POST'])
  })
})

describe('a refusal', () => {
  test('is explained to the operator, at whatever door it was', async () => {
    const interactionId = newCorrelationId()
    const headers = { 'x-fapi-interaction-id': interactionId }
    await tpp('/nowhere', { headers })
    await ask('as', '/token', { method: 'POST', as: framework.enrolment.tpp.primary.transport, headers })
    await ask('cm', '/nowhere', { headers })
    const { data } = json(await admin(`/refusals/${interactionId}`)) as { data: unknown[] }
    expect(data).toMatchObject([
      { Door: 'rs', Rule: 'route.known', Clause: 'tpp-api 7.3', Status: 404 },
      { Door: 'as', Rule: null, Clause: 'tpp-api 2.10', Code: 'invalid_request', Expected: expect.any(String) },
    ])
    expect((await admin(`/refusals/${newCorrelationId()}`)).status).toBe(404)
  })
})

/** The last: it damages the database step by step. */
describe('/health/ready', () => {
  const ready = async () => json(await admin('/health/ready'))

  test('leaves nothing behind', async () => {
    const own = async () => JSON.stringify(await database.db('audit_entry').where({ interaction_id: null }).count())
    const before = await own()
    expect(await ready()).toEqual({ status: 'ready' })
    expect(await own()).toBe(before)
  })

  test('says so when the audit log cannot be written', async () => {
    const { db } = database
    await db.raw('alter table audit_entry add constraint full_disk check (false) not valid')
    expect(await ready()).toEqual({ status: 'not-ready', failing: ['audit'] })
    await db.raw('alter table audit_entry drop constraint full_disk')
    expect(await ready()).toEqual({ status: 'ready' })
  })

  test('says so when migrations are pending', async () => {
    await database.db('schema_migration').where({ name: '0050-reports' }).delete()
    expect(await ready()).toEqual({ status: 'not-ready', failing: ['migrations'] })
    await database.db('schema_migration').insert({ name: '0050-reports' })
    await pause(1)
    expect((await admin('/health/ready')).status).toBe(200)
  })
})
