import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ReadRoute, ROUTES } from '../../src/gateway/routes.ts'
import { verify } from '../../src/jose.ts'
import { SAMPLES } from '../unit/gateway/samples.ts'
import { json } from './support/outside.ts'
import { BASE, createWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())
beforeEach(() => {
  world.lfi.asked.length = 0
  world.lfi.answer = json(200, SAMPLES.balances.lfi)
})

const READS = ROUTES.filter((route): route is ReadRoute => route.follows === 'read-resource')
const HOP_BY_HOP = ['host', 'connection']
const lfiQuery = () => new URL(world.lfi.asked[0]?.url ?? '', 'https://lfi').searchParams
const lfiHeaders = () => {
  const headers = { ...world.lfi.asked[0]?.headers }
  for (const name of HOP_BY_HOP) delete headers[name]
  return headers
}

describe.each(READS.map((route) => [route.operationId, route] as const))('%s', (_operationId, route) => {
  const path = route.path.replace('{AccountId}', 'acc-1')

  test('asks the LFI once, with headers of the hub alone, and translates what it says', async () => {
    const consent = await world.consentOf({ accountIds: ['acc-1'] })
    const sample = SAMPLES[route.resource]
    world.lfi.answer = json(200, sample.lfi)
    const answer = await world.get(path, await world.userToken(consent))

    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(answer.headers['cache-control']).toBe('no-store')
    const body = answer.json() as { Data: unknown; Links: unknown; Meta: unknown }
    expect(body.Data).toEqual(sample.tpp)
    expect(body.Links).toEqual({ Self: `${world.tenant.listeners.rs.origin}${BASE}${path}` })

    expect(world.lfi.asked).toHaveLength(1)
    const target = route.lfi.path.replace('{accountId}', 'acc-1')
    expect(world.lfi.asked[0]?.method).toBe('GET')
    expect(world.lfi.asked[0]?.url.split('?')[0]).toBe(`/oc${target}`)
    expect(lfiHeaders()).toEqual({
      accept: 'application/json',
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/),
      'o3-provider-id': 'aurora',
      'o3-aspsp-id': 'aurora',
      'o3-caller-org-id': world.one.organisationId,
      'o3-caller-client-id': world.one.clientId,
      'o3-caller-software-statement-id': world.one.softwareStatementId,
      'o3-api-uri': `${BASE}${route.path}`,
      'o3-api-operation': 'GET',
      'o3-consent-id': consent.id,
      'o3-psu-identifier': Buffer.from('{"userId":"user-7"}').toString('base64'),
      'o3-ozone-interaction-id': answer.headers['x-fapi-interaction-id'],
    })
    expect(Object.fromEntries(lfiQuery())).toEqual({
      ...(route.lfi.accountIds ? { accountIds: 'acc-1' } : {}),
      ...(route.lfi.paged ? { page: '1', 'page-size': '100' } : {}),
    })
  })

  test('is recorded, without the account', async () => {
    const consent = await world.consentOf({ accountIds: ['acc-1'] })
    world.lfi.answer = json(200, SAMPLES[route.resource].lfi)
    const answer = await world.get(path, await world.userToken(consent), {
      headers: { 'x-fapi-customer-ip-address': '192.0.2.7' },
    })
    const entries = await world.entries(answer.headers['x-fapi-interaction-id'])
    expect(entries).toMatchObject([
      {
        kind: 'tpp-call',
        clientId: world.one.clientId,
        organisationId: world.one.organisationId,
        surface: 'rs',
        operationId: route.operationId,
        method: 'GET',
        route: `${BASE}${route.path}`,
        status: 200,
        errorCode: null,
        consentId: consent.id,
        attended: true,
        lfiStatus: 200,
        records: SAMPLES[route.resource].records,
      },
      {
        kind: 'lfi-call',
        clientId: world.one.clientId,
        consentId: consent.id,
        operationId: route.lfi.operationId,
        route: route.lfi.path,
        status: 200,
        outcome: 'answered',
      },
    ])
    expect(JSON.stringify(entries)).not.toMatch(/acc-1|192\.0\.2\.7|user-7/)
  })
})

describe('correlation', () => {
  test('an interaction id that the TPP sent goes both ways', async () => {
    const id = randomUUID()
    const token = await world.userToken(await world.consentOf({}))
    const answer = await world.get('/accounts/acc-1/balances', token, { headers: { 'x-fapi-interaction-id': id } })
    expect(answer.headers['x-fapi-interaction-id']).toBe(id)
    expect(lfiHeaders()).toMatchObject({ 'o3-caller-interaction-id': id, 'o3-ozone-interaction-id': id })
  })
})

