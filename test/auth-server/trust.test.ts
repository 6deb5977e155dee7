/** Who is no longer trusted is refused: by the operator at once, by the directory within the time it is believed for. */
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { revokeCertificate, setSoftwareStatus } from '../../sandbox/trust-framework/operator.ts'
import { send } from './support/tpp.ts'
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

describe('the directory', () => {
  test(
    'suspends a software statement: every door shuts, and opens when it is active again',
    async () => {
      const { tokens, requestUri } = await openBefore()
      const { softwareStatementId } = world.second.client
      await setSoftwareStatus(operator(), softwareStatementId, 'Inactive')
      await new Promise((done) => setTimeout(done, BELIEVED_MS))
      expect(await doors(tokens, requestUri)).toEqual(SHUT)
      await setSoftwareStatus(operator(), softwareStatementId, 'Active')
      await new Promise((done) => setTimeout(done, BELIEVED_MS))
      expect((await doors(tokens, requestUri)).refresh).toEqual([200, null])
    },
    TEST_MS,
  )

  test(
    'revokes a certificate: whoever holds it is refused, also over the connection that it opened before',
    async () => {
      const { tokens, requestUri } = await openBefore()
      const kid = kidOf(world.second.client.transport.certificateFile)
      await revokeCertificate(operator(), kid)
      await new Promise((done) => setTimeout(done, BELIEVED_MS))
      // The client itself is still one: the LFI may hear of its request.
      expect(await doors(tokens, requestUri)).toEqual({ ...SHUT, auth: [200, null] })
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
