/** What a client is told of its tokens (RFC 7662, RFC 9701) and of their user (OIDC Core 5.3), at the real listener. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from './support/jws.ts'
import { createLibraryClient } from './support/library-client.ts'
import { MISBROUGHT, NO_TOKENS } from './support/service-cases.ts'
import { claimsIn, expectChallenge, expectInactive, tokenServices } from './support/token-services.ts'
import { ACCOUNT_ACCESS, now, send } from './support/tpp.ts'
import { startWorld, type Tokens, type World } from './support/world.ts'

const BOOT_MS = 180_000
const SIGNED_INTROSPECTION = 'application/token-introspection+jwt'

let world: World
/** One authorized consent for all that leaves it as it is. */
let kept: Tokens
beforeAll(async () => {
  world = await startWorld()
  kept = await world.tokens(world.tpp, { branch: 'Al Maryah' })
}, BOOT_MS)
afterAll(() => world.close(), BOOT_MS)

const { at, introspect, userinfo, ownToken, verified } = tokenServices(() => world)

describe('introspection', () => {
  test("of a user's access token tells its client what it may do", async () => {
    const answer = await introspect(kept.accessToken)
    const claims = claimsIn(kept.accessToken)
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json'])
    expect(answer.headers['cache-control']).toContain('no-store')
    expect(answer.json).toEqual({
      active: true,
      iss: world.server.issuer,
      client_id: world.tpp.clientId,
      sub: claims['sub'],
      aud: world.server.rs,
      scope: claims['scope'],
      iat: claims['iat'],
      exp: claims['exp'],
      jti: claims['jti'],
      cnf: claims['cnf'],
      token_type: 'Bearer',
      authorization_details: kept.answer.json['authorization_details'],
    })
    expect(answer.text).not.toContain(world.userId)
  })

  test('of a refresh token tells how long it lives', async () => {
    const answer = await introspect(kept.refreshToken)
    expect(answer.json).toEqual({
      active: true,
      iss: world.server.issuer,
      client_id: world.tpp.clientId,
      sub: claimsIn(kept.accessToken)['sub'],
      scope: expect.stringContaining('accounts'),
      iat: expect.closeTo(now(), -2),
      exp: expect.any(Number),
      authorization_details: kept.answer.json['authorization_details'],
    })
    const [detail] = answer.json['authorization_details'] as readonly [{ type: string; consent: { Data: Json } }]
    expect(detail.type).toBe(ACCOUNT_ACCESS)
    const ends = Date.parse(String(detail.consent.Data['ExpirationDateTime'])) / 1000
    expect(answer.json['exp']).toBeCloseTo(ends, -1)
  })

  test("of a client's own token", async () => {
    const token = await ownToken()
    const { json } = await introspect(token)
    expect(json).toMatchObject({ active: true, client_id: world.tpp.clientId, cnf: claimsIn(token)['cnf'] })
    expect(json).not.toHaveProperty('authorization_details')
  })

  test("of another client's token says nothing", async () => {
    for (const token of [kept.accessToken, kept.refreshToken, await ownToken()]) {
      expectInactive(await introspect(token, world.second))
    }
  })

  test.each(NO_TOKENS)('of %s says nothing', async (_name, make) => {
    const answer = await introspect(make(kept.accessToken))
    if (answer.status !== 413) expectInactive(answer)
  })

  test('of an id_token says nothing', async () => {
    expectInactive(await introspect(String(kept.answer.json['id_token'])))
  })

  test('follows the consent', async () => {
    const { journey, accessToken, refreshToken } = await world.tokens()
    expect((await world.bank.patch(journey.consentId, 'Suspended')).status).toBe(204)
    expectInactive(await introspect(accessToken))
    const suspended = await introspect(refreshToken)
    expect(suspended.json).toMatchObject({
      active: true,
      authorization_details: [{ consent: { Data: { Status: 'Suspended' } } }],
    })
    expect((await world.bank.patch(journey.consentId, 'Authorized')).status).toBe(204)
    expect((await introspect(accessToken)).json['active']).toBe(true)
    expect((await world.bank.revoke(journey.consentId)).status).toBe(204)
    for (const token of [accessToken, refreshToken]) expectInactive(await introspect(token))
  })

  test('is signed for whoever asks for that (RFC 9701)', async () => {
    const draft = world.tpp.post(at('/introspection'), { token: kept.accessToken })
    draft.headers['accept'] = SIGNED_INTROSPECTION
    const answer = await send(draft)
    expect([answer.status, answer.headers['content-type']]).toEqual([200, SIGNED_INTROSPECTION])
    const { header, claims } = verified(answer.text)
    expect(header).toEqual({ alg: 'PS256', kid: expect.any(String), typ: 'token-introspection+jwt' })
    expect(claims).toEqual({
      iss: world.server.issuer,
      aud: world.tpp.clientId,
      iat: expect.closeTo(now(), -1),
      token_introspection: (await introspect(kept.accessToken)).json,
    })
    // It must not pass for the token that it is about.
    expect((await world.tpp.read(answer.text)).status).toBe(401)
    expectInactive(await introspect(answer.text))
  })

  test('is signed as well when there is nothing to tell', async () => {
    const draft = world.second.post(at('/introspection'), { token: kept.accessToken })
    draft.headers['accept'] = `${SIGNED_INTROSPECTION}, application/json;q=0.5`
    const { claims } = verified((await send(draft)).text)
    expect([claims['aud'], claims['token_introspection']]).toEqual([world.second.clientId, { active: false }])
  })

  test.each([
    '*/*',
    'application/json',
    `${SIGNED_INTROSPECTION};q=0.1, application/json`,
  ])('is JSON for %s', async (accept) => {
    const draft = world.tpp.post(at('/introspection'), { token: kept.accessToken })
    draft.headers['accept'] = accept
    expect((await send(draft)).json['active']).toBe(true)
  })
})

