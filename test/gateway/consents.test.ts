import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { toInstant } from '../../src/clock.ts'
import { sign, verify } from '../../src/jose.ts'
import { undeclared } from './support/declared.ts'
import type { Answer, Call } from './support/tpp.ts'
import { ALL_PERMISSIONS, BASE, createWorld, newSigningKey, type World } from './support/world.ts'

let world: World
let token: string
/** How far the hub's clock is ahead. */
let ahead = 0
beforeAll(async () => {
  world = await createWorld({ clock: { now: () => toInstant(Date.now() + ahead) } })
  token = await world.clientToken(world.one)
})
afterAll(async () => {
  expect(await undeclared(world)).toEqual([])
  // Nothing about consents is the LFI's to answer here.
  expect(world.lfi.asked).toEqual([])
  await world.close()
})

const CONSENTS = '/account-access-consents'
const selfOf = (id: string) => `${world.tenant.listeners.rs.origin}${BASE}${CONSENTS}/${id}`
const patch = (id: string, body: unknown, more: Partial<Call> = {}): Promise<Answer> =>
  world.call({
    method: 'PATCH',
    path: `${BASE}${CONSENTS}/${id}`,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...more,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...more.headers },
  })
const statusOf = async (id: string) => (await world.consents.find(id as never))?.status
const REVOKE = { Data: { Status: 'Revoked', RevokedBy: 'TPP.InitiatedByUser' } }

describe('one consent', () => {
  test('is shown as it stands', async () => {
    const { id } = await world.consentOf({ members: { FromDate: '2025-06-01' } })
    const answer = await world.get(`${CONSENTS}/${id}`, token)
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({
      Data: { ConsentId: id, Status: 'Authorized', FromDate: '2025-06-01', Permissions: ALL_PERMISSIONS },
      Subscription: { Webhook: { Url: 'https://tpp.example/events', IsActive: false } },
      Links: { Self: selfOf(id) },
    })
    expect(answer.text).not.toMatch(/user-7|acc-1/)
    const check = world.registry.response('account-information', 'GetAccountAccessConsentsConsentId', 200)
    expect(check?.(answer.json())).toEqual([])
    expect(await world.entries(answer.headers['x-fapi-interaction-id'])).toMatchObject([
      { kind: 'tpp-call', status: 200, consentId: id, records: 1, lfiStatus: null },
    ])
  })

  test('unknown and foreign are told alike', async () => {
    const foreign = await world.consentOf({ tpp: world.two })
    const answers = [
      await world.get(`${CONSENTS}/${foreign.id}`, token),
      await world.get(`${CONSENTS}/${randomUUID()}`, token),
    ]
    for (const answer of answers) expect([answer.status, answer.error?.Code]).toEqual([400, 'Consent.Invalid'])
    expect(answers[0]?.text).toBe(answers[1]?.text)
  })

  test.each(['%00', 'a%00', '%ed%a0%80'])('nor is an id of bytes that are no text: %s', async (raw) => {
    const answer = await world.get(`${CONSENTS}/${raw}`, token)
    expect([answer.status, answer.error]).toMatchObject([400, { Code: 'Resource.InvalidFormat', Path: 'ConsentId' }])
    const listed = await world.get(`${CONSENTS}?baseConsentId=${raw}`, token)
    expect([listed.status, listed.error?.Code]).toEqual([400, 'Resource.InvalidFormat'])
  })

  test('an id that is none is refused as such', async () => {
    const answer = await world.get(`${CONSENTS}/not-a-uuid`, token)
    expect([answer.status, answer.error]).toMatchObject([400, { Code: 'Resource.InvalidFormat', Path: 'ConsentId' }])
  })
})

