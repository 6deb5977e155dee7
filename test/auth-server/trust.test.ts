/**
 * Who may speak at the doors. The LFI's door wants its certificate and its JWT; a TPP that is no longer trusted is
 * refused: by the operator at once, by the directory within the time that it is believed for.
 */
import { createHash, randomUUID, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { revokeCertificate, setSoftwareStatus } from '../../sandbox/trust-framework/operator.ts'
import { expectJsonError } from './support/expect.ts'
import { compact, type Jws, privateKeyIn } from './support/jws.ts'
import { now, send } from './support/tpp.ts'
import { startWorld, type Tokens, type World } from './support/world.ts'

const BOOT_MS = 180_000
const TEST_MS = 40_000
/** The sandbox's hubs believe the directory for five seconds. */
const BELIEVED_MS = 5_000

let world: World
beforeAll(async () => {
  world = await startWorld()
}, BOOT_MS)
afterAll(() => world.close(), BOOT_MS)

const operator = () => {
  const { apiUrl, caFile, operator: keys } = world.manifest.trustFramework
  return { apiUrl, caFile, client: { certFile: keys.certificateFile, keyFile: keys.keyFile } }
}

test('hello-mtls shows the certificate that arrived', async () => {
  const answer = await world.bank.call(`${world.doors.hh}/hello-mtls`)
  expect([answer.status, answer.json]).toEqual([
    200,
    {
      connectionEstablished: true,
      mtlsStatus: 'established',
      hostName: 'localhost',
      clientCertificate: {
        subject: expect.stringContaining(world.manifest.lfis.aurora.organisationId),
        issuer: expect.stringMatching(/./),
      },
    },
  ])
})

describe("a caller of the LFI's door is refused", () => {
  const hello = () => `${world.doors.hh}/hello-mtls`

  test.each([
    ['without a certificate', () => world.anonymous],
    ['with a certificate of an authority that nobody trusts', () => world.rogue],
  ] as const)('in the handshake, %s', async (_name, wire) => {
    await expect(world.bank.call(hello(), { wire: wire() })).rejects.toThrow(/certificate|ECONNRESET|alert|hang up/i)
  })

  test.each([
    ["with a TPP's certificate", () => world.tpp.wire],
    ["with the other bank's certificate", () => world.otherBank.wire],
    ["with the certificate of the LFI's console, which has no keys", () => world.console],
  ] as const)('%s', async (_name, wire) => {
    expectJsonError(await world.bank.call(hello(), { wire: wire() }), 401, 'invalid_client')
  })

  test('with the certificate and the JWT of the other bank', async () => {
    expectJsonError(await world.otherBank.call(hello()), 401, 'invalid_client')
  })

  const JWT: readonly [string, (jws: Jws) => void][] = [
    ['alg RS256', (jws) => Object.assign(jws.header, { alg: 'RS256' })],
    ['alg none', (jws) => Object.assign(jws.header, { alg: 'none' })],
    ['no kid', (jws) => delete jws.header['kid']],
    ['an unknown kid', (jws) => Object.assign(jws.header, { kid: 'nobody' })],
    ['a crit header', (jws) => Object.assign(jws.header, { crit: ['exp'] })],
    ["a TPP's key", (jws) => Object.assign(jws, { key: privateKeyIn(world.tpp.client.signing.keyFile) })],
    [
      "a TPP's key under its kid",
      (jws) => Object.assign(jws, { key: world.tpp.key, header: { alg: 'PS256', kid: world.tpp.kid } }),
    ],
    ['another iss', (jws) => Object.assign(jws.claims, { iss: 'Meridian Islamic Bank PJSC' })],
    ['no iss', (jws) => delete jws.claims['iss']],
    ['another sub', (jws) => Object.assign(jws.claims, { sub: randomUUID() })],
    ['no sub', (jws) => delete jws.claims['sub']],
    ['another aud', (jws) => Object.assign(jws.claims, { aud: 'meridian' })],
    ['aud as a list', (jws) => Object.assign(jws.claims, { aud: ['aurora'] })],
    ['no aud', (jws) => delete jws.claims['aud']],
    ['no iat', (jws) => delete jws.claims['iat']],
    ['iat ahead', (jws) => Object.assign(jws.claims, { iat: now() + 20 })],
    ['no exp', (jws) => delete jws.claims['exp']],
    ['exp past', (jws) => Object.assign(jws.claims, { iat: now() - 60, exp: now() - 15 })],
    ['exp far ahead', (jws) => Object.assign(jws.claims, { exp: now() + 120 })],
    ['exp as text', (jws) => Object.assign(jws.claims, { exp: String(now() + 30) })],
    ['nbf ahead', (jws) => Object.assign(jws.claims, { nbf: now() + 20 })],
    ['no jti', (jws) => delete jws.claims['jti']],
    ['jti a number', (jws) => Object.assign(jws.claims, { jti: 1 })],
  ]
  test.each(JWT)('with %s', async (_name, corrupt) => {
    const [good, bad] = [world.bank.auth(), world.bank.auth()]
    corrupt(bad)
    const call = (jws: Jws) => world.bank.call(hello(), { authorization: `Bearer ${compact(jws)}` })
    expect((await call(good)).status).toBe(200)
    expectJsonError(await call(bad), 401, 'invalid_client')
  })

  test('with a JWT that was used, also at the other inner door and at once', async () => {
    const used = { authorization: `Bearer ${compact(world.bank.auth())}` }
    const answers = await Promise.all(Array.from({ length: 4 }, () => world.bank.call(hello(), used)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401])
    expect((await world.bank.call(`${world.doors.cm}/hello-mtls`, used)).status).toBe(401)
  })

  test.each([
    null,
    'Bearer',
    'Bearer x',
    'Basic dXNlcjpwYXNz',
    'Bearer a.b.c d',
  ])('with Authorization %s', async (authorization) => {
    expectJsonError(await world.bank.call(hello(), { authorization }), 401, 'invalid_client')
  })

  test('and does nothing: the journey is where it was', async () => {
    const journey = await world.begin()
    await world.bank.authorize(journey.consentId)
    const url = `${world.doors.hh}/auth/${journey.interactionId}/doConfirm`
    expectJsonError(await world.bank.call(url, { method: 'POST', authorization: null }), 401, 'invalid_client')
    expectJsonError(await world.bank.call(url, { method: 'POST', wire: world.tpp.wire }), 401, 'invalid_client')
    expect((await world.bank.doConfirm(journey.interactionId)).status).toBe(303)
  })

  test('and the scheme may have either name', async () => {
    const authorization = `Ozone-Connect-JWT-Auth ${compact(world.bank.auth())}`
    expect((await world.bank.call(hello(), { authorization })).status).toBe(200)
  })
})

/** What each door says to the second application, which holds these tokens and this request_uri. */
async function doors(tokens: Tokens, requestUri: string) {
  const { second } = world
  const [par, refresh, credentials, auth, read] = await Promise.all([
    send(second.push()),
    send(second.refresh(tokens.refreshToken)),
    send(second.clientCredentials('openid accounts')),
    world.bank.getAuth({ client_id: second.clientId, request_uri: requestUri }),
    second.read(tokens.accessToken),
  ])
  const oauth = ({ status, json }: typeof par) => [status, json['error'] ?? null]
  return {
    par: oauth(par),
    refresh: oauth(refresh),
    credentials: oauth(credentials),
    auth: oauth(auth),
    read: read.status,
  }
}

const REFUSED = [401, 'invalid_client']
const SHUT = { par: REFUSED, refresh: REFUSED, credentials: REFUSED, auth: [400, 'invalid_client'], read: 401 }

async function openBefore() {
  const tokens = await world.tokens(world.second)
  const { requestUri } = await world.lodge(world.second)
  const before = await doors(tokens, requestUri)
  expect(before).toEqual({
    par: [201, null],
    refresh: [200, null],
    credentials: [200, null],
    auth: [200, null],
    read: 200,
  })
  return { tokens, requestUri }
}

const setAtHub = async (level: string, id: string, status: string) => {
  const answer = await world.console.send(`${world.doors.admin}/${level}/${id}/status`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ status }),
  })
  expect(answer.status).toBe(204)
}

