import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bankUsers } from '../../sandbox/bank/bank.ts'
import {
  createCaller,
  createRig,
  createSigningKey,
  HUB,
  hubToken,
  type Identity,
  IMPOSTOR,
  o3Headers,
  type Reply,
  type Rig,
  withoutUuids,
} from './bank-rig.ts'

const PAGE = 'page=1&page-size=100'
let rig: Rig
const callers = new Map<Identity | null, ReturnType<typeof createCaller>>()
const callerOf = (identity: Identity | null) => {
  const known = callers.get(identity) ?? createCaller(rig, identity)
  callers.set(identity, known)
  return known
}

beforeAll(async () => {
  rig = await createRig('aurora')
})
afterAll(async () => {
  for (const caller of callers.values()) await caller.close()
  await rig.close()
})

const users = bankUsers('aurora')
const userWith = (words: string) => {
  const user = users.find(({ story }) => story.includes(words))
  if (user === undefined) throw new Error(`no user ${words}`)
  return user
}
const plain = userWith('credit card')
const tester = userWith('misbehave')
const frozen = userWith('frozen')

type Ask = {
  readonly as?: Identity | null
  readonly token?: string | null
  readonly user?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly without?: string
}

async function get(path: string, ask: Ask = {}): Promise<Reply> {
  const headers: Record<string, string> = { ...o3Headers('aurora', ask.user ?? plain.userId), ...ask.headers }
  const token = ask.token === undefined ? await hubToken(rig.hubKey, { aud: 'aurora' }) : ask.token
  if (token !== null) headers['authorization'] = `Bearer ${token}`
  if (ask.without !== undefined) delete headers[ask.without]
  return callerOf(ask.as === undefined ? rig.hub : ask.as).get(path, headers)
}
const code = (reply: Reply): unknown => (reply.body as { errorCode?: unknown } | null)?.errorCode
const data = (reply: Reply): readonly Readonly<Record<string, unknown>>[] =>
  (reply.body as { data: Readonly<Record<string, unknown>>[] }).data

