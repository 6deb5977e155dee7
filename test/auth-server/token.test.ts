/** POST /token at the real listener: what is issued, to whom, and when it ends. */
import { createHash, randomUUID, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Json, readVerified } from './support/jws.ts'
import { CODE, CREDENTIALS, REFRESH } from './support/token-cases.ts'
import { ACCOUNT_ACCESS, detailOf, now, send, type Tpp } from './support/tpp.ts'
import type { Answer } from './support/wire.ts'
import { type HubKey, startWorld, type World } from './support/world.ts'

const BOOT_MS = 180_000
/** RFC 6749 5.2 in the closed list of the contract (tpp-api 2.10). */
const ERRORS = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
]

let world: World
beforeAll(async () => {
  world = await startWorld()
}, BOOT_MS)
afterAll(() => world.close(), BOOT_MS)

function expectError(answer: Answer, status: number, error: string, reason = /./): void {
  expect(ERRORS).toContain(error)
  expect([answer.status, answer.json]).toEqual([status, { error, error_description: expect.stringMatching(reason) }])
  expect(answer.headers['cache-control']).toContain('no-store')
  expect(answer.headers['set-cookie']).toBeUndefined()
}

/** Claims of a token that the hub signed with a key that it publishes. */
function claimsOf(jwt: unknown): { readonly header: Json; readonly claims: Json } {
  const { kid } = JSON.parse(Buffer.from(String(jwt).split('.')[0] ?? '', 'base64url').toString()) as { kid: string }
  const key = world.hubKeys.find((each: HubKey) => each.kid === kid && each.use === 'sig')
  const read = key === undefined ? null : readVerified(String(jwt), key)
  if (read === null) throw new Error('the token is not signed with a published key')
  return read
}

const thumbprintOf = (tpp: Tpp): string =>
  createHash('sha256')
    .update(new X509Certificate(readFileSync(tpp.client.transport.certificateFile)).raw)
    .digest('base64url')

