import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sign } from '../../src/jose.ts'
import { SAMPLES } from '../unit/gateway/samples.ts'
import { undeclared } from './support/declared.ts'
import { json } from './support/outside.ts'
import type { Certificate } from './support/pki.ts'
import { type Answer, sendRaw } from './support/tpp.ts'
import { BASE, createWorld, LFI_CALLER, lfiPatch, newSigningKey, RAR_TYPE, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
  world.lfi.answer = json(200, SAMPLES.balances.lfi)
})
afterAll(async () => {
  expect(await undeclared(world)).toEqual([])
  await world.close()
})
beforeEach(() => {
  world.lfi.asked.length = 0
})

const PATH = `${BASE}/accounts/acc-1/balances`
const HINT = /^Bearer error="invalid_token", error_description="[^"\\]{10,}"$/

/** Refused with this status and code, recorded before the answer, and the LFI knows nothing of it. */
async function expectRefused(answer: Answer, status: number, code: string): Promise<void> {
  expect([answer.status, answer.error?.Code ?? null]).toEqual([status, status === 401 ? null : code])
  if (status === 401) {
    expect(answer.headers['www-authenticate']).toMatch(HINT)
    expect(answer.text).toBe('')
  }
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(world.lfi.asked).toEqual([])
  const entries = await world.entries(answer.headers['x-fapi-interaction-id'])
  expect(entries).toMatchObject([{ kind: 'tpp-call', status, errorCode: code, lfiStatus: null }])
  expect(entries).toHaveLength(1)
}

describe('binding of the token: 20 cells, one of which is served', () => {
  const bindings = {
    'no cnf': () => ({ cnf: undefined }),
    'right x5t#S256': () => ({}),
    "other's x5t#S256": () => ({ cnf: { 'x5t#S256': world.two.certificate.thumbprint } }),
    jkt: () => ({ cnf: { jkt: world.one.certificate.thumbprint } }),
    'jkt beside the right x5t#S256': () => ({
      cnf: { 'x5t#S256': world.one.certificate.thumbprint, jkt: 'x'.repeat(43) },
    }),
  } as const
  const certificates: Record<string, () => Promise<Certificate | null>> = {
    none: async () => null,
    right: async () => world.one.certificate,
    "another client's": async () => world.two.certificate,
    'of a rogue authority': async () =>
      world.rogue.issue({ O: 'Wadi, Money', OU: world.one.organisationId, CN: world.one.clientId }),
  }
  const cells = Object.keys(bindings).flatMap((binding) =>
    Object.keys(certificates).map((certificate) => [binding, certificate] as const),
  )

  test.each(cells)('%s × certificate %s', async (binding, certificate) => {
    const consent = await world.consentOf({})
    const token = await world.userToken(consent, bindings[binding as keyof typeof bindings]())
    const answer = await world.call({
      path: PATH,
      headers: { authorization: `Bearer ${token}` },
      certificate: (await certificates[certificate]?.()) ?? null,
    })
    if (binding === 'right x5t#S256' && certificate === 'right') expect(answer.status).toBe(200)
    else await expectRefused(answer, 401, 'Unauthorized')
  })

  test.each(cells)('the same as DPoP: %s × certificate %s', async (binding, certificate) => {
    const consent = await world.consentOf({})
    const token = await world.userToken(consent, bindings[binding as keyof typeof bindings]())
    const answer = await world.call({
      path: PATH,
      headers: { authorization: `DPoP ${token}`, dpop: token },
      certificate: (await certificates[certificate]?.()) ?? null,
    })
    await expectRefused(answer, 401, 'Unauthorized')
  })

  test('a token stays refused after it was served with its certificate', async () => {
    const token = await world.userToken(await world.consentOf({}))
    const headers = { authorization: `Bearer ${token}` }
    expect((await world.call({ path: PATH, headers })).status).toBe(200)
    world.lfi.asked.length = 0
    await expectRefused(
      await world.call({ path: PATH, headers, certificate: world.two.certificate }),
      401,
      'Unauthorized',
    )
    await expectRefused(await world.call({ path: PATH, headers, certificate: null }), 401, 'Unauthorized')
  })

  test.each([
    ['none', /certificate is required/],
    ["another client's", /bound to another client certificate/],
    ['of a rogue authority', /not issued by the trust framework/],
  ] as const)('the reason is told: certificate %s', async (certificate, reason) => {
    const token = await world.userToken(await world.consentOf({}))
    const sent = (await certificates[certificate]?.()) ?? null
    const answer = await world.get('/accounts/acc-1/balances', token, { certificate: sent })
    expect(answer.headers['www-authenticate']).toMatch(reason)
  })

  test('a certificate in a header is no certificate', async () => {
    const token = await world.userToken(await world.consentOf({}))
    const pem = encodeURIComponent(world.one.certificate.certificate)
    const der = world.one.certificate.certificate.replaceAll(/-----[A-Z ]+-----|\n/g, '')
    const forged = ['x-forwarded-client-cert', 'ssl-client-cert', 'ssl_client_cert', 'X-SSL-Client-Cert', 'client-cert']
    const answer = await world.call({
      path: PATH,
      certificate: null,
      headers: {
        authorization: `Bearer ${token}`,
        ...Object.fromEntries(forged.map((name) => [name, name === 'client-cert' ? `:${der}:` : pem])),
      },
    })
    await expectRefused(answer, 401, 'Unauthorized')
  })

  test('a certificate that the trust framework has withdrawn is refused', async () => {
    const consent = await world.consentOf({})
    const token = await world.userToken(consent, { cnf: { 'x5t#S256': world.one.revoked.thumbprint } })
    const answer = await world.get('/accounts/acc-1/balances', token, { certificate: world.one.revoked })
    await expectRefused(answer, 401, 'Unauthorized')
  })

  test('a certificate of the same subject that the trust framework does not list is refused', async () => {
    const unlisted = await world.framework.issue({
      O: 'Wadi, Money',
      OU: world.one.organisationId,
      CN: world.one.clientId,
    })
    const token = await world.userToken(await world.consentOf({}), { cnf: { 'x5t#S256': unlisted.thumbprint } })
    await expectRefused(
      await world.get('/accounts/acc-1/balances', token, { certificate: unlisted }),
      401,
      'Unauthorized',
    )
  })
})