describe('consents of a chain', () => {
  test("are the root and its renewals, the caller's only", async () => {
    const root = await world.consentOf({})
    const renewal = await world.consentOf({ members: { BaseConsentId: root.id } })
    await world.consentOf({ tpp: world.two, members: { BaseConsentId: root.id } })
    const answer = await world.get(`${CONSENTS}?baseConsentId=${root.id}`, token)
    expect((answer.json() as { Data: { ConsentId: string } }[]).map(({ Data }) => Data.ConsentId)).toEqual([
      root.id,
      renewal.id,
    ])
    const check = world.registry.response('account-information', 'GetAccountAccessConsentsByBaseConsentId', 200)
    expect(check?.(answer.json())).toEqual([])
  })

  test('may be asked for signed: the message is the list', async () => {
    const { id } = await world.consentOf({})
    const answer = await world.get(`${CONSENTS}?baseConsentId=${id}`, token, { headers: { accept: 'application/jwt' } })
    const verified = await verify(answer.text, () => world.hubJwk)
    expect(verified).toMatchObject({ ok: true, claims: { message: [{ Data: { ConsentId: id } }] } })
  })

  test('of an unknown root are none', async () => {
    const answer = await world.get(`${CONSENTS}?baseConsentId=${randomUUID()}`, token)
    expect([answer.status, answer.text]).toEqual([200, '[]'])
  })

  test.each(['', '?baseConsentId=x', `?baseConsentId=${randomUUID()}&page=1`])('"%s" is refused', async (search) => {
    const answer = await world.get(`${CONSENTS}${search}`, token)
    expect([answer.status, answer.error?.Code]).toEqual([400, 'Resource.InvalidFormat'])
  })
})

describe('a change', () => {
  let id: string
  beforeEach(async () => {
    id = (await world.consentOf({})).id
  })

  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON',
  ])('as %s revokes, and is recorded with its author', async (type) => {
    const answer = await patch(id, REVOKE, { headers: { 'content-type': type } })
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect(await statusOf(id)).toBe('Revoked')
    const entries = await world.entries(answer.headers['x-fapi-interaction-id'])
    expect(entries).toMatchObject([
      { kind: 'consent-changed', consentId: id, change: 'revoke', by: 'tpp', callerClientId: world.one.clientId },
      { kind: 'tpp-call', operationId: 'PatchAccountAccessConsentsConsentId', status: 204, consentId: id },
    ])
    const shown = (await world.get(`${CONSENTS}/${id}`, token)).json()
    expect(shown).toMatchObject({ Data: { Status: 'Revoked', RevokedBy: 'TPP.InitiatedByUser' } })
  })

  test('cannot be made twice', async () => {
    expect((await patch(id, REVOKE)).status).toBe(204)
    const again = await patch(id, REVOKE)
    expect([again.status, again.error?.Code]).toEqual([400, 'Consent.Invalid'])
  })

  test('says TPP when it does not say who', async () => {
    expect((await patch(id, { Data: { Status: 'Revoked' } })).status).toBe(204)
    expect(await world.consents.find(id as never)).toMatchObject({ revokedBy: 'TPP' })
  })

  test('moves the events of the consent', async () => {
    const Subscription = { Webhook: { Url: 'https://tpp.example/events', IsActive: true } }
    expect((await patch(id, { Subscription })).status).toBe(204)
    expect(await world.consents.find(id as never)).toMatchObject({ status: 'Authorized', subscription: Subscription })
  })

  test.each([
    ['without body', '', { 'content-length': '0' }],
    ['of nothing', '{}', {}],
  ])('%s is one that changes nothing', async (_name, body, headers) => {
    expect((await patch(id, body, { headers })).status).toBe(204)
    expect(await world.consents.find(id as never)).toMatchObject({ status: 'Authorized' })
  })

  test.each([
    ['LFI as the one who revokes', { Data: { Status: 'Revoked', RevokedBy: 'LFI' } }, 'Data.RevokedBy'],
    ["the LFI's user", { Data: { Status: 'Revoked', RevokedBy: 'LFI.InitiatedByUser' } }, 'Data.RevokedBy'],
    ['another status', { Data: { Status: 'Authorized' } }, 'Data.Status'],
    ['no status', { Data: {} }, 'Data.Status'],
    ['permissions', { Data: { Status: 'Revoked', Permissions: ['ReadBalances'] } }, 'Data.Permissions'],
    ['a member of its own', { ...REVOKE, Extra: 1 }, 'Extra'],
    ['a list', [], '$'],
    ['text that is not JSON', '{"Data":', undefined],
    [
      'a NUL in an address',
      { Subscription: { Webhook: { Url: 'https://tpp.example/events\u0000', IsActive: true } } },
      undefined,
    ],
    [
      'half a surrogate pair in an address',
      { Subscription: { Webhook: { Url: 'https://tpp.example/\ud800', IsActive: true } } },
      undefined,
    ],
    ['a NUL in a name', { ...REVOKE, 'Extra\u0000': 1 }, undefined],
    [
      'an address that is not listed',
      { Subscription: { Webhook: { Url: 'https://evil.example/', IsActive: true } } },
      'Subscription.Webhook.Url',
    ],
    [
      'a listed address without TLS',
      { Subscription: { Webhook: { Url: 'http://tpp.example/plain', IsActive: true } } },
      'Subscription.Webhook.Url',
    ],
  ])('with %s is refused', async (_name, body, path) => {
    const answer = await patch(id, body)
    expect([answer.status, answer.error?.Code, answer.error?.Path]).toEqual([400, 'Body.InvalidFormat', path])
    expect(await world.consents.find(id as never)).toMatchObject({ status: 'Authorized' })
  })

  test("of another client's consent is refused as of none", async () => {
    const foreign = await world.consentOf({ tpp: world.two })
    const answers = [await patch(foreign.id, REVOKE), await patch(randomUUID(), REVOKE)]
    for (const answer of answers) expect([answer.status, answer.error?.Code]).toEqual([400, 'Consent.Invalid'])
    expect(answers[0]?.text).toBe(answers[1]?.text)
    expect(await statusOf(foreign.id)).toBe('Authorized')
  })

  test.each([
    ['text/plain', {}],
    ['application/x-www-form-urlencoded', {}],
    ['application/json; charset=iso-8859-1', {}],
    ['', {}],
    ['application/json', { 'content-encoding': 'gzip' }],
  ])('as "%s" %j is 415', async (type, headers) => {
    const answer = await patch(id, REVOKE, { headers: { 'content-type': type, ...headers } })
    expect([answer.status, answer.text]).toEqual([415, ''])
  })

  test('that is too large is 413, whatever it declares', async () => {
    const body = JSON.stringify({ ...REVOKE, Extra: 'x'.repeat(70_000) })
    const declared = await patch(id, body)
    expect([declared.status, declared.text]).toEqual([413, ''])
    const chunked = await patch(id, body, { headers: { 'transfer-encoding': 'chunked' } })
    expect([chunked.status, chunked.text]).toEqual([413, ''])
    expect(await statusOf(id)).toBe('Authorized')
  })
})