describe('the exchange of a code', () => {
  test('answers with exactly the members of the contract', async () => {
    const { journey, answer } = await world.tokens()
    const requested = detailOf(journey.push)
    expect(answer.headers['cache-control']).toContain('no-store')
    expect(answer.headers['x-fapi-interaction-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(answer.json).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 600,
      scope: expect.toBeOneOf(['openid accounts', 'accounts openid']),
      refresh_token: expect.stringMatching(/^[\w-]{22,}$/),
      id_token: expect.any(String),
      authorization_details: [
        {
          type: ACCOUNT_ACCESS,
          consent: {
            Data: {
              ...requested.consent,
              Status: 'Authorized',
              CreationDateTime: expect.stringMatching(/(Z|[+-]\d\d:\d\d)$/),
              StatusUpdateDateTime: expect.stringMatching(/(Z|[+-]\d\d:\d\d)$/),
            },
            Links: {
              Self: `${world.server.rs}/open-finance/account-information/v2.1/account-access-consents/${journey.consentId}`,
            },
            Meta: {},
          },
        },
      ],
    })
  })

  test('gives an id_token about the customer, for this client, with its nonce', async () => {
    const { journey, answer } = await world.tokens()
    const { header, claims } = claimsOf(answer.json['id_token'])
    expect(header).toEqual({ alg: 'PS256', kid: expect.any(String) })
    expect(claims).toEqual({
      iss: world.server.issuer,
      aud: world.tpp.clientId,
      sub: expect.stringMatching(/^[\w-]{43}$/),
      nonce: journey.push.request.claims['nonce'],
      iat: expect.closeTo(now(), -1),
      exp: expect.closeTo(now() + 600, -1),
      auth_time: expect.closeTo(now(), -1),
    })
  })

  test('names the same customer alike to both applications, and never as the bank does', async () => {
    const [one, two] = [await world.tokens(), await world.tokens(world.second)]
    const subjects = [one, two].map(({ answer }) => claimsOf(answer.json['id_token']).claims['sub'])
    expect(subjects[0]).toBe(subjects[1])
    expect(JSON.stringify([one.answer.json, two.answer.json])).not.toContain(world.userId)
  })

  test('gives an access token bound to the certificate, which says nothing of the consent but its id', async () => {
    const { journey, accessToken } = await world.tokens()
    const { header, claims } = claimsOf(accessToken)
    expect(header).toMatchObject({ alg: 'PS256', typ: 'at+jwt' })
    expect(claims).toEqual({
      iss: world.server.issuer,
      aud: world.server.rs,
      client_id: world.tpp.clientId,
      sub: expect.any(String),
      jti: expect.stringMatching(/^[\w-]{22,}$/),
      iat: expect.closeTo(now(), -1),
      exp: expect.closeTo(now() + 600, -1),
      scope: expect.any(String),
      cnf: { 'x5t#S256': thumbprintOf(world.tpp) },
      org_id: world.manifest.tpp.organisationId,
      consent_id: journey.consentId,
      grant_id: expect.any(String),
      authorization_details: [{ type: ACCOUNT_ACCESS, consent: { ConsentId: journey.consentId } }],
    })
    expect((await world.tpp.read(accessToken)).status).toBe(200)
    const stolen = await world.second.wire.send(`${world.server.rs}/open-finance/account-information/v2.1/accounts`, {
      headers: { authorization: `Bearer ${accessToken}`, 'x-fapi-interaction-id': randomUUID() },
    })
    expect(stolen.status).toBe(401)
  })

  test('works without state and nonce, and with a nonce of 384 characters', async () => {
    for (const nonce of [undefined, 'n'.repeat(384)]) {
      const journey = await world.begin(world.tpp, ({ request }) => {
        delete request.claims['state']
        if (nonce === undefined) delete request.claims['nonce']
        else request.claims['nonce'] = nonce
      })
      await world.bank.authorize(journey.consentId)
      const location = new URL((await world.bank.doConfirm(journey.interactionId)).headers.location ?? '')
      expect(location.searchParams.has('state')).toBe(false)
      const answer = await send(world.tpp.exchange(location.searchParams.get('code') ?? '', journey.push.verifier))
      expect(claimsOf(answer.json['id_token']).claims['nonce']).toBe(nonce)
    }
  })

  test('works for a max_age, which may be nothing', async () => {
    for (const maxAge of [0, 3600]) {
      const journey = await world.begin(world.tpp, ({ request }) => Object.assign(request.claims, { max_age: maxAge }))
      await world.bank.authorize(journey.consentId)
      const location = new URL((await world.bank.doConfirm(journey.interactionId)).headers.location ?? '')
      const answer = await send(world.tpp.exchange(location.searchParams.get('code') ?? '', journey.push.verifier))
      expect(claimsOf(answer.json['id_token']).claims['auth_time']).toEqual(expect.any(Number))
    }
  })
})

describe('claims that came with doConfirm (lfi-api 1.4)', () => {
  test('are in the id_token of the exchange and of each refresh, and nowhere else', async () => {
    const authTime = now() - 120
    const { answer, accessToken, refreshToken } = await world.tokens(world.tpp, {
      acr: 'urn:openbanking:psd2:sca',
      auth_time: String(authTime),
      branch: 'Al Maryah',
      'https://aurora.example/claims/segment': 'retail "gold"',
      'heimdall.access_token_ttl': '999999',
      'heimdall.refresh_token': 'false',
    })
    const added = { branch: 'Al Maryah', 'https://aurora.example/claims/segment': 'retail "gold"' }
    const { header, claims } = claimsOf(answer.json['id_token'])
    expect(header).toEqual({ alg: 'PS256', kid: expect.any(String) })
    expect(claims).toMatchObject({ ...added, acr: 'urn:openbanking:psd2:sca', auth_time: authTime })
    expect(Object.keys(claims).filter((name) => name.startsWith('heimdall'))).toEqual([])
    expect(answer.json['expires_in']).toBe(600)
    expect(claimsOf((await send(world.tpp.refresh(refreshToken))).json['id_token']).claims).toMatchObject(added)
    expect(JSON.stringify(claimsOf(accessToken).claims)).not.toContain('Maryah')
    expect(JSON.stringify(answer.json['authorization_details'])).not.toContain('Maryah')
  })

  test('cannot say what the hub alone says', async () => {
    const forged = {
      iss: 'https://evil.example',
      sub: 'somebody',
      aud: 'everybody',
      exp: '9999999999',
      iat: '1',
      nbf: '9999999999',
      jti: 'x',
      nonce: 'forged',
      azp: 'other',
      at_hash: 'x',
      c_hash: 'x',
      s_hash: 'x',
      sid: 'x',
      amr: 'x',
      client_id: 'x',
      __proto__: 'x',
    }
    const { journey, answer } = await world.tokens(world.tpp, forged)
    const { claims } = claimsOf(answer.json['id_token'])
    expect(Object.keys(claims).sort()).toEqual(['aud', 'auth_time', 'exp', 'iat', 'iss', 'nonce', 'sub'])
    expect([claims['iss'], claims['aud'], claims['nonce']]).toEqual([
      world.server.issuer,
      world.tpp.clientId,
      journey.push.request.claims['nonce'],
    ])
    expect(claims['sub']).not.toBe('somebody')
  })

  test('are bounded in number', async () => {
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`claim${at}`, 'x']))
    const journey = await world.begin()
    await world.bank.authorize(journey.consentId)
    expect((await world.bank.doConfirm(journey.interactionId, many)).status).toBe(400)
    delete many['claim0']
    expect((await world.bank.doConfirm(journey.interactionId, many)).status).toBe(303)
  })
})