describe('who may call', () => {
  test('the hub operator with a fresh token', async () => {
    expect((await get('/customer')).status).toBe(200)
  })

  test('nobody without a certificate, with a stranger’s, or with another organisation’s', async () => {
    expect((await get('/customer', { as: null })).status).toBe(401)
    expect((await get('/customer', { as: rig.forged })).status).toBe(401)
    const token = await hubToken(rig.hubKey, { aud: 'aurora', iss: IMPOSTOR.O, sub: IMPOSTOR.OU })
    expect((await get('/customer', { as: rig.impostor, token })).status).toBe(401)
  })

  test('connection checks ask only for what they check', async () => {
    expect((await get('/hello', { as: null, token: null })).body).toMatchObject({
      connectionEstablished: true,
      mtlsStatus: 'not-checked',
    })
    expect((await get('/hello-mtls', { as: null, token: null })).status).toBe(401)
    expect((await get('/hello-mtls', { as: rig.forged, token: null })).status).toBe(401)
    const { body } = await get('/echo-cert', { token: null })
    expect(body).toMatchObject({
      mtlsStatus: 'established',
      clientCertificate: { subject: expect.stringContaining(`OU=${HUB.OU}`) },
    })
  })

  const seconds = () => Math.floor(Date.now() / 1000)
  test.each<[string, () => Promise<string | null>]>([
    ['no token', async () => null],
    ['a text that is no token', async () => 'not-a-token'],
    ['another audience', () => hubToken(rig.hubKey, { aud: 'meridian' })],
    ['no audience', () => hubToken(rig.hubKey, {})],
    ['another issuer', () => hubToken(rig.hubKey, { aud: 'aurora', iss: 'Falaj Hub' })],
    ['another subject', () => hubToken(rig.hubKey, { aud: 'aurora', sub: randomUUID() })],
    [
      'expired beyond the skew',
      () => hubToken(rig.hubKey, { aud: 'aurora', iat: seconds() - 40, exp: seconds() - 15 }),
    ],
    [
      'issued in the future beyond the skew',
      () => hubToken(rig.hubKey, { aud: 'aurora', iat: seconds() + 30, exp: seconds() + 50 }),
    ],
    ['living for an hour', () => hubToken(rig.hubKey, { aud: 'aurora', exp: seconds() + 3600 })],
    ['no expiry', () => hubToken(rig.hubKey, { aud: 'aurora', exp: undefined })],
    ['no issue time', () => hubToken(rig.hubKey, { aud: 'aurora', iat: undefined })],
    ['no jti', () => hubToken(rig.hubKey, { aud: 'aurora', jti: undefined })],
    ['another typ', () => hubToken(rig.hubKey, { aud: 'aurora' }, { typ: 'JWT' })],
    ['a key id that is not published', () => hubToken({ ...rig.hubKey, kid: 'unknown' }, { aud: 'aurora' })],
    [
      'a key that is not the published one',
      async () => hubToken({ ...(await createSigningKey()), kid: rig.hubKey.kid }, { aud: 'aurora' }),
    ],
    [
      'alg none',
      async () =>
        `${Buffer.from(JSON.stringify({ alg: 'none', typ: 'JOSE', kid: rig.hubKey.kid })).toString('base64url')}.${Buffer.from(JSON.stringify({ iss: HUB.O, sub: HUB.OU, aud: 'aurora', iat: seconds(), exp: seconds() + 20, jti: randomUUID() })).toString('base64url')}.`,
    ],
  ])('401 for %s', async (_, make) => {
    const reply = await get('/customer', { token: await make() })
    expect(reply.status).toBe(401)
    expect(reply.headers['www-authenticate']).toBe('Bearer')
  })

  test('the skew of ten seconds is granted', async () => {
    expect(
      (
        await get('/customer', {
          token: await hubToken(rig.hubKey, { aud: 'aurora', iat: seconds() - 25, exp: seconds() - 5 }),
        })
      ).status,
    ).toBe(200)
    expect(
      (
        await get('/customer', {
          token: await hubToken(rig.hubKey, { aud: 'aurora', iat: seconds() + 5, exp: seconds() + 25 }),
        })
      ).status,
    ).toBe(200)
  })

  test('a token works once, also when it comes twice at the same time', async () => {
    const token = await hubToken(rig.hubKey, { aud: 'aurora' })
    const replies = await Promise.all([
      get('/customer', { token }),
      get('/customer', { token }),
      get('/customer', { token }),
    ])
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 401, 401])
  })

  test('the other name of the scheme is understood', async () => {
    const token = await hubToken(rig.hubKey, { aud: 'aurora' })
    expect(
      (await get('/customer', { token: null, headers: { authorization: `Ozone-Connect-JWT-Auth ${token}` } })).status,
    ).toBe(200)
  })

  test('a key published later is found without a restart', async () => {
    const later = await createSigningKey()
    rig.keystore.get(`/${HUB.OU}/${HUB.CN}`)?.push(later.jwk)
    // Looking again is limited to one try in five seconds.
    await expect
      .poll(async () => (await get('/customer', { token: await hubToken(later, { aud: 'aurora' }) })).status, {
        timeout: 9_000,
        interval: 500,
      })
      .toBe(200)
  })
})

describe('what a request must bring', () => {
  const required = Object.keys(o3Headers('aurora', 'u'))
  test.each(required)('header %s', async (without) => {
    const reply = await get(`/accounts/${plain.accountIds[0]}/balances?${PAGE}`, { without })
    expect([reply.status, code(reply)]).toEqual([400, 'Resource.InvalidFormat'])
  })

  test.each([
    ['another bank', { 'o3-provider-id': 'meridian' }],
    ['another method', { 'o3-api-operation': 'POST' }],
    ['a flag that is none', { 'o3-fx-transactions': 'maybe' }],
  ])('headers that fit: %s is refused', async (_, headers) => {
    const reply = await get(`/accounts/${plain.accountIds[0]}/transactions?${PAGE}`, { headers })
    expect([reply.status, code(reply)]).toEqual([400, 'Resource.InvalidFormat'])
  })

  test.each([
    '',
    'page=1',
    'page-size=10',
    'page=0&page-size=10',
    'page=1&page-size=101',
    'page=x&page-size=10',
    'page=1&page=2&page-size=10',
    `${PAGE}&fromBookingDateTime=yesterday`,
    `${PAGE}&toBookingDateTime=2026-02-30`,
  ])('query «%s» is refused', async (query) => {
    const reply = await get(`/accounts/${plain.accountIds[0]}/transactions?${query}`)
    expect([reply.status, code(reply)]).toEqual([400, 'Resource.InvalidFormat'])
  })

  test.each([
    ['no base64', '***'],
    ['no JSON', 'bm9wZQ=='],
    ['no userId', 'e30='],
    ['a number', 'eyJ1c2VySWQiOjF9'],
  ])('a PSU identifier with %s is no user', async (_, value) => {
    const reply = await get('/customer', { headers: { 'o3-psu-identifier': value } })
    expect([reply.status, code(reply)]).toEqual([400, 'Consent.InvalidUserIdentifier'])
  })

  test('a user that this bank has', async () => {
    const reply = await get('/customer', { user: 'u-2001' })
    expect([reply.status, code(reply)]).toEqual([400, 'Consent.InvalidUserIdentifier'])
  })
})