describe('what a TPP sends', () => {
  test('as o3-… never reaches the LFI, however it is spelled', async () => {
    const token = await world.userToken(await world.consentOf({}))
    const spoofed = [
      'o3-psu-identifier',
      'O3-Consent-Id',
      'o3_consent_id',
      'O3_PSU_IDENTIFIER',
      'x-o3-provider-id',
      'o3-made-up',
    ]
    const answer = await world.get('/accounts/acc-1/balances', token, {
      headers: Object.fromEntries(
        [...spoofed, 'cookie', 'x-forwarded-for', 'x-anything'].map((name) => [name, 'spoofed']),
      ),
    })
    expect(answer.status).toBe(200)
    expect(JSON.stringify(world.lfi.asked[0]?.rawHeaders)).not.toContain('spoofed')
    const names = (world.lfi.asked[0]?.rawHeaders ?? [])
      .filter((_each, at) => at % 2 === 0)
      .map((name) => name.toLowerCase())
    expect(new Set(names).size).toBe(names.length)
    expect(names).not.toContain('authorization')
  })
})

describe('signed answers', () => {
  test('carry the body as message, for this client', async () => {
    const token = await world.userToken(await world.consentOf({}))
    const answer = await world.get('/accounts/acc-1/balances', token, { headers: { accept: 'application/jwt' } })
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/jwt'])
    const verified = await verify(answer.text, () => world.hubJwk)
    if (!verified.ok) throw new Error(verified.why)
    const { claims } = verified
    expect(claims).toMatchObject({ iss: 'https://auth.aurora.example', aud: [world.one.clientId] })
    expect(claims['exp']).toBe((claims['nbf'] as number) + 600)
    expect((claims['message'] as { Data: unknown }).Data).toEqual(SAMPLES.balances.tpp)
  })

  test('also when they are errors', async () => {
    const token = await world.userToken(await world.consentOf({}))
    const answer = await world.get('/accounts/acc-9/balances', token, { headers: { accept: 'application/jwt' } })
    expect([answer.status, answer.headers['content-type']]).toEqual([403, 'application/jwt'])
    const verified = await verify(answer.text, () => world.hubJwk)
    expect(verified).toMatchObject({
      ok: true,
      claims: { message: { Errors: [{ Code: 'Consent.PermanentAccountAccessFailure' }] } },
    })
  })
})

describe('pages', () => {
  test('of the LFI become pages of the hub', async () => {
    world.lfi.answer = json(200, {
      ...SAMPLES.transactions.lfi,
      meta: { paginated: true, totalPages: 3, totalRecords: 250 },
    })
    const token = await world.userToken(await world.consentOf({}))
    const path = '/accounts/acc-1/transactions?fromBookingDateTime=2026-01-01&page=2'
    const answer = await world.get(path, token)
    const at = (page: number) =>
      `${world.tenant.listeners.rs.origin}${BASE}/accounts/acc-1/transactions?fromBookingDateTime=2026-01-01&page=${page}`
    expect(answer.json()).toMatchObject({
      Links: { Self: at(2), First: at(1), Prev: at(1), Next: at(3), Last: at(3) },
      Meta: { TotalPages: 3 },
    })
    expect(answer.text).not.toContain('250')
    expect(lfiQuery().get('page')).toBe('2')
    const next = (answer.json() as { Links: { Next: string } }).Links.Next
    const followed = await world.get(next.slice(next.indexOf(BASE) + BASE.length), token)
    expect(followed.json()).toMatchObject({ Links: { Self: at(3), Prev: at(2), Last: at(3) } })
    expect(followed.text).not.toContain('"Next"')
  })

  test.each(['0', '-1', '1.5', 'x', '', '100001', '1e3', '١'])('page=%s is refused', async (page) => {
    const token = await world.userToken(await world.consentOf({}))
    const answer = await world.get(`/accounts/acc-1/balances?page=${encodeURIComponent(page)}`, token)
    expect([answer.status, answer.error]).toMatchObject([400, { Code: 'Resource.InvalidFormat', Path: 'page' }])
    expect(world.lfi.asked).toEqual([])
  })
})

