import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ConsentId } from '../../src/ids.ts'
import { createPublishedJudge, isPublishedPresent, json, PAIRS, readPublished } from '../schemas/published.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import {
  AUTHORIZE_BODY,
  idsOf,
  LFI_APPLICATION,
  LFI_ORGANISATION,
  openManager,
  REVOKE_BODY,
  recordOf,
  said,
  type TestManager,
} from '../unit/consent-store/manager.ts'
import { EXPIRES_AT, NOW, newConsentId, newInteractionId, TENANT, TPP } from '../unit/consent-store/support.ts'

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

describe('who may call', () => {
  const everyCall = [
    ['GET', '/consents'],
    ['GET', '/hello-mtls'],
    ['PATCH', `/consents/${newConsentId()}`],
    ['GET', '/nothing/here'],
  ] as const

  test('nobody but the LFI of this tenant, whatever is asked', async () => {
    for (const [method, path] of everyCall) {
      for (const as of [{}, cm.otherLfi, cm.stranger]) {
        const reply = await cm.call(method, path, { as, ...(method === 'PATCH' ? { body: AUTHORIZE_BODY } : {}) })
        expect([reply.status, reply.text]).toEqual([401, ''])
        expect(reply.headers['www-authenticate']).toMatch(/^Bearer error_description="[^"]+"$/)
      }
    }
  })

  test('a refused caller changes nothing', async () => {
    const id = await cm.hub.lodge()
    await cm.call('PATCH', `/consents/${id}`, { as: cm.otherLfi, body: AUTHORIZE_BODY })
    await cm.call('POST', `/consents/${id}/action/revoke`, { as: cm.otherLfi, body: REVOKE_BODY })
    expect((await cm.hub.store.find(id))?.status).toBe('AwaitingAuthorization')
  })

  test('the LFI sees which certificate arrived', async () => {
    const reply = await cm.call('GET', '/hello-mtls')
    expect(reply.status).toBe(200)
    expect(reply.body).toMatchObject({ connectionEstablished: true, mtlsStatus: 'established', hostName: 'localhost' })
    expect(JSON.stringify(reply.body['clientCertificate'])).toContain(LFI_ORGANISATION)
  })
})

describe('receipts', () => {
  test('of every call about this LFI are the LFI’s to ask for', async () => {
    const interactionId = randomUUID()
    await cm.call('GET', '/hello-mtls', { headers: { 'x-fapi-interaction-id': interactionId } })
    const found = await cm.call('GET', `/audit/receipts/${interactionId}`)
    expect([found.status, found.body]).toEqual([200, { interactionId, pending: 1, receipts: [] }])
    expect((await cm.call('GET', `/audit/receipts/${randomUUID()}`)).status).toBe(404)
    expect((await cm.call('GET', '/audit/receipts/x')).status).toBe(404)
    expect((await cm.call('GET', `/audit/receipts/${interactionId}`, { as: cm.otherLfi })).status).toBe(401)
  })
})