describe('one step away from a valid token', () => {
  type Claims = Record<string, unknown>
  const changes: Record<string, (claims: Claims) => Claims> = {
    'another issuer': (claims) => ({ ...claims, iss: 'https://auth.meridian.example' }),
    'another audience': (claims) => ({ ...claims, aud: 'https://rs.meridian.example' }),
    'two audiences': (claims) => ({ ...claims, aud: [claims['aud'], 'https://rs.meridian.example'] }),
    'no audience': (claims) => ({ ...claims, aud: undefined }),
    expired: (claims) => ({ ...claims, exp: Math.floor(Date.now() / 1000) - 1 }),
    'without end': (claims) => ({ ...claims, exp: undefined }),
    'end as text': (claims) => ({ ...claims, exp: String(claims['exp']) }),
    'not valid yet': (claims) => ({ ...claims, nbf: Math.floor(Date.now() / 1000) + 60 }),
    'of an unknown client': (claims) => ({ ...claims, client_id: randomUUID() }),
    'without client': (claims) => ({ ...claims, client_id: undefined }),
    'of another organisation': (claims) => ({ ...claims, org_id: randomUUID() }),
    'of a grant that was replaced': (claims) => ({ ...claims, grant_id: randomUUID() }),
    'without a name of its own': (claims) => ({ ...claims, jti: undefined }),
    'without grant': (claims) => ({ ...claims, grant_id: undefined }),
    'consent that is no id': (claims) => ({ ...claims, consent_id: 'x' }),
  }
  test.each(Object.keys(changes))('%s', async (name) => {
    const claims = world.claimsOf(await world.consentOf({}))
    const token = await world.signToken(changes[name]?.(claims) ?? {})
    await expectRefused(await world.get('/accounts/acc-1/balances', token), 401, 'Unauthorized')
  })

  test.each([
    ['typ JWT', { typ: 'JWT' }],
    ['no typ', {}],
  ])('header with %s', async (_name, header) => {
    const token = await world.signToken(world.claimsOf(await world.consentOf({})), header as Record<string, string>)
    await expectRefused(await world.get('/accounts/acc-1/balances', token), 401, 'Unauthorized')
  })

  test('signed with a key of ours that is not for signing tokens, under the right kid', async () => {
    const claims = world.claimsOf(await world.consentOf({}))
    const forged = await sign(newSigningKey(world.hubKey.kid), claims, { typ: 'at+jwt' })
    await expectRefused(await world.get('/accounts/acc-1/balances', forged), 401, 'Unauthorized')
  })

  test('signed by the client itself', async () => {
    const claims = world.claimsOf(await world.consentOf({}))
    const forged = await sign(world.one.signing, claims, { typ: 'at+jwt' })
    await expectRefused(await world.get('/accounts/acc-1/balances', forged), 401, 'Unauthorized')
  })

  test.each(['none', 'HS256', 'RS256'])('alg %s', async (alg) => {
    const [, payload, signature] = (await world.userToken(await world.consentOf({}))).split('.')
    const header = Buffer.from(JSON.stringify({ alg, kid: world.hubKey.kid, typ: 'at+jwt' })).toString('base64url')
    const token = `${header}.${payload}.${alg === 'none' ? '' : signature}`
    await expectRefused(await world.get('/accounts/acc-1/balances', token), 401, 'Unauthorized')
  })

  test('one bit of the signature', async () => {
    const token = await world.userToken(await world.consentOf({}))
    const at = token.length - 20
    const other = token[at] === 'A' ? 'B' : 'A'
    const changed = token.slice(0, at) + other + token.slice(at + 1)
    await expectRefused(await world.get('/accounts/acc-1/balances', changed), 401, 'Unauthorized')
  })
})

