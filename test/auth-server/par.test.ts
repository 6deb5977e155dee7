/** POST /par at the real listener: what is accepted, and what each single fault is answered with. */
import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compact, encrypt } from './support/jws.ts'
import { type Around, ASSERTION, type Corruption, RAR, REQUEST_OBJECT, SCOPE } from './support/par-cases.ts'
import { detailOf, FORM, now, type Push, send, setField, type Tpp } from './support/tpp.ts'
import { type Answer, createWire } from './support/wire.ts'
import { startWorld, type World } from './support/world.ts'

const BOOT_MS = 180_000
const DAY_MS = 86_400_000
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

let world: World
beforeAll(async () => {
  world = await startWorld()
}, BOOT_MS)
afterAll(() => world.close(), BOOT_MS)

const around = (): Around => ({
  other: world.second,
  par: world.server.par,
  token: world.server.token,
  edge: world.manifest.edge,
})

/** The twin differs in nothing but its ids, and passes. */
async function expectTwinPasses(): Promise<void> {
  const twin = world.tpp.push()
  expect((await send(twin)).status).toBe(201)
}

async function refused(corrupt: (push: Push, around: Around) => void): Promise<Answer> {
  await expectTwinPasses()
  const push = world.tpp.push()
  corrupt(push, around())
  const answer = await send(push)
  await world.expectNoConsent(push.consentId)
  return answer
}

function expectOAuthError(answer: Answer, status: number, error: string, reason: RegExp): void {
  expect({ status: answer.status, error: answer.json['error'], reason: answer.json['error_description'] }).toEqual({
    status,
    error,
    reason: expect.stringMatching(reason),
  })
  expect(Object.keys(answer.json).sort()).toEqual(['error', 'error_description'])
  expect(answer.headers['cache-control']).toContain('no-store')
  expect(answer.headers['x-fapi-interaction-id']).toMatch(UUID)
  expect(answer.headers['set-cookie']).toBeUndefined()
}

describe('a push that is right', () => {
  test('is answered with a request_uri, and its consent awaits authorization', async () => {
    const push = world.tpp.push()
    const answer = await send(push)
    expect(answer.status).toBe(201)
    expect(Object.keys(answer.json).sort()).toEqual(['expires_in', 'request_uri'])
    const requestUri = String(answer.json['request_uri'])
    const [, random = ''] = requestUri.split('urn:ietf:params:oauth:request_uri:')
    // 128 bits in base64url are 22 characters.
    expect(random).toMatch(/^[\w-]{22,}$/)
    expect(answer.json['expires_in']).toSatisfy((seconds: number) => seconds >= 5 && seconds < 600)
    expect(answer.headers['cache-control']).toContain('no-store')
    expect(answer.headers['set-cookie']).toBeUndefined()
    const consent = (await world.bank.consent(push.consentId)).json['data']
    expect(consent).toMatchObject({
      id: push.consentId,
      status: 'AwaitingAuthorization',
      parId: requestUri,
      request: detailOf(push),
      tpp: { clientId: world.tpp.clientId, orgId: world.manifest.tpp.organisationId },
    })
  })

  test('never gets the same request_uri twice', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => world.lodge()))
    expect(new Set(all.map(({ requestUri }) => requestUri)).size).toBe(8)
  })

  const TOLERATED: readonly [string, (push: Push) => void][] = [
    ['client_id beside the assertion', (push) => setField(push, 'client_id', world.tpp.clientId)],
    ['a form parameter that nobody knows', (push) => setField(push, 'utm_source', 'newsletter')],
    ['another state outside the request object', (push) => setField(push, 'state', 'outside')],
    ['no state', (push) => delete push.request.claims['state']],
    ['no nonce', (push) => delete push.request.claims['nonce']],
    ['a nonce of 64 characters', (push) => Object.assign(push.request.claims, { nonce: 'n'.repeat(64) })],
    ['a state of 1024 characters', (push) => Object.assign(push.request.claims, { state: 's'.repeat(1024) })],
    ['scopes the other way round', (push) => Object.assign(push.request.claims, { scope: 'accounts openid' })],
    ['no iat in the request object', (push) => delete push.request.claims['iat']],
    ['a jti in the request object', (push) => Object.assign(push.request.claims, { jti: randomUUID() })],
    ['nbf eight seconds ahead', (push) => Object.assign(push.request.claims, { nbf: now() + 8, iat: now() + 8 })],
    [
      'an assertion eight seconds ahead',
      (push) => Object.assign(push.assertion.claims, { nbf: now() + 8, iat: now() + 8 }),
    ],
    ['typ oauth-authz-req+jwt', (push) => Object.assign(push.request.header, { typ: 'oauth-authz-req+jwt' })],
    ['typ JWT in the assertion', (push) => Object.assign(push.assertion.header, { typ: 'JWT' })],
    ['max_age', (push) => Object.assign(push.request.claims, { max_age: 3600 })],
    [
      'a charset in the content type',
      (push) => Object.assign(push.headers, { 'content-type': `${FORM}; charset=UTF-8` }),
    ],
    [
      'a registered webhook',
      (push) => {
        detailOf(push)['subscription'] = { Webhook: { Url: `${world.manifest.edge}webhooks`, IsActive: true } }
      },
    ],
    [
      'every optional member of the consent',
      (push) =>
        Object.assign(detailOf(push).consent, {
          BaseConsentId: randomUUID(),
          FromDate: '2026-01-01',
          ToDate: '2026-01-01',
          AccountType: ['Retail', 'SME'],
          AccountSubType: ['CurrentAccount', 'Savings'],
          OnBehalfOf: { TradingName: 'a', LegalName: 'b', IdentifierType: 'Other', Identifier: 'c' },
        }),
    ],
  ]
  test.each(TOLERATED)('may have %s', async (_name, change) => {
    await world.lodge(world.tpp, change)
  })

  test('has its interaction id echoed, and gets one when it has none', async () => {
    const own = randomUUID()
    const push = world.tpp.push()
    push.headers['x-fapi-interaction-id'] = own
    expect((await send(push)).headers['x-fapi-interaction-id']).toBe(own)
    expect((await send(world.tpp.push())).headers['x-fapi-interaction-id']).toMatch(UUID)
  })
})