describe('a code is not redeemed', () => {
  test.each(CODE)('with %s; the right request still finds it', async (_name, corrupt, status, error) => {
    const { journey, code } = await world.approve()
    const { verifier } = journey.push
    const bad = world.tpp.exchange(code, verifier)
    corrupt(bad, { ...world, verifier })
    expectError(await send(bad), status, error)
    expect((await send(world.tpp.exchange(code, verifier))).status).toBe(200)
  })

  test('twice: the second use ends what came of the first', async () => {
    const { journey, code, accessToken, refreshToken } = await world.tokens()
    expect((await world.tpp.read(accessToken)).status).toBe(200)
    expectError(await send(world.tpp.exchange(code, journey.push.verifier)), 400, 'invalid_grant')
    expect((await world.tpp.read(accessToken)).status).toBe(401)
    expectError(await send(world.tpp.refresh(refreshToken)), 400, 'invalid_grant')
    expect(await world.statusOf(journey.consentId)).toBe('Authorized')
  })

  test('more than once of eight times at once', async () => {
    const { journey, code } = await world.approve()
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => send(world.tpp.exchange(code, journey.push.verifier))),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    for (const answer of answers.filter(({ status }) => status !== 200)) expectError(answer, 400, 'invalid_grant')
  })

  test('for a consent that was revoked meanwhile', async () => {
    const { journey, code } = await world.approve()
    expect((await world.bank.revoke(journey.consentId)).status).toBe(204)
    expectError(await send(world.tpp.exchange(code, journey.push.verifier)), 400, 'invalid_grant')
  })
})

describe('a refresh token', () => {
  test('stays good, and its use answers with exactly the members of the contract', async () => {
    const { journey, refreshToken, answer: first } = await world.tokens()
    for (let use = 0; use < 3; use += 1) {
      const answer = await send(world.tpp.refresh(refreshToken))
      expect([answer.status, Object.keys(answer.json).sort()]).toEqual([
        200,
        ['access_token', 'authorization_details', 'expires_in', 'id_token', 'scope', 'token_type'],
      ])
      expect(answer.json['authorization_details']).toEqual(first.json['authorization_details'])
      expect((await world.tpp.read(String(answer.json['access_token']))).status).toBe(200)
      expect(claimsOf(answer.json['id_token']).claims['sub']).toBe(claimsOf(first.json['id_token']).claims['sub'])
      expect(claimsOf(answer.json['access_token']).claims['consent_id']).toBe(journey.consentId)
    }
  })

  test('may be used twice at once', async () => {
    const { refreshToken } = await world.tokens()
    const answers = await Promise.all([send(world.tpp.refresh(refreshToken)), send(world.tpp.refresh(refreshToken))])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    for (const answer of answers) {
      expect((await world.tpp.read(String(answer.json['access_token']))).status).toBe(200)
    }
  })

  test.each(REFRESH)('is refused with %s, and stays good', async (_name, corrupt, status, error) => {
    const { refreshToken } = await shared()
    const bad = world.tpp.refresh(refreshToken)
    corrupt(bad, { ...world, verifier: '' })
    expectError(await send(bad), status, error)
    expect((await send(world.tpp.refresh(refreshToken))).status).toBe(200)
  })
})