describe('periods', () => {
  const window = { FromDate: '2025-06-01', ToDate: '2025-12-31' }
  const ask = async (search: string, members: object = {}) => {
    world.lfi.answer = json(200, SAMPLES.transactions.lfi)
    const token = await world.userToken(await world.consentOf({ members: { ...members } }))
    return world.get(`/accounts/acc-1/transactions${search}`, token)
  }

  test('are narrowed to what the user agreed to', async () => {
    expect((await ask('?fromBookingDateTime=2024-01-01T00:00:00Z', window)).status).toBe(200)
    expect(Object.fromEntries(lfiQuery())).toMatchObject({
      fromBookingDateTime: '2025-06-01T00:00:00Z',
      toBookingDateTime: '2025-12-31T23:59:59Z',
    })
  })

  test('of the consent are sent when the TPP asks for none', async () => {
    expect((await ask('', window)).status).toBe(200)
    expect(lfiQuery().get('fromBookingDateTime')).toBe('2025-06-01T00:00:00Z')
    expect(lfiQuery().get('toBookingDateTime')).toBe('2025-12-31T23:59:59Z')
  })

  test('cannot be carried past the edge by a time zone that the LFI ignores', async () => {
    await ask('?fromBookingDateTime=2025-05-31T10:00:00-14:00', window)
    expect(lfiQuery().get('fromBookingDateTime')).toBe('2025-06-01T00:00:00.000Z')
  })

  test.each([
    ['?fromBookingDateTime=yesterday', 'fromBookingDateTime'],
    ['?fromBookingDateTime=2025-02-30', 'fromBookingDateTime'],
    ['?toBookingDateTime=2999-01-01', 'toBookingDateTime'],
    ['?fromBookingDateTime=2025-03-01&toBookingDateTime=2025-02-01', 'fromBookingDateTime'],
    ['?fromBookingDateTime=2025-01-01&fromBookingDateTime=2025-01-02', 'fromBookingDateTime'],
    ['?fromStatementDate=2025-01-01', 'fromStatementDate'],
  ])('%s is refused', async (search, path) => {
    const answer = await ask(search)
    expect([answer.status, answer.error]).toMatchObject([400, { Code: 'Resource.InvalidFormat', Path: path }])
    expect(world.lfi.asked).toEqual([])
  })

  test('that lie outside the consent are refused, not widened', async () => {
    const answer = await ask('?toBookingDateTime=2025-01-01', window)
    expect([answer.status, answer.error]).toMatchObject([400, { Code: 'Resource.InvalidFormat' }])
    expect(world.lfi.asked).toEqual([])
  })
})

describe('permissions', () => {
  const readWith = async (permissions: readonly string[], path: string) => {
    const consent = await world.consentOf({ permissions, accountIds: ['acc-1'] })
    return world.get(path, await world.userToken(consent))
  }

  test('that are missing close the operation before the LFI is asked', async () => {
    const answer = await readWith(['ReadAccountsBasic'], '/accounts/acc-1/balances')
    expect([answer.status, answer.error?.Code]).toEqual([403, 'AccessToken.InvalidScope'])
    expect(answer.error?.Message).toContain('ReadBalances')
    expect(world.lfi.asked).toEqual([])
  })

  test('of the basic kind withhold what belongs to the other', async () => {
    world.lfi.answer = json(200, SAMPLES.accounts.lfi)
    const basic = await readWith(['ReadAccountsBasic'], '/accounts')
    expect(basic.text).not.toMatch(/Description|OpeningDate|MaturityDate/)
    expect(basic.text).toContain('Nickname')
    const detail = await readWith(['ReadAccountsDetail'], '/accounts')
    expect(detail.text).toContain('Description')
  })

  test('for products do not show finance rates', async () => {
    world.lfi.answer = json(200, SAMPLES.products.lfi)
    const path = '/accounts/acc-1/product'
    expect((await readWith(['ReadAccountsBasic', 'ReadProduct'], path)).text).not.toContain('FinanceRates')
    const all = await readWith(['ReadAccountsBasic', 'ReadProduct', 'ReadProductFinanceRates'], path)
    expect(all.text).toContain('FinanceRates')
  })

  test('for foreign exchange alone are told to the LFI', async () => {
    world.lfi.answer = json(200, SAMPLES.transactions.lfi)
    const path = '/accounts/acc-1/transactions'
    await readWith(['ReadAccountsBasic', 'ReadFXTransactionsBasic'], path)
    expect(lfiHeaders()).toMatchObject({ 'o3-fx-transactions': 'true' })
    world.lfi.asked.length = 0
    await readWith(['ReadAccountsBasic', 'ReadFXTransactionsBasic', 'ReadTransactionsBasic'], path)
    expect(lfiHeaders()).not.toHaveProperty('o3-fx-transactions')
  })
})

describe('accounts', () => {
  test('of the consent are sent with the list', async () => {
    world.lfi.answer = json(200, SAMPLES.accounts.lfi)
    const consent = await world.consentOf({ accountIds: ['acc-1', 'acc.2~x_Y'] })
    await world.get('/accounts', await world.userToken(consent))
    expect(lfiQuery().get('accountIds')).toBe('acc-1,acc.2~x_Y')
  })

  test.each([
    ['acc-9', 403, 'Consent.PermanentAccountAccessFailure'],
    ['ACC-1', 403, 'Consent.PermanentAccountAccessFailure'],
    ['%2e%2e', 400, 'Resource.InvalidFormat'],
    ['acc-1%2Fbalances', 400, 'Resource.InvalidFormat'],
    ['acc-1%00', 400, 'Resource.InvalidFormat'],
    ['%zz', 400, 'Resource.InvalidFormat'],
    ['a'.repeat(41), 400, 'Resource.InvalidFormat'],
  ])('%s is refused with %i', async (accountId, status, code) => {
    const token = await world.userToken(await world.consentOf({}))
    const answer = await world.get(`/accounts/${accountId}/balances`, token)
    expect([answer.status, answer.error?.Code]).toEqual([status, code])
    expect(world.lfi.asked).toEqual([])
  })
})