const runs = (table: readonly Corruption[], status: number, error: string) =>
  test.each(table)('%s', async (_name, corrupt, reason) => {
    expectOAuthError(await refused(corrupt), status, error, reason)
  })

describe('the client assertion (tpp-api 2.2) is refused for', () => {
  runs(ASSERTION, 401, 'invalid_client')

  test('a jti that was used', async () => {
    const [first, again] = [world.tpp.push(), world.tpp.push()]
    again.assertion.claims['jti'] = first.assertion.claims['jti']
    expect((await send(first)).status).toBe(201)
    expectOAuthError(await send(again), 401, 'invalid_client', /once|used/)
    await world.expectNoConsent(again.consentId)
  })

  test('a jti that is used eight times at once, but for one', async () => {
    const jti = randomUUID()
    const pushes = Array.from({ length: 8 }, () => world.tpp.push())
    for (const push of pushes) push.assertion.claims['jti'] = jti
    const statuses = (await Promise.all(pushes.map(send))).map((answer) => answer.status)
    expect(statuses.sort()).toEqual([201, ...Array.from({ length: 7 }, () => 401)])
  })
})

describe('the request object (tpp-api 2.3) is refused for', () => {
  runs(REQUEST_OBJECT, 400, 'invalid_request')

  test('not being there, its claims being form parameters', async () => {
    const answer = await refused((push) => {
      setField(push, 'request', null)
      for (const [name, value] of Object.entries(push.request.claims)) {
        setField(push, name, typeof value === 'string' ? value : JSON.stringify(value))
      }
    })
    expectOAuthError(answer, 400, 'invalid_request', /Request Object/)
  })

  test('having been told of by a request_uri form parameter', async () => {
    const { requestUri } = await world.lodge()
    const beside = await refused((push) => setField(push, 'request_uri', requestUri))
    expectOAuthError(beside, 400, 'invalid_request', /request.uri/)
    const instead = await refused((push) => {
      setField(push, 'request', null)
      setField(push, 'request_uri', requestUri)
    })
    expectOAuthError(instead, 400, 'invalid_request', /request.uri/)
  })

  test('a scheme of encryption that the profile does not have', async () => {
    const key = world.hubKeys.find(({ kid }) => kid === world.encryptionKid)
    if (key === undefined) throw new Error("the hub's encryption key is published")
    const pushWith = (alg: string, enc: string, unsigned = false) => {
      const push = world.tpp.push()
      if (unsigned) push.request.header['alg'] = 'none'
      setField(push, 'request', encrypt(compact(push.request), key, { alg, enc, kid: key.kid }))
      return push
    }
    expect((await send(pushWith('RSA-OAEP-256', 'A256GCM'))).status).toBe(201)
    for (const wrong of [
      pushWith('RSA-OAEP', 'A256GCM'),
      pushWith('RSA1_5', 'A256GCM'),
      pushWith('RSA-OAEP-256', 'A128GCM'),
      pushWith('RSA-OAEP-256', 'A256GCM', true),
    ]) {
      expectOAuthError(await send(wrong), 400, 'invalid_request', /./)
      await world.expectNoConsent(wrong.consentId)
    }
  })
})