describe('the life of a consent', () => {
  test('read, authorized, suspended, resumed, revoked', async () => {
    const id = await cm.hub.lodge({ webhook: 'active' })
    const interactionId = newInteractionId()
    await cm.hub.store.linkInteraction(id, interactionId, TPP)
    const before = await cm.call('GET', `/consents/${id}`)
    expect(before.status).toBe(200)
    expect(recordOf(before)).toMatchObject({ id, status: 'AwaitingAuthorization', interactionId })
    expect(before.body['meta']).toEqual({})
    expect(before.headers['cache-control']).toBe('no-store')

    expect([await cm.patch(id, AUTHORIZE_BODY)].map(({ status, text }) => [status, text])).toEqual([[204, '']])
    expect(recordOf(await cm.call('GET', `/consents/${id}`))).toMatchObject({
      status: 'Authorized',
      consentBody: { Data: { Status: 'Authorized' } },
      psuIdentifiers: { userId: 'u-42' },
      accountIds: ['acc-7f1'],
      authorizationChannel: 'App',
    })
    expect(said(await cm.patch(id, { 'consentBody.Data.Status': 'Suspended', authorizationChannel: 'Web' }))).toBe(
      '204',
    )
    expect(recordOf(await cm.call('GET', `/consents/${id}`))).toMatchObject({
      status: 'Suspended',
      authorizationChannel: 'App',
    })
    expect(said(await cm.patch(id, { status: 'Authorized', authorizationChannel: 'App' }))).toBe('204')

    const cause = randomUUID()
    for (const call of [cause, randomUUID()]) {
      const headers = { 'x-fapi-interaction-id': call }
      expect(said(await cm.call('POST', `/consents/${id}/action/revoke`, { body: REVOKE_BODY, headers }))).toBe('204')
    }
    expect(recordOf(await cm.call('GET', `/consents/${id}`))).toMatchObject({
      status: 'Revoked',
      consentBody: { Data: { Status: 'Revoked', RevokedBy: 'LFI.InitiatedByUser' } },
    })
    const trail = (await cm.call('GET', `/consents/${id}/audit`)).body['data'] as Record<string, unknown>[]
    expect(trail.map(({ operation }) => operation)).toEqual(['create', ...Array(5).fill('patch')])
    expect(trail.at(-1)).toMatchObject({
      providerId: TENANT,
      fkId: id,
      ozoneInteractionId: cause,
      timestamp: NOW + 5,
      callerDetails: { callerOrgId: LFI_ORGANISATION, callerClientId: LFI_APPLICATION },
    })
    expect(JSON.parse(String(trail.at(-1)?.['patch']))).toMatchObject({ set: { revokedByPsu: { userId: 'u-42' } } })
  })

  test('rejected', async () => {
    const id = await cm.hub.lodge()
    const body = {
      status: 'Rejected',
      'consentBody.Data.Status': 'Rejected',
      psuIdentifiers: { userId: 'u-42' },
      authorizationChannel: 'Web',
    }
    expect(said(await cm.patch(id, body))).toBe('204')
    expect(recordOf(await cm.call('GET', `/consents/${id}`))).toMatchObject({ status: 'Rejected' })
  })

  test('a group is read and revoked as one', async () => {
    const root = await cm.hub.authorized()
    const member = await cm.hub.lodge({ members: { BaseConsentId: root } })
    const path = `/consent-groups/${root}/consents`
    expect(idsOf(await cm.call('GET', path)).toSorted()).toEqual([root, member].toSorted())
    expect(said(await cm.call('POST', `${path}/action/revoke`, { body: { revokedBy: 'LFI' } }))).toBe('204')
    expect((await cm.hub.store.find(member))?.status).toBe('Revoked')
    const none = `/consent-groups/${newConsentId()}/consents`
    expect((await cm.call('GET', none)).body).toMatchObject({ data: [], meta: { totalRecords: 0, totalPages: 0 } })
    expect(said(await cm.call('POST', `${none}/action/revoke`, { body: { revokedBy: 'LFI' } }))).toBe(
      '400 Consent.Invalid',
    )
  })

  test('an expired consent is shown as expired and patched no more', async () => {
    const id = await cm.hub.authorized()
    cm.hub.clock.set(EXPIRES_AT)
    expect(recordOf(await cm.call('GET', `/consents/${id}`))['status']).toBe('Expired')
    expect(said(await cm.patch(id, { status: 'Suspended', authorizationChannel: 'App' }))).toBe(
      '400 Consent.BusinessRuleViolation',
    )
  })
})

