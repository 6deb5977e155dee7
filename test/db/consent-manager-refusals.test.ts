import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ConsentId } from '../../src/ids.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import {
  AUTHORIZE_BODY,
  BODY_BYTES_MAX,
  LFI_APPLICATION,
  openManager,
  REVOKE_BODY,
  said,
  type TestManager,
} from '../unit/consent-store/manager.ts'
import { NOW, newConsentId } from '../unit/consent-store/support.ts'

let database: TestDatabase
let cm: TestManager

beforeAll(async () => {
  database = await createTestDatabase()
  cm = await openManager(database.db)
})
afterAll(async () => {
  await cm?.close()
  await database?.close()
})
beforeEach(() => cm.hub.clock.set(NOW))

describe('what is refused', () => {
  const REFUSED: readonly { what: string; body: unknown; code?: string }[] = [
    { what: 'no channel', body: { status: 'Authorized' } },
    { what: 'an unknown channel', body: { authorizationChannel: 'Phone' } },
    {
      what: 'a nested consentBody',
      body: { authorizationChannel: 'App', consentBody: { Data: { Status: 'Authorized' } } },
    },
    { what: 'an unknown member', body: { authorizationChannel: 'App', note: 'x' } },
    { what: 'a wrapped body', body: { data: AUTHORIZE_BODY } },
    { what: 'a member of insurance consents', body: { authorizationChannel: 'App', insurancePolicyIds: ['p'] } },
    { what: 'a member of payment consents', body: { authorizationChannel: 'App', ConnectToken: 'x' } },
    {
      what: 'an immutable member',
      body: { authorizationChannel: 'App', 'consentBody.Data.Permissions': ['ReadBalances'] },
    },
    {
      what: 'an inherited name',
      body: JSON.parse('{"authorizationChannel":"App","__proto__":{"status":"Authorized"}}'),
    },
    { what: 'a status that cannot be patched', body: { authorizationChannel: 'App', status: 'AwaitingAuthorization' } },
    { what: 'an unknown status', body: { authorizationChannel: 'App', status: 'Paused' } },
    { what: 'no accounts', body: { ...AUTHORIZE_BODY, accountIds: [] } },
    { what: 'an account id that is too long', body: { ...AUTHORIZE_BODY, accountIds: ['a'.repeat(41)] } },
    { what: 'an account id that is a path', body: { ...AUTHORIZE_BODY, accountIds: ['..'] } },
    { what: 'an account id with a slash', body: { ...AUTHORIZE_BODY, accountIds: ['a/b'] } },
    { what: 'a user without an id', body: { ...AUTHORIZE_BODY, psuIdentifiers: { name: 'x' } } },
    { what: 'a user with an empty id', body: { ...AUTHORIZE_BODY, psuIdentifiers: { userId: '' } } },
    {
      what: 'identifiers that fit no header',
      body: { ...AUTHORIZE_BODY, psuIdentifiers: { userId: 'u', more: 'x'.repeat(2100) } },
    },
    {
      what: 'a time without a zone',
      body: { authorizationChannel: 'App', consentUsage: { lastDataShared: '2026-01-01T00:00:00' } },
    },
    { what: 'an array', body: [AUTHORIZE_BODY] },
    { what: 'null', body: null },
    {
      what: 'two different statuses',
      body: { ...AUTHORIZE_BODY, status: 'Rejected' },
      code: 'Consent.BusinessRuleViolation',
    },
    {
      what: 'an authorization without a user',
      body: { status: 'Authorized', accountIds: ['a'], authorizationChannel: 'App' },
      code: 'Consent.BusinessRuleViolation',
    },
    {
      what: 'an authorization without accounts',
      body: { ...AUTHORIZE_BODY, accountIds: undefined },
      code: 'Consent.BusinessRuleViolation',
    },
    {
      what: 'a suspension before the authorization',
      body: { status: 'Suspended', authorizationChannel: 'App' },
      code: 'Consent.BusinessRuleViolation',
    },
    {
      what: 'a consumed account consent',
      body: { status: 'Consumed', authorizationChannel: 'App' },
      code: 'Consent.BusinessRuleViolation',
    },
    {
      what: 'an end before its time',
      body: { status: 'Expired', authorizationChannel: 'App' },
      code: 'Consent.BusinessRuleViolation',
    },
    {
      what: 'RevokedBy without a revocation',
      body: { 'consentBody.Data.RevokedBy': 'LFI', authorizationChannel: 'App' },
      code: 'Consent.BusinessRuleViolation',
    },
  ]

  test.for(REFUSED)('a patch with $what', async ({ body, code }) => {
    const id = await cm.hub.lodge()
    const reply = await cm.patch(id, body)
    expect(said(reply)).toBe(`400 ${code ?? 'Body.InvalidFormat'}`)
    expect(Object.keys(reply.body).sort()).toEqual(['errorCode', 'errorMessage'])
    expect(String(reply.body['errorMessage'])).not.toBe('')
    expect((await cm.hub.traces(id)).trail).toHaveLength(1)
  })

  test('a value of the body is never repeated', async () => {
    const body = { ...AUTHORIZE_BODY, psuIdentifiers: { userId: 7_654_321 }, status: 'Secret' }
    expect((await cm.patch(await cm.hub.lodge(), body)).text).not.toMatch(/7654321|Secret/)
  })

  test.for([
    { what: 'no body', options: { type: 'application/json', raw: '' }, expected: '400 Body.InvalidFormat' },
    { what: 'half a body', options: { raw: '{"authorizationChannel":' }, expected: '400 Body.InvalidFormat' },
    { what: 'a form', options: { raw: 'a=b', type: 'application/x-www-form-urlencoded' }, expected: '415' },
    { what: 'no content type', options: { raw: '{}', type: '' }, expected: '415' },
    { what: 'too much', options: { raw: JSON.stringify({ a: 'x'.repeat(BODY_BYTES_MAX) }) }, expected: '413' },
  ])('$what', async ({ options, expected }) => {
    const id = await cm.hub.lodge()
    expect(said(await cm.call('PATCH', `/consents/${id}`, options))).toBe(expected)
    expect(said(await cm.call('POST', `/consents/${id}/action/revoke`, options))).toBe(expected)
    expect((await cm.hub.store.find(id))?.status).toBe('AwaitingAuthorization')
  })

  test.for([
    {},
    { revokedBy: 'Somebody' },
    { revokedByPsu: { userId: 'u' } },
    [],
  ])('a revocation like %j', async (body) => {
    const id = await cm.hub.lodge()
    expect(said(await cm.call('POST', `/consents/${id}/action/revoke`, { body }))).toBe('400 Body.InvalidFormat')
  })

  test('an id that nobody has', async () => {
    for (const id of [newConsentId(), 'no-uuid', "x'--"] as ConsentId[]) {
      const path = `/consents/${encodeURIComponent(id)}`
      expect(said(await cm.call('GET', path))).toBe('400 Consent.Invalid')
      expect(said(await cm.call('GET', `${path}/audit`))).toBe('400 Consent.Invalid')
      expect(said(await cm.call('PATCH', path, { body: AUTHORIZE_BODY }))).toBe('400 Consent.Invalid')
      expect(said(await cm.call('POST', `${path}/action/revoke`, { body: REVOKE_BODY }))).toBe('400 Consent.Invalid')
    }
  })

  test('a patch of what has ended', async () => {
    const id = await cm.hub.authorized()
    await cm.call('POST', `/consents/${id}/action/revoke`, { body: REVOKE_BODY })
    expect(said(await cm.patch(id, AUTHORIZE_BODY))).toBe('400 Consent.BusinessRuleViolation')
  })

  test('paths and methods that are not served', async () => {
    for (const path of ['/', '/consents/', '/consents/a/b', '/consents//audit', '/payment-logs', '/CONSENTS']) {
      const reply = await cm.call('GET', path)
      expect([path, reply.status, reply.text]).toEqual([path, 404, ''])
    }
    const wrong = [
      ['POST', '/consents', 'GET'],
      ['DELETE', '/consents/x', 'GET, PATCH'],
      ['PUT', '/consents/x', 'GET, PATCH'],
      ['GET', '/consents/x/action/revoke', 'POST'],
      ['OPTIONS', '/hello-mtls', 'GET'],
    ] as const
    for (const [method, path, allow] of wrong) {
      const reply = await cm.call(method, path)
      expect([reply.status, reply.headers['allow'], reply.text]).toEqual([405, allow, ''])
    }
    expect(said(await cm.call('GET', '/psu/%E0%A4%A/consents'))).toBe('400 Resource.InvalidFormat')
  })
})