describe('a signed change', () => {
  let id: string
  beforeEach(async () => {
    id = (await world.consentOf({})).id
  })
  const now = () => Math.floor(Date.now() / 1000)
  const claims = (changes: object = {}) => ({
    iss: world.one.clientId,
    aud: ['https://auth.aurora.example'],
    iat: now(),
    nbf: now(),
    exp: now() + 300,
    message: REVOKE,
    ...changes,
  })
  const send = (jws: string) => patch(id, jws, { headers: { 'content-type': 'application/jwt' } })

  test('is opened, checked and made', async () => {
    expect((await send(await sign(world.one.signing, claims()))).status).toBe(204)
    expect(await statusOf(id)).toBe('Revoked')
  })

  test.each([
    ['without aud', { aud: undefined }],
    ['with aud as text', { aud: 'https://auth.aurora.example' }],
    ['from a clock that is a little ahead', { nbf: Math.floor(Date.now() / 1000) + 8 }],
  ])('%s is made', async (_name, changes) => {
    expect((await send(await sign(world.one.signing, claims(changes)))).status).toBe(204)
  })

  // biome-ignore format: a table reads by its columns
  test.each([
    ['iss', 'JWS.InvalidClaim', () => ({ iss: world.two.clientId })],
    ['aud', 'JWS.InvalidClaim', () => ({ aud: 'https://auth.meridian.example' })],
    ['exp', 'JWS.InvalidClaim', () => ({ exp: now() - 11 })],
    ['exp', 'JWS.InvalidClaim', () => ({ exp: undefined })],
    ['exp', 'JWS.InvalidClaim', () => ({ exp: now() + 601 })],
    ['nbf', 'JWS.InvalidClaim', () => ({ nbf: undefined })],
    ['nbf', 'JWS.InvalidClaim', () => ({ nbf: now() + 30 })],
    ['nbf', 'JWS.InvalidClaim', () => ({ nbf: now() - 700, exp: now() - 100 })],
    ['message', 'JWS.InvalidClaim', () => ({ message: undefined })],
    ['Data.Status', 'Body.InvalidFormat', () => ({ message: { Data: { Status: 'Authorized' } } })],
  ])('with a wrong %s is %s', async (path, code, changes) => {
    const answer = await send(await sign(world.one.signing, claims(changes())))
    expect([answer.status, answer.error?.Code, answer.error?.Path]).toEqual([400, code, path])
    expect(await statusOf(id)).toBe('Authorized')
  })

  test('by somebody else is refused', async () => {
    const unknownKey = await send(await sign(world.two.signing, claims()))
    expect([unknownKey.status, unknownKey.error?.Code]).toEqual([400, 'JWS.InvalidSignature'])
    const sameKid = await send(await sign(newSigningKey(world.one.signing.kid), claims()))
    expect([sameKid.status, sameKid.error?.Code]).toEqual([400, 'JWS.InvalidSignature'])
    expect(await statusOf(id)).toBe('Authorized')
  })

  test('that is not one is refused', async () => {
    const garbage = await send('this is no JWS')
    expect([garbage.status, garbage.error?.Code]).toEqual([400, 'JWS.Malformed'])
    const [header, payload] = (await sign(world.one.signing, claims())).split('.')
    const none = Buffer.from(JSON.stringify({ alg: 'none', kid: world.one.signing.kid })).toString('base64url')
    for (const jws of [`${none}.${payload}.`, `${none}.${payload}.${header}`]) {
      const unsigned = await send(jws)
      expect([unsigned.status, unsigned.error?.Code]).toEqual([400, 'JWS.InvalidHeader'])
    }
  })

  test('works with a key that the trust framework has published since', async () => {
    const added = newSigningKey(`added-${randomUUID()}`)
    const jwk = added.publicKey.export({ format: 'jwk' })
    world.one.jwks.keys.push({ ...jwk, kid: added.kid, use: 'sig', alg: 'PS256' })
    // The directory is not asked again at once, lest every bad signature become a request there.
    ahead += 11_000
    try {
      const answer = await send(await sign(added, claims({ nbf: now() + 11, exp: now() + 300 })))
      expect(answer.status).toBe(204)
    } finally {
      ahead = 0
    }
  })
})