/** One authorized consent for all that leaves it as it is. */
let sharedTokens: ReturnType<World['tokens']> | null = null
function shared(): ReturnType<World['tokens']> {
  sharedTokens ??= world.tokens()
  return sharedTokens
}

describe('client credentials', () => {
  test('give an access token alone', async () => {
    const answer = await send(world.tpp.clientCredentials('openid accounts'))
    expect([answer.status, answer.json]).toEqual([
      200,
      { access_token: expect.any(String), token_type: 'Bearer', expires_in: 600, scope: expect.any(String) },
    ])
    const { claims } = claimsOf(answer.json['access_token'])
    expect(claims).toMatchObject({ cnf: { 'x5t#S256': thumbprintOf(world.tpp) }, client_id: world.tpp.clientId })
    expect([claims['consent_id'], claims['grant_id'], claims['authorization_details']]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect((await world.tpp.read(String(answer.json['access_token']))).status).toBe(403)
  })

  test('give a family scope alone', async () => {
    const answer = await send(world.tpp.clientCredentials('accounts'))
    expect([answer.status, answer.json['scope']]).toEqual([200, 'accounts'])
  })

  test.each(CREDENTIALS)('are refused with %s', async (_name, corrupt, status, error) => {
    const draft = world.tpp.clientCredentials('openid accounts')
    corrupt(draft, { ...world, verifier: '' })
    expectError(await send(draft), status, error)
  })
})

test.each(['GET', 'PUT', 'HEAD', 'OPTIONS'])('%s /token is 405', async (method) => {
  const answer = await world.tpp.wire.send(world.server.token, { method })
  expect([answer.status, answer.headers.allow, answer.text]).toEqual([405, 'POST', ''])
})

describe('the end of a consent is the end of its tokens', () => {
  test('when the LFI revokes', async () => {
    const { journey, accessToken, refreshToken } = await world.tokens()
    expect((await world.tpp.read(accessToken)).status).toBe(200)
    expect((await world.bank.revoke(journey.consentId)).status).toBe(204)
    expect((await world.tpp.read(accessToken)).status).toBe(400)
    expectError(await send(world.tpp.refresh(refreshToken)), 400, 'invalid_grant')
  })

  test('when the TPP revokes', async () => {
    const { journey, accessToken, refreshToken } = await world.tokens()
    const own = await send(world.tpp.clientCredentials('openid accounts'))
    const path = `/open-finance/account-information/v2.1/account-access-consents/${journey.consentId}`
    const patched = await world.tpp.wire.send(`${world.server.rs}${path}`, {
      method: 'PATCH',
      headers: {
        authorization: `Bearer ${own.json['access_token']}`,
        'content-type': 'application/json',
        'x-fapi-interaction-id': randomUUID(),
      },
      body: JSON.stringify({ Data: { Status: 'Revoked', RevokedBy: 'TPP.InitiatedByUser' } }),
    })
    expect(patched.status).toBe(204)
    expect((await world.tpp.read(accessToken)).status).toBe(400)
    expectError(await send(world.tpp.refresh(refreshToken)), 400, 'invalid_grant')
  })

  test('while a suspended one refreshes and reads nothing, until it is resumed', async () => {
    const { journey, refreshToken } = await world.tokens()
    expect((await world.bank.patch(journey.consentId, 'Suspended')).status).toBe(204)
    const refreshed = await send(world.tpp.refresh(refreshToken))
    expect(refreshed.status).toBe(200)
    const [detail] = refreshed.json['authorization_details'] as readonly { consent: { Data: Json } }[]
    expect(detail?.consent.Data['Status']).toBe('Suspended')
    const accessToken = String(refreshed.json['access_token'])
    expect((await world.tpp.read(accessToken)).status).toBe(400)
    expect((await world.bank.patch(journey.consentId, 'Authorized')).status).toBe(204)
    expect((await world.tpp.read(accessToken)).status).toBe(200)
  })
})
