/** The LFI's door: GET /auth, doConfirm and doFail at the real listener. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { outcomeOf } from './support/bank.ts'
import { expectJsonError } from './support/expect.ts'
import { compact, type Json, type Jws } from './support/jws.ts'
import { detailOf, send } from './support/tpp.ts'
import type { Answer } from './support/wire.ts'
import { startWorld, type World } from './support/world.ts'

const BOOT_MS = 180_000

let world: World
beforeAll(async () => {
  world = await startWorld()
}, BOOT_MS)
afterAll(() => world.close(), BOOT_MS)

const callback = (answer: Answer): Json => ({ status: answer.status, ...Object.fromEntries(outcomeOf(answer).query) })

function expectCallbackError(answer: Answer, state: string | null, error: string): void {
  expect(callback(answer)).toEqual({
    status: 303,
    error,
    error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/),
    iss: world.server.issuer,
    ...(state === null ? {} : { state }),
  })
  expect(answer.text).toBe('')
  expect(outcomeOf(answer).location.startsWith(`${world.tpp.redirectUri}?`)).toBe(true)
}

const authQuery = (requestUri: string, more: Readonly<Record<string, string>> = {}) => ({
  client_id: world.tpp.clientId,
  request_uri: requestUri,
  ...more,
})

describe('GET /auth begins a journey', () => {
  test('and tells the LFI what is asked, by whom', async () => {
    const { push, requestUri } = await world.lodge()
    const answer = await world.bank.getAuth(authQuery(requestUri))
    expect(answer.status).toBe(200)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(answer.headers.location).toBeUndefined()
    expect(answer.json).toEqual({
      interaction: {
        interactionId: expect.stringMatching(/^[\w-]{21,128}$/),
        params: {
          client_id: world.tpp.clientId,
          response_type: 'code',
          scope: 'openid accounts',
          scopes: ['openid', 'accounts'],
          request: compactOf(push.request),
          claims: {},
          redirect_uri: world.tpp.redirectUri,
          authorization_details: [detailOf(push)],
        },
        claims: {},
        status: 'AwaitingAuthorization',
        consentIdsList: [push.consentId],
        interactionStartedAt: expect.any(Number),
      },
      tpp: {
        clientId: world.tpp.clientId,
        tppId: world.manifest.tpp.organisationId,
        tppName: expect.any(String),
        softwareStatementId: world.tpp.client.softwareStatementId,
        orgId: world.manifest.tpp.organisationId,
        decodedSsa: expect.objectContaining({
          client_id: world.tpp.clientId,
          redirect_uris: world.tpp.client.redirectUris,
          roles: expect.arrayContaining(['BDSP']),
        }),
        directoryRecord: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/),
      },
    })
    const { data } = (await world.bank.consent(push.consentId)).json as { readonly data: Json }
    expect(data['interactionId']).toBe((answer.json['interaction'] as Json)['interactionId'])
  })

  test('with max_age and login_hint, when they were pushed', async () => {
    // 0 asks for a fresh authentication, which is the LFI's to give.
    for (const maxAge of [600, 0]) {
      const { requestUri } = await world.lodge(world.tpp, (push) =>
        Object.assign(push.request.claims, { max_age: maxAge, login_hint: 'a.b.c.d.e' }),
      )
      const { json } = await world.bank.getAuth(authQuery(requestUri))
      expect((json['interaction'] as Json)['params']).toMatchObject({ max_age: maxAge, login_hint: 'a.b.c.d.e' })
    }
  })

  test('whatever else is in the query: the pushed request alone counts', async () => {
    const { requestUri } = await world.lodge()
    const answer = await world.bank.getAuth(
      authQuery(requestUri, {
        response_type: 'code',
        scope: 'openid accounts payments',
        state: 'other',
        nonce: 'other',
        prompt: 'none',
        redirect_uri: 'https://evil.example/callback',
        max_age: '0',
        utm_source: 'newsletter',
      }),
    )
    expect(answer.status).toBe(200)
    const { params } = answer.json['interaction'] as { readonly params: Json }
    expect([params['scope'], params['redirect_uri']]).toEqual(['openid accounts', world.tpp.redirectUri])
    expect(params['max_age']).toBeUndefined()
  })

  test('again after a reload, and the journey before is superseded', async () => {
    const { push, requestUri } = await world.lodge()
    const first = await world.bank.begin(world.tpp.clientId, requestUri)
    const second = await world.bank.begin(world.tpp.clientId, requestUri)
    expect(second).not.toBe(first)
    await world.bank.authorize(push.consentId)
    expectJsonError(await world.bank.doConfirm(first), 404, 'invalid_request')
    expect(callback(await world.bank.doConfirm(second))).toMatchObject({ status: 303, code: expect.any(String) })
  })

  test('with the second application, whose redirect URI has a query of its own', async () => {
    const { code } = await world.approve(world.second)
    expect(code).toMatch(/^[\w-]{22,}$/)
    const journey = await world.begin(world.second)
    const { location } = outcomeOf(await world.bank.doFail(journey.interactionId))
    expect(location.startsWith(`${world.second.redirectUri}&error=access_denied&`)).toBe(true)
  })
})

const compactOf = (jws: Jws) =>
  expect.stringMatching(new RegExp(`^${compact(jws).split('.').slice(0, 2).join('\\.')}\\.`))

describe('GET /auth sends the customer back to the TPP', () => {
  test('for a request that was completed', async () => {
    const { journey } = await world.approve()
    const answer = await world.bank.getAuth(authQuery(journey.requestUri))
    expectCallbackError(answer, journey.push.state, 'invalid_request')
  })

  test('for a request that was failed', async () => {
    const journey = await world.begin()
    await world.bank.doFail(journey.interactionId)
    const answer = await world.bank.getAuth(authQuery(journey.requestUri))
    expectCallbackError(answer, journey.push.state, 'invalid_request')
  })

  test.each(['Rejected', 'Authorized'])('for a consent that is %s by now', async (status) => {
    const { push, requestUri } = await world.lodge()
    expect((await world.bank.patch(push.consentId, status)).status).toBe(204)
    expectCallbackError(await world.bank.getAuth(authQuery(requestUri)), push.state, 'invalid_request')
  })

  test('without a state when it sent none', async () => {
    const { push, requestUri } = await world.lodge(world.tpp, ({ request }) => delete request.claims['state'])
    await world.bank.patch(push.consentId, 'Rejected')
    expectCallbackError(await world.bank.getAuth(authQuery(requestUri)), null, 'invalid_request')
  })
})

describe('GET /auth redirects nobody', () => {
  test("for another client's request_uri, even with a redirect_uri in the query", async () => {
    const { requestUri } = await world.lodge()
    const foreign = { client_id: world.second.clientId, request_uri: requestUri }
    expectJsonError(await world.bank.getAuth(foreign), 400, 'invalid_client')
    const withRedirect = { ...foreign, redirect_uri: world.second.redirectUri, state: 'x' }
    expectJsonError(await world.bank.getAuth(withRedirect), 400, 'invalid_client')
  })

  test.each([
    ['an unknown client', () => ({ client_id: randomUUID() }), 'invalid_client'],
    ['a client_id that is none', () => ({ client_id: 'x' }), 'invalid_client'],
    ['an empty client_id', () => ({ client_id: '' }), 'invalid_request'],
    ['an unknown request_uri', () => ({ request_uri: 'urn:ietf:params:oauth:request_uri:nobody' }), 'invalid_request'],
    ['a request_uri to fetch', () => ({ request_uri: 'https://evil.example/request' }), 'invalid_request'],
    ['no request_uri', () => ({ request_uri: '' }), 'invalid_request'],
    ['a request beside the request_uri', () => ({ request: 'x.y.z' }), 'invalid_request'],
  ] as const)('for %s', async (_name, change, error) => {
    const { requestUri } = await world.lodge()
    expect((await world.bank.getAuth(authQuery(requestUri))).status).toBe(200)
    expectJsonError(await world.bank.getAuth({ ...authQuery(requestUri), ...change() }), 400, error)
  })

  test('for a client_id or request_uri twice', async () => {
    const { requestUri } = await world.lodge()
    const query = new URLSearchParams(authQuery(requestUri)).toString()
    for (const twice of [`${query}&client_id=${world.tpp.clientId}`, `${query}&request_uri=${requestUri}`]) {
      expectJsonError(await world.bank.getAuth(twice), 400, 'invalid_request')
    }
  })

  test('for plain parameters that were never pushed', async () => {
    const { push } = await world.lodge()
    const plain = Object.entries(push.request.claims).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ])
    const answer = await world.bank.getAuth(new URLSearchParams(plain as [string, string][]).toString())
    expect([answer.status, outcomeOf(answer).query.get('code')]).toEqual([expect.toBeOneOf([303, 400]), null])
    expect(answer.json['interaction']).toBeUndefined()
  })
})

describe('doConfirm', () => {
  test('gives one code, with state and iss, to the redirect URI of the request', async () => {
    const journey = await world.begin()
    await world.bank.authorize(journey.consentId)
    const answer = await world.bank.doConfirm(journey.interactionId)
    expect(callback(answer)).toEqual({
      status: 303,
      code: expect.stringMatching(/^[\w-]{22,}$/),
      state: journey.push.state,
      iss: world.server.issuer,
    })
    expect(answer.text).toBe('')
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(answer.headers['cache-control']).toBe('no-store')
    expectJsonError(await world.bank.doConfirm(journey.interactionId), 400, 'invalid_request')
    expectJsonError(await world.bank.doFail(journey.interactionId), 400, 'invalid_request')
  })

  test('eight times at once gives one code', async () => {
    const journey = await world.begin()
    await world.bank.authorize(journey.consentId)
    const answers = await Promise.all(Array.from({ length: 8 }, () => world.bank.doConfirm(journey.interactionId)))
    expect(answers.map(({ status }) => status).sort()).toEqual([303, ...Array.from({ length: 7 }, () => 400)])
    expect(answers.filter((answer) => outcomeOf(answer).query.has('code'))).toHaveLength(1)
  })

  test('and doFail at once end the journey one way', async () => {
    const journey = await world.begin()
    await world.bank.authorize(journey.consentId)
    const { interactionId } = journey
    const answers = await Promise.all([world.bank.doConfirm(interactionId), world.bank.doFail(interactionId)])
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 400])
  })

  test.each([
    'AwaitingAuthorization',
    'Rejected',
    'Suspended',
  ])('gives no code for a consent that is %s', async (status) => {
    const journey = await world.begin()
    if (status === 'Suspended') await world.bank.authorize(journey.consentId)
    if (status !== 'AwaitingAuthorization') await world.bank.patch(journey.consentId, status)
    const answer = await world.bank.doConfirm(journey.interactionId)
    expectCallbackError(answer, journey.push.state, 'server_error')
    expect(await world.statusOf(journey.consentId)).toBe(status)
  })

  test('for an unknown journey is 404', async () => {
    for (const id of ['nobody', randomUUID(), 'x'.repeat(128)]) {
      expectJsonError(await world.bank.doConfirm(id), 404, 'invalid_request')
      expectJsonError(await world.bank.doFail(id), 404, 'invalid_request')
    }
  })

  test('refuses what is no form before anything is decided', async () => {
    const journey = await world.begin()
    await world.bank.authorize(journey.consentId)
    const url = `${world.doors.hh}/auth/${journey.interactionId}/doConfirm`
    const form = 'application/x-www-form-urlencoded'
    const post = (type: string, body: string) =>
      world.bank.call(url, { method: 'POST', headers: { 'content-type': type }, body })
    expectJsonError(await post('application/json', '{}'), 415, 'invalid_request')
    expectJsonError(await post(form, 'acr=1&acr=2'), 400, 'invalid_request')
    expectJsonError(await post(form, `branch=${'x'.repeat(2_000)}`), 400, 'invalid_request')
    expectJsonError(await post(form, `branch=${'x'.repeat(20_000)}`), 413, 'invalid_request')
    expect((await world.bank.call(url, { method: 'POST' })).status).toBe(303)
  })
})

describe('doFail', () => {
  const VALUES: readonly (readonly [error: string | null, description: string | null, told: string])[] = [
    ['access_denied', 'user_failed_to_authenticate', 'access_denied'],
    ['access_denied', 'user_rejected_consent', 'access_denied'],
    ['access_denied', 'consent_not_supported', 'access_denied'],
    ['access_denied', 'session_expired', 'access_denied'],
    ['invalid_request', 'user_lacks_eligible_accounts', 'invalid_request'],
    ['server_error', 'lfi_internal_error', 'server_error'],
    ['temporarily_unavailable', 'lfi_temporarily_unavailable', 'temporarily_unavailable'],
    ['login_required', 'x', 'login_required'],
    ['account_selection_required', 'x', 'account_selection_required'],
    ['foo', 'made_up', 'invalid_request'],
    ['invalid_grant', 'not one of an authorization response', 'invalid_request'],
    ['constructor', 'an inherited name', 'invalid_request'],
    [null, null, 'access_denied'],
    [null, 'user_account_blocked', 'access_denied'],
    ['server_error', null, 'server_error'],
  ]
  test.each(VALUES)('with %s and %s tells the TPP of %s', async (error, description, told) => {
    const journey = await world.begin()
    const answer = await world.bank.doFail(journey.interactionId, {
      ...(error === null ? {} : { error }),
      ...(description === null ? {} : { error_description: description }),
    })
    expectCallbackError(answer, journey.push.state, told)
    if (description !== null) expect(outcomeOf(answer).query.get('error_description')).toBe(description)
    expect(await world.statusOf(journey.consentId)).toBe('AwaitingAuthorization')
    expectJsonError(await world.bank.doConfirm(journey.interactionId), 400, 'invalid_request')
  })

  test('cannot put anything but a description into the address', async () => {
    const journey = await world.begin()
    const answer = await world.bank.doFail(journey.interactionId, {
      error_description: 'a\r\nSet-Cookie: x="1"&code=2#é',
    })
    expectCallbackError(answer, journey.push.state, 'access_denied')
  })
})

describe('the engine behind the door is out of reach', () => {
  const CASES = [
    '/auth/{id}',
    '/auth/{id}/',
    '/AUTH/{id}',
    '/Auth/{id}',
    '/auth/{id}?x=1',
    '/auth/{id}/login',
    '/auth/',
  ]
  test.each(CASES)('by %s, with forged cookies, at every listener', async (path) => {
    const journey = await world.begin()
    await world.bank.authorize(journey.consentId)
    const id = journey.interactionId
    const cookie = ['_interaction', '_interaction_resume', '_session'].map((name) => `${name}=${id}`).join('; ')
    const at = path.replace('{id}', id)
    const attempts = [
      world.bank.call(`${world.doors.hh}${at}`, { headers: { cookie } }),
      world.tpp.wire.send(`${world.doors.as}${at}`, { headers: { cookie } }),
      world.tpp.wire.send(`${world.doors.rs}${at}`, { headers: { cookie } }),
      world.anonymous.send(`${world.doors.auth}${at}`, { headers: { cookie } }),
      world.bank.call(`${world.doors.cm}${at}`, { headers: { cookie } }),
    ]
    for (const answer of await Promise.all(attempts)) {
      expect(answer.status).toBe(404)
      expect(answer.headers.location).toBeUndefined()
    }
  })

  test('by cookies at GET /auth and doConfirm themselves', async () => {
    const [mine, theirs] = [await world.begin(), await world.begin(world.second)]
    await world.bank.authorize(theirs.consentId)
    const cookie = `_interaction=${theirs.interactionId}; _interaction_resume=${theirs.interactionId}`
    const again = await world.bank.call(
      `${world.doors.hh}/auth?${new URLSearchParams(authQuery(mine.requestUri)).toString()}`,
      { headers: { cookie } },
    )
    expect(again.status).toBe(200)
    const { interactionId } = again.json['interaction'] as { readonly interactionId: string }
    const answer = await world.bank.call(`${world.doors.hh}/auth/${interactionId}/doConfirm`, {
      method: 'POST',
      headers: { cookie },
    })
    expectCallbackError(answer, mine.push.state, 'server_error')
  })

  test("by way of the TPP or the public listener: GET /auth is the LFI's alone", async () => {
    const { requestUri } = await world.lodge()
    const query = new URLSearchParams(authQuery(requestUri)).toString()
    expect((await world.tpp.wire.send(`${world.doors.as}/auth?${query}`)).status).toBe(404)
    expect((await world.anonymous.send(`${world.doors.auth}/auth?${query}`)).status).toBe(404)
  })
})

describe('methods and paths', () => {
  test.each([
    ['POST', '/auth', 'GET'],
    ['HEAD', '/auth', 'GET'],
    ['PUT', '/auth', 'GET'],
    ['OPTIONS', '/auth', 'GET'],
    ['GET', '/auth/x/doConfirm', 'POST'],
    ['PATCH', '/auth/x/doFail', 'POST'],
    ['POST', '/hello-mtls', 'GET'],
  ])('%s %s is 405', async (method, path, allow) => {
    const answer = await world.bank.call(`${world.doors.hh}${path}`, { method })
    expect([answer.status, answer.headers.allow]).toEqual([405, allow])
    if (method !== 'HEAD') expectJsonError(answer, 405, 'invalid_request')
  })

  test.each([
    '/',
    '/token',
    '/par',
    '/jwks',
    '/.well-known/openid-configuration',
    '/auth/x/doOther',
    '/session/end',
  ])('%s is 404', async (path) => {
    expectJsonError(await world.bank.call(`${world.doors.hh}${path}`), 404, 'invalid_request')
  })
})

test('a journey that the second application began cannot be redeemed by the first', async () => {
  const { journey, code } = await world.approve(world.second)
  const answer = await send(world.tpp.exchange(code, journey.push.verifier))
  expect([answer.status, answer.json['error']]).toEqual([400, 'invalid_grant'])
})