describe('the audit log', () => {
  test.for([
    {
      method: 'GET',
      path: '/consents',
      status: 200,
      operationId: 'getAllConsents',
      route: '/consents',
      errorCode: null,
    },
    {
      method: 'GET',
      path: '/consents?page=0',
      status: 400,
      operationId: 'getAllConsents',
      route: '/consents',
      errorCode: 'Resource.InvalidFormat',
    },
    {
      method: 'GET',
      path: '/psu/u-42/consents',
      status: 200,
      operationId: 'getConsents',
      route: '/psu/{userId}/consents',
      errorCode: null,
    },
    { method: 'GET', path: '/nothing', status: 404, operationId: null, route: null, errorCode: 'NotFound' },
    {
      method: 'PROPFIND',
      path: '/consents',
      status: 405,
      operationId: null,
      route: null,
      errorCode: 'MethodNotAllowed',
    },
  ])('$method $path is there with its answer', async ({ method, path, ...expected }) => {
    const interactionId = randomUUID()
    const reply = await cm.call(method, path, { headers: { 'x-fapi-interaction-id': interactionId } })
    expect(reply.headers['x-fapi-interaction-id']).toBe(interactionId)
    const entries = await cm.entriesOf(interactionId)
    expect(entries).toMatchObject([
      {
        kind: 'lfi-request',
        surface: 'cm',
        method: method === 'PROPFIND' ? 'other' : method,
        callerClientId: LFI_APPLICATION,
        ...expected,
      },
    ])
    expect(JSON.stringify(entries)).not.toContain('u-42')
  })

  test('a change has two entries: that it was asked for, and that it was made', async () => {
    const id = await cm.hub.lodge()
    const interactionId = randomUUID()
    await cm.call('PATCH', `/consents/${id}`, {
      body: AUTHORIZE_BODY,
      headers: { 'x-fapi-interaction-id': interactionId },
    })
    expect(await cm.entriesOf(interactionId)).toMatchObject([
      { kind: 'consent-changed', consentId: id, change: 'authorize', by: 'lfi' },
      { kind: 'lfi-request', operationId: 'patchConsent', route: '/consents/{consentId}', status: 204, consentId: id },
    ])
  })

  test('refused callers are there too', async () => {
    const interactionId = randomUUID()
    await cm.call('GET', '/consents', { as: cm.otherLfi, headers: { 'x-fapi-interaction-id': interactionId } })
    expect(await cm.entriesOf(interactionId)).toMatchObject([
      { status: 401, errorCode: 'Unauthorized', callerClientId: null },
    ])
  })
})

test('what cannot be recorded is not answered, and what was done is found done when it is asked again', async () => {
  const id = await cm.hub.lodge()
  await cm.audit.close()
  const reply = await cm.patch(id, AUTHORIZE_BODY)
  expect(reply.status).toBe(500)
  expect(Object.keys(reply.body).sort()).toEqual(['errorCode', 'errorMessage'])
  expect((await cm.hub.store.find(id))?.status).toBe('Authorized')
  expect((await cm.call('GET', `/consents/${id}`)).text).not.toContain('u-42')
})