describe('lists', () => {
  test('by user, account and change, in pages', async () => {
    const userId = `u/${randomUUID()} ü`
    const accountId = `acc-${randomUUID().slice(0, 8)}`
    const ids: ConsentId[] = []
    for (let at = 0; at < 3; at += 1) {
      const id = await cm.hub.lodge()
      await cm.patch(id, { ...AUTHORIZE_BODY, psuIdentifiers: { userId }, accountIds: [accountId] })
      ids.unshift(id)
      cm.hub.clock.advance(1000)
    }
    const ofUser = `/psu/${encodeURIComponent(userId)}/consents`
    expect(idsOf(await cm.call('GET', ofUser))).toEqual(ids)
    expect(idsOf(await cm.call('GET', `/accounts/${accountId}/consents`))).toEqual(ids)
    expect(idsOf(await cm.call('GET', '/accounts/..%2F/consents'))).toEqual([])
    const page = await cm.call('GET', `${ofUser}?page=2&pageSize=2`)
    expect(idsOf(page)).toEqual(ids.slice(2))
    expect(page.body['meta']).toEqual({ pageNumber: 2, pageSize: 2, totalPages: 2, totalRecords: 3 })
    expect((await cm.call('GET', `${ofUser}?pageSize=999999999`)).body['meta']).toMatchObject({ pageSize: 1000 })

    const status = (value: string) => cm.call('GET', `${ofUser}?status=${value}`)
    expect(idsOf(await status('Authorized'))).toHaveLength(3)
    expect(idsOf(await status('authorized'))).toEqual([])
    const type = (value: string) => cm.call('GET', `${ofUser}?consentType=${value}`)
    expect(idsOf(await type('cbuae-account-access-consents'))).toHaveLength(3)
    expect(idsOf(await type('cbuae-insurance-consents'))).toEqual([])
    expect(idsOf(await type('whatever'))).toEqual([])

    const changed = async (updatedAt: number) =>
      idsOf(await cm.call('GET', `/consents?pageSize=100&updatedAt=${updatedAt}`))
    const last = recordOf(await cm.call('GET', `/consents/${ids[0]}`))['updatedAt'] as number
    expect(await changed(last - 1)).toEqual([ids[0]])
    expect(await changed(last)).toEqual([])
    expect(await changed(Math.floor(last / 1000) - 1)).toContain(ids[0])
    for (const ever of [0, -1, -210_866_803_200_000]) expect(await changed(ever)).toContain(ids[0])
    expect(await changed(253_402_300_800_000)).toEqual([])
  })

  test.for([
    'page=0',
    'page=-1',
    'page=x',
    'page=2000000',
    'pageSize=0',
    'pageSize=1.5',
    'page-size=10',
    'page=1&page=2',
    'updatedAt=now',
    '__proto__=1',
  ])('?%s is refused', async (query) => {
    expect(said(await cm.call('GET', `/consents?${query}`))).toBe('400 Resource.InvalidFormat')
  })
})

test.runIf(isPublishedPresent)('every answer is as the published document says', async () => {
  const root = readPublished(PAIRS['consent-manager'].published)
  const judge = createPublishedJudge(root)
  const paths = json(root['paths'])
  const verdict = (path: string, status: string) => {
    const operation = json(json(paths[path])['get'])
    const content = json(json(json(operation['responses'])[status])['content'])
    return judge(json(content['application/json'])['schema'])
  }
  const id = await cm.hub.authorized({ webhook: 'active', members: { BaseConsentId: newConsentId() } })
  await cm.hub.store.touchUsage(id, NOW)
  await cm.patch(id, {
    'consentBody.Data.OpenFinanceBilling': { IsLargeCorporate: true },
    supplementaryInformation: { a: 1 },
    authorizationChannel: 'App',
  })
  const revoked = await cm.hub.authorized()
  await cm.call('POST', `/consents/${revoked}/action/revoke`, { body: REVOKE_BODY })
  const cases = [
    ['/consents/{consentId}', `/consents/${id}`, '200'],
    ['/consents/{consentId}', `/consents/${revoked}`, '200'],
    ['/consents/{consentId}', '/consents/none', '400'],
    ['/consents', '/consents', '200'],
    ['/consents', '/consents?status=Consumed', '200'],
    ['/consents', '/consents?page=0', '400'],
    ['/consents/{consentId}/audit', `/consents/${id}/audit`, '200'],
    ['/psu/{userId}/consents', '/psu/u-42/consents', '200'],
    ['/accounts/{accountId}/consents', '/accounts/acc-1/consents', '200'],
    ['/consent-groups/{consentGroupId}/consents', `/consent-groups/${id}/consents`, '200'],
    ['/hello-mtls', '/hello-mtls', '200'],
  ] as const
  for (const [template, path, status] of cases) {
    const reply = await cm.call('GET', path)
    expect([path, String(reply.status), verdict(template, status)(reply.body)]).toEqual([path, status, true])
  }
})