describe('where the token is', () => {
  const token = async () => world.userToken(await world.consentOf({}))

  test('the scheme may be in any case', async () => {
    const answer = await world.call({ path: PATH, headers: { authorization: `bEaReR ${await token()}` } })
    expect(answer.status).toBe(200)
  })

  test.each([
    ['nowhere', () => ({}), 401],
    ['as basic credentials', (t: string) => ({ authorization: `Basic ${t}` }), 401],
    ['without a scheme', (t: string) => ({ authorization: t }), 401],
    ['with something after it', (t: string) => ({ authorization: `Bearer ${t}, Bearer ${t}` }), 401],
    ['in two headers', (t: string) => ({ authorization: [`Bearer ${t}`, `Bearer ${t}`] }), 401],
    ['too long', (t: string) => ({ authorization: `Bearer ${t}${'a'.repeat(8_192)}` }), 401],
  ] as const)('%s', async (_name, headers, status) => {
    await expectRefused(await world.call({ path: PATH, headers: headers(await token()) }), status, 'Unauthorized')
  })

  test('in the query', async () => {
    await expectRefused(await world.call({ path: `${PATH}?access_token=${await token()}` }), 401, 'Unauthorized')
  })

  test('in the query as well', async () => {
    const answer = await world.get(`/accounts/acc-1/balances?access_token=${await token()}`, await token())
    await expectRefused(answer, 400, 'Resource.InvalidFormat')
  })
})

describe('scope and kind of grant', () => {
  test.each(['openid', '', 'openid accountsx', 'payments'])('scope "%s" opens no accounts', async (scope) => {
    const token = await world.userToken(await world.consentOf({}), { scope })
    await expectRefused(await world.get('/accounts/acc-1/balances', token), 403, 'AccessToken.InvalidScope')
  })

  test('a client token reads no data, a user token no consents', async () => {
    const consent = await world.consentOf({})
    const clientToken = await world.clientToken(world.one)
    await expectRefused(await world.get('/accounts/acc-1/balances', clientToken), 403, 'AccessToken.InvalidScope')
    const userToken = await world.userToken(consent)
    const answer = await world.get(`/account-access-consents/${consent.id}`, userToken)
    await expectRefused(answer, 403, 'AccessToken.InvalidScope')
  })
})