describe('the scope (tpp-api 2.5) is refused for', () => {
  runs(SCOPE, 400, 'invalid_scope')
})

describe('the consent (tpp-api 2.6, 2.9) is refused for', () => {
  runs(RAR, 400, 'invalid_request')

  test('a ConsentId that was used, in either case of letters and by either application', async () => {
    const { push } = await world.lodge()
    for (const [tpp, id] of [
      [world.tpp, push.consentId],
      [world.tpp, push.consentId.toUpperCase()],
      [world.second, push.consentId],
    ] as const) {
      const again = tpp.push()
      detailOf(again).consent['ConsentId'] = id
      expectOAuthError(await send(again), 400, 'invalid_request', /ConsentId/)
    }
    expect(await world.statusOf(push.consentId)).toBe('AwaitingAuthorization')
  })

  test('a ConsentId that is used four times at once for different consents, but for one', async () => {
    const pushes = Array.from({ length: 4 }, () => world.tpp.push())
    for (const [at, push] of pushes.entries()) {
      detailOf(push).consent['ConsentId'] = pushes[0]?.consentId
      detailOf(push).consent['ExpirationDateTime'] = new Date(Date.now() + (at + 1) * DAY_MS).toISOString()
    }
    const answers = await Promise.all(pushes.map(send))
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 400, 400, 400])
    for (const answer of answers.filter(({ status }) => status === 400)) {
      expectOAuthError(answer, 400, 'invalid_request', /ConsentId/)
    }
  })
})

/** What a TPP does that never got its answer. A new assertion and request object, for the same consent. */
describe('a push of the same consent once more', () => {
  const repeated = (push: Push, tpp = world.tpp): Push => {
    const again = tpp.push()
    again.request.claims['authorization_details'] = structuredClone(push.request.claims['authorization_details'])
    return again
  }
  const begins = async (requestUri: string) =>
    (await world.bank.getAuth({ client_id: world.tpp.clientId, request_uri: requestUri })).status === 200

  test('answers with another request_uri, and the earlier one begins nothing any more', async () => {
    const { push, requestUri } = await world.lodge()
    const answer = await send(repeated(push))
    expect([answer.status, answer.json['request_uri']]).toEqual([201, expect.not.stringContaining(requestUri)])
    expect(await begins(requestUri)).toBe(false)
    expect(await begins(String(answer.json['request_uri']))).toBe(true)
    expect(await world.statusOf(push.consentId)).toBe('AwaitingAuthorization')
  })

  test('four times at once leaves one consent and one request_uri that works', async () => {
    const first = world.tpp.push()
    const answers = await Promise.all(Array.from({ length: 4 }, () => send(repeated(first))))
    // Each may be the one whose answer arrives; which it was nobody can know.
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201])
    const begun = await Promise.all(answers.map(({ json }) => begins(String(json['request_uri']))))
    expect(begun.filter(Boolean)).toHaveLength(1)
    expect(await world.statusOf(first.consentId)).toBe('AwaitingAuthorization')
  })

  test.each<[string, (push: Push, requestUri: string) => unknown, (() => Tpp)?]>([
    [
      'asks for another permission',
      (push) => Object.assign(detailOf(push).consent, { Permissions: ['ReadAccountsBasic'] }),
    ],
    ['comes from the other application', () => {}, () => world.second],
    ['comes when the customer has been sent to the bank', (_push, requestUri) => begins(requestUri)],
  ])('is refused when it %s', async (_name, change, tpp) => {
    const { push, requestUri } = await world.lodge()
    const again = repeated(push, tpp?.())
    await change(again, requestUri)
    expectOAuthError(await send(again), 400, 'invalid_request', /ConsentId/)
    expect(await begins(requestUri)).toBe(true)
  })

  test('is refused when the consent has ended', async () => {
    const { push } = await world.lodge()
    expect((await world.bank.revoke(push.consentId)).status).toBe(204)
    expectOAuthError(await send(repeated(push)), 400, 'invalid_request', /ConsentId/)
  })
})