describe.each(['/tpp-registration', '/open-finance/onboarding/v2.1/tpp-registration'])('POST %s', (path) => {
  const register = (more: Partial<Call>) => world.call({ method: 'POST', path, ...more, headers: { ...more.headers } })

  test('registers once and as often as asked, with an empty body or none', async () => {
    const bodies: Partial<Call>[] = [{}, { body: '{}', headers: { 'content-type': 'application/json' } }]
    for (const more of bodies) {
      const answer = await register(more)
      expect([answer.status, answer.text]).toEqual([204, ''])
      expect(await world.entries(answer.headers['x-fapi-interaction-id'])).toMatchObject([
        { kind: 'participant-changed', clientId: world.one.clientId, change: 'refreshed' },
        { kind: 'tpp-call', operationId: 'TppOnboarding_create', status: 204, clientId: world.one.clientId },
      ])
    }
  })

  test.each([
    ['no certificate', async () => null],
    [
      'one of a rogue authority',
      async () => world.rogue.issue({ OU: world.one.organisationId, CN: world.one.clientId }),
    ],
    ['one without ids', async () => world.framework.issue({ O: 'Somebody' })],
  ])('with %s is 401', async (_name, certificate) => {
    const answer = await register({ certificate: await certificate() })
    expect([answer.status, answer.text]).toEqual([401, ''])
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer error="invalid_token"/)
    expect(await world.entries(answer.headers['x-fapi-interaction-id'])).toMatchObject([{ status: 401 }])
  })

  test('of an application that nobody vouches for is refused', async () => {
    const stranger = await world.framework.issue({ O: 'Stranger', OU: randomUUID(), CN: randomUUID() })
    const answer = await register({ certificate: stranger })
    expect([answer.status, answer.error?.Code]).toEqual([403, 'AccessToken.InvalidScope'])
  })

  test('takes no other body', async () => {
    const headers = { 'content-type': 'application/json' }
    const answer = await register({ body: '{"redirect_uris":[]}', headers })
    expect([answer.status, answer.error?.Code]).toEqual([400, 'Body.InvalidFormat'])
    expect((await register({ body: '{}', headers: { 'content-type': 'application/jwt' } })).status).toBe(415)
    expect((await register({ headers: { accept: 'application/jwt' } })).status).toBe(406)
  })
})