describe('the consent', () => {
  test('of another client is none', async () => {
    const mine = await world.consentOf({})
    const theirs = await world.consentOf({ tpp: world.two })
    const token = await world.userToken(mine, { consent_id: theirs.id, grant_id: theirs.grantId })
    await expectRefused(await world.get('/accounts/acc-1/balances', token), 400, 'Consent.Invalid')
  })

  test('that awaits authorization opens nothing', async () => {
    const token = await world.userToken(await world.consentOf({ authorized: false }))
    const answer = await world.get('/accounts/acc-1/balances', token)
    await expectRefused(answer, 400, 'Consent.Invalid')
    expect(answer.error?.Message).toMatch(/awaits authorization/)
  })

  test.each([
    ['Suspended', {}, /suspended/],
    ['Revoked', { revokedBy: 'LFI.InitiatedByUser' }, /revoked/],
  ] as const)('that was %s opens nothing from the next call on', async (status, members, reason) => {
    const consent = await world.consentOf({})
    const token = await world.userToken(consent)
    expect((await world.get('/accounts/acc-1/balances', token)).status).toBe(200)
    world.lfi.asked.length = 0
    await world.consents.patchByLfi(consent.id, lfiPatch({ status, ...members }), LFI_CALLER)
    const answer = await world.get('/accounts/acc-1/balances', token)
    await expectRefused(answer, 400, 'Consent.Invalid')
    expect(answer.error?.Message).toMatch(reason)
  })

  test('that has expired opens nothing, swept or not', async () => {
    const soon = new Date(Date.now() + 400).toISOString()
    const consent = await world.consentOf({ members: { ExpirationDateTime: soon } })
    const token = await world.userToken(consent)
    await new Promise((done) => setTimeout(done, 500))
    const answer = await world.get('/accounts/acc-1/balances', token)
    await expectRefused(answer, 400, 'Consent.Invalid')
    expect(answer.error?.Message).toMatch(/expired/)
  })

  test('of another version does not open this path', async () => {
    const consent = await world.consentOf({ rarType: RAR_TYPE.replace('v2.1', 'v2.0') })
    const token = await world.userToken(consent)
    await expectRefused(await world.get('/accounts/acc-1/balances', token), 400, 'Consent.Invalid')
  })
})

describe('a client that the operator has blocked', () => {
  test('is refused from the next call on', async () => {
    const consent = await world.consentOf({ tpp: world.two })
    const token = await world.userToken(consent)
    const get = () => world.get('/accounts/acc-1/balances', token, { certificate: world.two.certificate })
    expect((await get()).status).toBe(200)
    world.lfi.asked.length = 0
    const operator = { actor: 'test', interactionId: null }
    await world.participants.setStatus('client', world.two.clientId, 'blocked', operator)
    await expectRefused(await get(), 401, 'Unauthorized')
    await world.participants.setStatus('client', world.two.clientId, 'active', operator)
    expect((await get()).status).toBe(200)
  })
})