describe('whose accounts', () => {
  test('somebody else’s and unknown ones are refused in the same words', async () => {
    const foreign = await get(`/accounts/${tester.accountIds[0]}/balances?${PAGE}`)
    const unknown = await get(`/accounts/acc-0-00/balances?${PAGE}`)
    expect([foreign.status, code(foreign)]).toEqual([403, 'Consent.PermanentAccountAccessFailure'])
    expect(foreign.body).toEqual(unknown.body)
    const list = await get(`/accounts?accountIds=${plain.accountIds[0]},${tester.accountIds[0]}&${PAGE}`)
    expect([list.status, code(list)]).toEqual([403, 'Consent.PermanentAccountAccessFailure'])
  })

  test('a frozen account is blocked for now, a closed one for good; both are still listed', async () => {
    const [suspended, open, closed] = frozen.accountIds
    const ask = { user: frozen.userId }
    const blocked = await get(`/accounts/${suspended}/balances?${PAGE}`, ask)
    expect([blocked.status, code(blocked)]).toEqual([403, 'Consent.AccountTemporarilyBlocked'])
    const gone = await get(`/accounts/${closed}`, ask)
    expect([gone.status, code(gone)]).toEqual([403, 'Consent.PermanentAccountAccessFailure'])
    expect((await get(`/accounts/${open}/balances?${PAGE}`, ask)).status).toBe(200)
    const list = await get(`/accounts?accountIds=${frozen.accountIds.join(',')}&${PAGE}`, ask)
    expect(data(list).map(({ status }) => status)).toEqual(['Suspended', 'Active', 'Closed'])
  })

  test('both holders read the joint account and see each other in it', async () => {
    const [first, second] = [userWith('First holder'), userWith('Second holder')]
    const shared = second.accountIds[0]
    for (const { userId } of [first, second]) {
      const parties = await get(`/accounts/${shared}/customer?${PAGE}`, { user: userId })
      expect(data(parties).map(({ customerType }) => customerType)).toEqual(['Joint', 'Joint'])
    }
    expect((await get(`/accounts/${first.accountIds[1]}/balances?${PAGE}`, { user: second.userId })).status).toBe(403)
  })

  test('an account without use answers with empty lists', async () => {
    const newcomer = userWith('empty')
    for (const path of ['beneficiaries', 'direct-debits', 'scheduled-payments', 'standing-orders', 'transactions']) {
      const reply = await get(`/accounts/${newcomer.accountIds[0]}/${path}?${PAGE}`, { user: newcomer.userId })
      expect([reply.status, data(reply)]).toEqual([200, []])
      expect(reply.body).toMatchObject({ meta: { totalPages: 0, totalRecords: 0 } })
    }
    const balances = await get(`/accounts/${newcomer.accountIds[0]}/balances?${PAGE}`, { user: newcomer.userId })
    expect(data(balances).length).toBeGreaterThan(0)
  })
})