describe('the operator of the hub shuts a', () => {
  test.each([
    ['clients', () => world.second.clientId],
    ['software-statements', () => world.second.client.softwareStatementId],
  ] as const)('%s record at once, and opens it again', async (level, id) => {
    const { tokens, requestUri } = await openBefore()
    for (const status of ['blocked', 'inactive']) {
      await setAtHub(level, id(), status)
      expect(await doors(tokens, requestUri)).toEqual(SHUT)
      const told = await send(world.second.push())
      expect(told.json['error_description']).toMatch(status === 'blocked' ? /blocked/ : /activation/)
    }
    await setAtHub(level, id(), 'active')
    expect((await doors(tokens, requestUri)).refresh).toEqual([200, null])
    expect((await send(world.tpp.push())).status).toBe(201)
  })

  test('TPP whole: both applications', async () => {
    const organisation = world.manifest.tpp.organisationId
    await setAtHub('tpps', organisation, 'blocked')
    for (const tpp of [world.tpp, world.second]) expect((await send(tpp.push())).status).toBe(401)
    await setAtHub('tpps', organisation, 'active')
    for (const tpp of [world.tpp, world.second]) expect((await send(tpp.push())).status).toBe(201)
  })
})

/** At the latest when what the directory said before is not believed any longer. */
async function expectWithinBelief(see: () => Promise<unknown>, expected: unknown): Promise<void> {
  for (const until = Date.now() + BELIEVED_MS; ; await pause(200)) {
    const isLast = Date.now() >= until
    const seen = await see()
    if (isLast || isDeepStrictEqual(seen, expected)) return expect(seen).toEqual(expected)
  }
}

describe('the directory', () => {
  test(
    'suspends a software statement: every door shuts, and opens when it is active again',
    async () => {
      const { tokens, requestUri } = await openBefore()
      const { softwareStatementId } = world.second.client
      await setSoftwareStatus(operator(), softwareStatementId, 'Inactive')
      await expectWithinBelief(() => doors(tokens, requestUri), SHUT)
      await setSoftwareStatus(operator(), softwareStatementId, 'Active')
      await expectWithinBelief(async () => (await doors(tokens, requestUri)).refresh, [200, null])
    },
    TEST_MS,
  )

  test(
    'revokes a certificate: whoever holds it is refused, also over the connection that it opened before',
    async () => {
      const { tokens, requestUri } = await openBefore()
      const kid = kidOf(world.second.client.transport.certificateFile)
      await revokeCertificate(operator(), kid)
      // The client itself is still one: the LFI may hear of its request.
      await expectWithinBelief(() => doors(tokens, requestUri), { ...SHUT, auth: [200, null] })
      expect((await send(world.second.push())).json['error_description']).toMatch(/revoked/)
      expect((await send(world.tpp.push())).status).toBe(201)
    },
    TEST_MS,
  )
})

/** The directory's id of a certificate is its thumbprint (tpp-api 9.3). */
const kidOf = (file: string): string =>
  createHash('sha256')
    .update(new X509Certificate(readFileSync(file)).raw)
    .digest('base64url')