describe('the transport is refused with', () => {
  test.each([
    ['no certificate', () => world.anonymous, /certificate/],
    ["a certificate of an authority that nobody trusts, in the client's name", () => world.rogue, /trust framework/],
    ["the other application's certificate", () => world.second.wire, /./],
    ["a bank's certificate", () => world.bank.wire, /./],
  ] as const)('%s', async (_name, wire, reason) => {
    const answer = await refused((push) => {
      push.wire = wire()
    })
    expectOAuthError(answer, 401, 'invalid_client', reason)
  })

  test('a certificate in a header and none in the handshake', async () => {
    const pem = encodeURIComponent('-----BEGIN CERTIFICATE-----')
    const answer = await refused((push) => {
      push.wire = world.anonymous
      for (const name of ['client-cert', 'x-forwarded-client-cert', 'ssl-client-cert', 'x-ssl-client-cert']) {
        push.headers[name] = pem
      }
    })
    expectOAuthError(answer, 401, 'invalid_client', /certificate/)
  })

  test('the right certificate and the assertion of a client that never registered', async () => {
    const unknown = randomUUID()
    const answer = await refused((push) => {
      Object.assign(push.assertion.claims, { iss: unknown, sub: unknown })
    })
    expectOAuthError(answer, 401, 'invalid_client', /./)
  })
})

describe('the HTTP request is refused for', () => {
  test.each(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('method %s', async (method) => {
    const push = world.tpp.push()
    push.method = method
    const answer = await send(push)
    expect([answer.status, answer.headers.allow, answer.text]).toEqual([405, 'POST', ''])
    await world.expectNoConsent(push.consentId)
  })

  test.each([
    ['JSON', 'application/json', '{"request":"x"}'],
    ['a multipart form', 'multipart/form-data; boundary=x', '--x--'],
    ['text', 'text/plain', 'request=x'],
  ])('%s', async (_name, type, body) => {
    const answer = await refused((push) => Object.assign(push, { headers: { 'content-type': type }, body }))
    expectOAuthError(answer, 400, 'invalid_request', /content type/)
  })

  test('no body', async () => {
    expectOAuthError(await refused((push) => Object.assign(push, { body: '' })), 401, 'invalid_client', /./)
  })

  test.each(['client_assertion', 'client_assertion_type', 'request'])('%s twice', async (name) => {
    const answer = await refused((push) => {
      push.form.push(...push.form.filter(([each]) => each === name))
    })
    expectOAuthError(answer, 400, 'invalid_request', /twice/)
  })

  test('a body of more than 56 KiB', async () => {
    const answer = await refused((push) => setField(push, 'padding', 'x'.repeat(57 * 1024)))
    expect([answer.status, answer.text]).toEqual([413, ''])
  })

  test.each(['42', 'not-a-uuid', '{"a":1}'])('the interaction id %s', async (id) => {
    const answer = await refused((push) => Object.assign(push.headers, { 'x-fapi-interaction-id': id }))
    expectOAuthError(answer, 400, 'invalid_request', /x-fapi-interaction-id/)
  })

  test.each(['/par/', '/PAR', '/par/x', '/request', '/'])('the path %s', async (path) => {
    const push = world.tpp.push()
    push.url = new URL(path, push.url).href
    expect((await send(push)).status).toBe(404)
    await world.expectNoConsent(push.consentId)
  })

  test('another host', async () => {
    const answer = await refused((push) => Object.assign(push.headers, { host: 'evil.example' }))
    expect(answer.status).toBe(421)
  })
})

test('the certificate of a connection is judged anew on each request over it', async () => {
  const wire = createWire(world.manifest.trustFramework.caFile, world.manifest.tpp.clients[1]?.transport ?? null)
  const digest = createHash('sha256').update('same connection').digest('hex')
  const own = world.second.push()
  const foreign = world.tpp.push()
  Object.assign(own, { wire, headers: { ...own.headers, 'x-test': digest } })
  Object.assign(foreign, { wire })
  expect((await send(own)).status).toBe(201)
  expect((await send(foreign)).status).toBe(401)
  wire.close()
})