describe('filters', () => {
  const path = `/accounts/${plain.accountIds[0]}`
  const bookings = (reply: Reply) => data(reply).map((row) => String(row['bookingDateTime']))

  test('booking dates bound transactions at both ends, and pages follow each other', async () => {
    const all = bookings(await get(`${path}/transactions?${PAGE}`))
    const [newest, oldest] = [all[10] ?? '', all[60] ?? '']
    const query = `fromBookingDateTime=${encodeURIComponent(oldest)}&toBookingDateTime=${encodeURIComponent(newest)}`
    const within = bookings(await get(`${path}/transactions?${PAGE}&${query}`))
    expect([within[0], within.at(-1)]).toEqual([newest, oldest])
    expect(within).toEqual(all.filter((moment) => moment >= oldest && moment <= newest))
    const [first, second] = [
      await get(`${path}/transactions?page=1&page-size=7&${query}`),
      await get(`${path}/transactions?page=2&page-size=7&${query}`),
    ]
    expect([...bookings(first), ...bookings(second)]).toEqual(within.slice(0, 14))
    expect(first.body).toMatchObject({ meta: { paginated: true, totalRecords: within.length } })
  })

  test('the foreign-currency flag leaves only such transactions', async () => {
    const reply = await get(`${path}/transactions?${PAGE}`, { headers: { 'o3-fx-transactions': 'true' } })
    expect(data(reply).length).toBeGreaterThan(5)
    for (const row of data(reply)) expect(row).toHaveProperty('currencyExchange')
  })

  test('statement dates bound the opening date', async () => {
    const read = async (more: string) => {
      const { body } = await get(`${path}/statements?${PAGE}${more}`)
      return (body as { data: { Statements: { OpeningDate: string }[] } }).data.Statements.map(
        ({ OpeningDate }) => OpeningDate,
      )
    }
    const all = await read('')
    expect(all).toHaveLength(24)
    const [to, from] = [all[3], all[6]]
    expect(await read(`&fromStatementDate=${from}&toStatementDate=${to}`)).toEqual(all.slice(3, 7))
    expect(await read('&fromStatementDate=2090-01-01')).toEqual([])
  })

  test('what does not exist is 404', async () => {
    expect((await get('/nothing')).status).toBe(404)
    expect((await get(`${path}/secrets?${PAGE}`)).status).toBe(404)
  })
})

describe('misbehaviour to order', () => {
  const ask = { user: tester.userId }
  const account = (name: string) => tester.accountIds.find((id) => id.endsWith(`-${name}`))

  test('error, recoverable and busy', async () => {
    const replies = await Promise.all(
      ['error', 'recoverable', 'busy'].map((name) => get(`/accounts/${account(name)}/balances?${PAGE}`, ask)),
    )
    expect(replies.map((reply) => [reply.status, code(reply)])).toEqual([
      [500, 'GenericError'],
      [500, 'GenericRecoverableError'],
      [429, 'GenericRecoverableError'],
    ])
    expect(replies[2]?.headers['retry-after']).toBe('7')
  })

  test('slow is right but late', async () => {
    const began = performance.now()
    const reply = await get(`/accounts/${account('slow')}/balances?${PAGE}`, ask)
    expect(reply.status).toBe(200)
    expect(performance.now() - began).toBeGreaterThan(2_900)
  })

  test('invalid is 200 with a list that is none', async () => {
    const reply = await get(`/accounts/${account('invalid')}/transactions?${PAGE}`, ask)
    expect([reply.status, typeof (reply.body as { data: unknown }).data]).toEqual([200, 'string'])
  })

  test('drop gives no answer at all', async () => {
    await expect(get(`/accounts/${account('drop')}/balances?${PAGE}`, ask)).rejects.toMatchObject({
      code: 'UND_ERR_SOCKET',
    })
  })

  test('the list misbehaves only when such an account stands alone in it', async () => {
    expect((await get(`/accounts?accountIds=${account('error')}&${PAGE}`, ask)).status).toBe(500)
    expect((await get(`/accounts?accountIds=${account('error')},${account('plain')}&${PAGE}`, ask)).status).toBe(200)
  })

  test('order first, then misbehaviour: a stranger cannot set it off', async () => {
    expect((await get(`/accounts/${account('drop')}/balances?${PAGE}`)).status).toBe(403)
    expect((await get(`/accounts/${account('drop')}/balances?${PAGE}`, { ...ask, token: null })).status).toBe(401)
  })
})

test('the log has routes and outcomes, but no account, user or token', async () => {
  await get(`/accounts/${plain.accountIds[0]}/balances?${PAGE}`)
  const lines = rig.logged.join('\n')
  expect(lines).toContain('"route":"/accounts/:accountId/balances"')
  expect(withoutUuids(lines)).not.toMatch(/acc-1/)
  expect(lines).not.toMatch(/u-1001|eyJ|Layla/)
})