describe('before the token', () => {
  test.each([
    ['GET', '/nothing', 404, 'NotFound', {}],
    ['GET', `${BASE.replace('v2.1', 'v2.0')}/accounts`, 404, 'NotFound', {}],
    ['GET', `${BASE}/accounts/`, 404, 'NotFound', {}],
    ['GET', `${BASE}//accounts`, 404, 'NotFound', {}],
    ['GET', `${BASE}/Accounts`, 404, 'NotFound', {}],
    ['GET', `${BASE}/accounts/acc-1/../acc-2/balances`, 404, 'NotFound', {}],
    ['DELETE', PATH, 405, 'MethodNotAllowed', { allow: 'GET' }],
    ['HEAD', PATH, 405, 'MethodNotAllowed', { allow: 'GET' }],
    ['OPTIONS', PATH, 405, 'MethodNotAllowed', { allow: 'GET' }],
    ['PUT', `${BASE}/account-access-consents/x`, 405, 'MethodNotAllowed', { allow: 'GET, PATCH' }],
    ['GET', '/tpp-registration', 405, 'MethodNotAllowed', { allow: 'POST' }],
  ])('%s %s is %i', async (method, path, status, code, headers) => {
    const answer = await world.call({ method, path })
    expect([answer.status, answer.text]).toEqual([status, ''])
    expect(answer.headers).toMatchObject(headers)
    const entries = await world.entries(answer.headers['x-fapi-interaction-id'])
    expect(entries).toMatchObject([{ kind: 'tpp-call', status, errorCode: code, clientId: world.one.clientId }])
  })

  test('a media type that is not offered is 406, before anything is asked of the caller', async () => {
    const answer = await world.call({ path: PATH, headers: { accept: 'application/xml' }, certificate: null })
    expect([answer.status, answer.text]).toEqual([406, ''])
    expect(await world.entries(answer.headers['x-fapi-interaction-id'])).toMatchObject([
      { status: 406, errorCode: 'NotAcceptable', clientId: null, organisationId: null },
    ])
  })

  test('a malformed interaction id is refused, and another is made for the answer', async () => {
    const token = await world.userToken(await world.consentOf({}))
    const answer = await world.get('/accounts/acc-1/balances', token, {
      headers: { 'x-fapi-interaction-id': 'not-a-uuid' },
    })
    await expectRefused(answer, 400, 'Resource.InvalidFormat')
    expect(answer.error?.Path).toBe('x-fapi-interaction-id')
  })

  test.each([
    ['x-fapi-auth-date', 'yesterday'],
    ['x-fapi-customer-ip-address', 'localhost'],
  ])('a malformed %s is refused', async (name, value) => {
    const token = await world.userToken(await world.consentOf({}))
    const answer = await world.get('/accounts/acc-1/balances', token, { headers: { [name]: value } })
    await expectRefused(answer, 400, 'Resource.InvalidFormat')
    expect(answer.error?.Path).toBe(name)
  })
})

describe('requests that two servers might read differently', () => {
  const head = (more: string) => `GET ${PATH} HTTP/1.1\r\nHost: ${new URL(world.client.origin).host}\r\n${more}\r\n`
  const smuggled = () => `GET /smuggled HTTP/1.1\r\nHost: ${new URL(world.client.origin).host}\r\n\r\n`
  const answers = (text: string) => text.match(/HTTP\/1\.1 \d{3}/g) ?? []

  test.each([
    ['both lengths', 'Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 0\r\n', 'abcde'],
    ['a length that is none', 'Content-Length: +5\r\n', 'abcde'],
    ['a bare carriage return in a header', 'X-Any: a\rTransfer-Encoding: chunked\r\n', ''],
    ['a folded header', 'X-Any: a\r\n Transfer-Encoding: chunked\r\n', ''],
    ['a blank before the colon', 'Content-Length : 5\r\n', 'abcde'],
    ['an unknown transfer coding', 'Transfer-Encoding: xchunked\r\n', 'abcde'],
  ])('%s', async (_name, headers, body) => {
    const text = await sendRaw(world.client, world.one.certificate, head(headers) + body + smuggled(), 400)
    expect(answers(text)).toEqual(['HTTP/1.1 400'])
    expect(world.lfi.asked).toEqual([])
  })

  test('a request without a host, or for another one, is not served', async () => {
    const none = await sendRaw(world.client, world.one.certificate, `GET ${PATH} HTTP/1.1\r\n\r\n`, 400)
    expect(answers(none)).toEqual(['HTTP/1.1 400'])
    const other = await sendRaw(world.client, world.one.certificate, `GET ${PATH} HTTP/1.1\r\nHost: other\r\n\r\n`, 400)
    expect(answers(other)).toEqual(['HTTP/1.1 421'])
    const absolute = `GET https://other${PATH} HTTP/1.1\r\nHost: ${new URL(world.client.origin).host}\r\n\r\n`
    expect(answers(await sendRaw(world.client, world.one.certificate, absolute, 400))).toEqual(['HTTP/1.1 421'])
  })

  test('a body that nobody reads does not become the next request', async () => {
    const body = `POST /tpp-registration HTTP/1.1\r\nHost: ${new URL(world.client.origin).host}\r\n\r\n`
    const request = `DELETE ${PATH} HTTP/1.1\r\nHost: ${new URL(world.client.origin).host}\r\nContent-Length: 100000\r\n\r\n`
    const text = await sendRaw(world.client, world.one.certificate, request + body, 400)
    expect(answers(text)).toEqual(['HTTP/1.1 405'])
    expect(text).toMatch(/connection: close/i)
  })
})
