/** Tenants that serve one profile alone. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Flow, flowOf } from './support/flow.ts'
import { type Json, newPair, proofFor, signed } from './support/keys.ts'
import { createProfileWorld, type ProfileWorld } from './support/world.ts'

const GRANT = { grant_type: 'client_credentials', scope: 'accounts' } as const
const PATH =
  '/open-finance/account-information/v2.1/account-access-consents?baseConsentId=6d2b4c1e-5f0a-4c39-9d5e-0a1b2c3d4e5f'
const key = newPair('ES256')

describe('uae alone: nothing of the other ways of FAPI 2.0 is there, whoever asks', () => {
  let world: ProfileWorld
  let flow: Flow
  beforeAll(async () => {
    world = await createProfileWorld(['uae'])
    flow = flowOf(world)
  })
  afterAll(() => world?.close())

  test('without a certificate nobody gets anywhere', async () => {
    const { answer } = await flow.token(world.parties.dpop, GRANT, {})
    expect([answer.status, (answer.json() as Json)['error']]).toEqual([401, 'invalid_client'])
  })

  test.each(['/par', '/token'] as const)('DPoP is refused at %s', async (path) => {
    const { uae } = world.parties
    const dpop = signed(proofFor(key, { method: 'POST', url: `${world.doors.as.origin}${path}` }))
    const how = { certificate: uae.certificate, dpop }
    const { answer, nonce } =
      path === '/par' ? await flow.push(uae, flow.request().params, how) : await flow.token(uae, GRANT, how)
    expect([answer.status, (answer.json() as Json)['error'], nonce]).toEqual([400, 'invalid_request', undefined])
  })

  test('DPoP is refused at the gateway, as scheme and as header', async () => {
    const { uae } = world.parties
    const { answer } = await flow.token(uae, GRANT, { certificate: uae.certificate })
    const { access_token: token } = answer.json() as Record<string, string>
    const dpop = signed(proofFor(key, { method: 'GET', url: `${world.doors.rs.origin}${PATH}`, token: String(token) }))
    const call = (headers: Record<string, string>) =>
      world.call('rs', { path: PATH, certificate: uae.certificate, headers })
    expect((await call({ authorization: `Bearer ${token}` })).status).toBe(200)
    for (const headers of [
      { authorization: `DPoP ${token}`, dpop },
      { authorization: `DPoP ${token}` },
      { authorization: `Bearer ${token}`, dpop },
    ]) {
      const refused = await call(headers)
      expect(refused.status).toBe(401)
      expect(refused.headers['www-authenticate']).toMatch(/^Bearer error="invalid_token"/)
      expect(refused.headers['dpop-nonce']).toBeUndefined()
    }
  })

  test('what would be clients of fapi2 elsewhere follow uae here', async () => {
    const { mtls, tls, unsigned } = world.parties
    // Its key is for PS256, so it is a uae client like any other.
    expect((await flow.token(mtls, GRANT, { certificate: mtls.certificate })).answer.status).toBe(200)
    const byCertificate = await flow.token(tls, GRANT, { certificate: tls.certificate })
    const plain = await flow.pushPlain(mtls, flow.request().params, { certificate: mtls.certificate })
    const es256 = await flow.token(unsigned, GRANT, { certificate: unsigned.certificate })
    for (const [{ answer }, status] of [
      [byCertificate, 401],
      [plain, 400],
      [es256, 401],
    ] as const) {
      expect(answer.status, answer.text).toBe(status)
    }
  })

  test('discovery says so', async () => {
    const document = (await world.call('auth', { path: '/.well-known/openid-configuration' })).json() as Json
    expect(document).toMatchObject({
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['PS256'],
      request_object_signing_alg_values_supported: ['PS256'],
      response_modes_supported: ['query'],
      require_signed_request_object: true,
    })
    expect(document).not.toHaveProperty('dpop_signing_alg_values_supported')
    expect(document).not.toHaveProperty('authorization_signing_alg_values_supported')
  })
})

describe('fapi2 alone', () => {
  let world: ProfileWorld
  let flow: Flow
  beforeAll(async () => {
    world = await createProfileWorld(['fapi2'])
    flow = flowOf(world)
  })
  afterAll(() => world?.close())

  test('who is not named is nobody, with or without its certificate', async () => {
    const { uae } = world.parties
    for (const certificate of [uae.certificate, null]) {
      const { answer } = await flow.token(uae, GRANT, { certificate })
      expect([answer.status, (answer.json() as Json)['error']]).toEqual([401, 'invalid_client'])
    }
  })

  test('who is named is served', async () => {
    const { dpop, mtls } = world.parties
    const byProof = await flow.token(dpop, GRANT, { dpop: await flow.freshProof(dpop, key, '/token') })
    expect(byProof.answer.status, byProof.answer.text).toBe(200)
    expect((await flow.token(mtls, GRANT, { certificate: mtls.certificate })).answer.status).toBe(200)
  })
})