describe('userinfo', () => {
  test.each(['GET', 'POST'])('by %s says of the user what the id_token says', async (method) => {
    const answer = await userinfo(kept.accessToken, world.tpp, method)
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json'])
    expect(answer.headers['cache-control']).toContain('no-store')
    const { claims } = verified(String(kept.answer.json['id_token']))
    expect(answer.json).toEqual({ sub: claims['sub'], branch: 'Al Maryah' })
  })

  test('is signed for whoever asks for that', async () => {
    const answer = await userinfo(kept.accessToken, world.tpp, 'GET', { accept: 'application/jwt' })
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/jwt'])
    const { header, claims } = verified(answer.text)
    expect(header).toEqual({ alg: 'PS256', kid: expect.any(String) })
    expect(claims).toEqual({
      sub: claimsIn(kept.accessToken)['sub'],
      branch: 'Al Maryah',
      iss: world.server.issuer,
      aud: world.tpp.clientId,
      iat: expect.closeTo(now(), -1),
    })
  })

  test.each(MISBROUGHT)('brought %s is refused', async (_name, bring, status, error) => {
    expectChallenge(await bring(world, kept.accessToken, at('/userinfo')), status, error)
  })

  test.each(NO_TOKENS.filter(([name]) => !/NUL|100 000/.test(name)))('with %s is refused', async (_name, make) => {
    expectChallenge(await userinfo(make(kept.accessToken)), 401, 'invalid_token')
  })

  test('with an id_token, a refresh token or a token of the client itself is refused', async () => {
    for (const token of [String(kept.answer.json['id_token']), kept.refreshToken, await ownToken()]) {
      expectChallenge(await userinfo(token), 401, 'invalid_token')
    }
  })

  test('needs the scope openid', async () => {
    const narrow = world.tpp.refresh(kept.refreshToken)
    narrow.form.push(['scope', 'accounts'])
    const answer = await userinfo(String((await send(narrow)).json['access_token']))
    expectChallenge(answer, 403, 'insufficient_scope')
    expect(answer.headers['www-authenticate']).toMatch(/scope="openid"$/)
  })

  test('follows the consent', async () => {
    const { journey, accessToken } = await world.tokens()
    expect((await userinfo(accessToken)).status).toBe(200)
    expect((await world.bank.patch(journey.consentId, 'Suspended')).status).toBe(204)
    expectChallenge(await userinfo(accessToken), 401, 'invalid_token')
    expect((await world.bank.patch(journey.consentId, 'Authorized')).status).toBe(204)
    expect((await userinfo(accessToken)).status).toBe(200)
    expect((await world.bank.revoke(journey.consentId)).status).toBe(204)
    expectChallenge(await userinfo(accessToken), 401, 'invalid_token')
  })

  test.each(['PUT', 'DELETE', 'HEAD', 'OPTIONS'])('is not %s', async (method) => {
    const answer = await world.tpp.wire.send(at('/userinfo'), { method })
    expect([answer.status, answer.headers.allow, answer.text]).toEqual([405, 'GET, POST', ''])
  })
})

describe('an independent client library', () => {
  test.each([
    ['in JSON', false],
    ['signed', true],
  ])('finds the endpoints, asks and revokes, %s', async (_name, signed) => {
    const library = await createLibraryClient(world, { signed })
    const { accessToken, refreshToken } = await world.tokens(world.tpp, { branch: 'Al Maryah' })
    const { sub } = claimsIn(accessToken)
    expect(await library.introspect(accessToken)).toMatchObject({ active: true, sub, client_id: world.tpp.clientId })
    expect(await library.userinfo(accessToken, String(sub))).toMatchObject({ sub, branch: 'Al Maryah' })
    await expect(library.userinfo(accessToken, randomUUID())).rejects.toThrow()
    await library.revoke(accessToken)
    expect(await library.introspect(accessToken)).toMatchObject({ active: false })
    await expect(library.userinfo(accessToken, String(sub))).rejects.toThrow(/server responded/)
    expect((await library.introspect(refreshToken))['active']).toBe(true)
    await library.revoke(refreshToken)
    expect((await library.introspect(refreshToken))['active']).toBe(false)
    await library.close()
  })
})
