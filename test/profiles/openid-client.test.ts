/**
 * openid-client as an independent TPP of plain FAPI 2.0: whole journeys with DPoP, with tls_client_auth, with every
 * algorithm, with unsigned requests and with signed responses. It checks what it gets by its own lights, and cannot tell
 * whether TLS ends at the hub or at a proxy.
 */
import { randomUUID } from 'node:crypto'
import * as oidc from 'openid-client'
import { Agent, fetch as undiciFetch } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { json } from '../gateway/support/outside.ts'
import { type Flow, flowOf } from './support/flow.ts'
import { cryptoKeyOf } from './support/keys.ts'
import { createProfileWorld, type Kinds, type Party, type ProfileWorld } from './support/world.ts'

describe.each(['in-process', 'behind-proxy'] as const)('TLS that ends %s', (ends) => {
  let world: ProfileWorld
  let flow: Flow
  const agents: Agent[] = []
  beforeAll(async () => {
    world = await createProfileWorld(undefined, { ends })
    flow = flowOf(world)
    world.lfi.answer = json(200, { data: [ACCOUNT], meta: { totalPages: 1, totalRecords: 1 } })
  })
  afterAll(async () => {
    for (const agent of agents) await agent.close()
    await world?.close()
  })

  const ACCOUNT = {
    id: 'acc-1',
    accountNumbers: [{ schemeName: 'IBAN', identification: 'AE070331234567890123456', name: 'A. Customer' }],
    status: 'Active',
    statusUpdateDateTime: '2026-01-02T03:04:05+04:00',
    currency: 'AED',
    accountType: 'Retail',
    accountSubType: 'CurrentAccount',
    servicer: { schemeName: 'BICFI', identification: 'AURAAEADXXX' },
    isShariaCompliant: false,
  }

  /** Calls as this TPP's machines make them, with or without its certificate. */
  function fetchOf(by: Party, seen: string[]): oidc.CustomFetch {
    const shows = by.setting?.senderConstraint !== 'dpop' || by.setting.authentication === 'tls_client_auth'
    const { certificate: cert, key } = by.certificate
    const agent = new Agent({ connect: { ca: world.ca, ...(shows ? { cert, key } : {}) } })
    agents.push(agent)
    return async (url, { body, headers, method }) => {
      const sent = body === null || body === undefined ? null : String(body)
      const response = await undiciFetch(url, { method, headers, body: sent, redirect: 'manual', dispatcher: agent })
      seen.push(`${method} ${new URL(url).pathname} ${response.status}`)
      return response as unknown as Response
    }
  }

  /** The library goes by RFC 9864, FAPI 2.0 SP 5.4.1 by the older name. */
  const inNameOfFapi = (header: Record<string, unknown>): void => {
    if (header['alg'] === 'Ed25519') header['alg'] = 'EdDSA'
  }

  type Client = {
    readonly config: oidc.Configuration
    /** What was asked of the hub, and how it answered. */
    readonly seen: string[]
    readonly options: { readonly DPoP?: oidc.DPoPHandle }
    readonly key: { readonly key: oidc.CryptoKey; readonly kid: string }
  }
  async function clientOf(by: Party, dpopAlgorithm = 'ES256'): Promise<Client> {
    const seen: string[] = []
    const key = { key: cryptoKeyOf(by.signing) as oidc.CryptoKey, kid: by.signing.kid }
    const authentication =
      by.setting?.authentication === 'tls_client_auth'
        ? oidc.TlsClientAuth()
        : oidc.PrivateKeyJwt(key, {
            [oidc.modifyAssertion]: (header, claims) => {
              claims['aud'] = world.issuer
              inNameOfFapi(header)
            },
          })
    const metadata = { id_token_signed_response_alg: 'PS256', authorization_signed_response_alg: 'PS256' }
    const config = await oidc.discovery(new URL(world.issuer), by.clientId, metadata, authentication, {
      [oidc.customFetch]: fetchOf(by, seen),
    })
    oidc.enableNonRepudiationChecks(config)
    const handle = async () =>
      oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair(dpopAlgorithm), { [oidc.modifyAssertion]: inNameOfFapi })
    const options = by.setting?.senderConstraint === 'dpop' ? { DPoP: await handle() } : {}
    return { config, seen, options, key }
  }

  /** From the push to where the browser is sent back to, and the way on from there. */
  async function journey(by: Party, { config, options, key }: Client) {
    const { params, verifier, consentId } = flow.request()
    const parameters = new URLSearchParams(flow.plain(by, params))
    const signed =
      by.setting?.requestObject === 'unsigned-allowed'
        ? parameters
        : (await oidc.buildAuthorizationUrlWithJAR(config, parameters, key, times)).searchParams
    const url = await oidc.buildAuthorizationUrlWithPAR(config, signed, options)
    const back = await flow.agree(by, String(url.searchParams.get('request_uri')), consentId)
    const checks = {
      expectedState: String(params['state']),
      expectedNonce: String(params['nonce']),
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    }
    const redeem = (at: URL, by = config) => oidc.authorizationCodeGrant(by, at, checks, undefined, options)
    return { back, redeem }
  }
  async function authorize(by: Party, client: Client) {
    const { back, redeem } = await journey(by, client)
    return redeem(back)
  }
  const times: oidc.ModifyAssertionOptions = {
    [oidc.modifyAssertion]: (header, claims) => {
      inNameOfFapi(header)
      const at = Math.floor(Date.now() / 1000)
      Object.assign(claims, { iat: at, nbf: at, exp: at + 240 })
    },
  }

  const read = async ({ config, options }: Client, token: string) => {
    const url = new URL('/open-finance/account-information/v2.1/accounts', world.doors.rs.origin)
    const headers = new Headers({ accept: 'application/json', 'x-fapi-interaction-id': randomUUID() })
    const ask = () => oidc.fetchProtectedResource(config, token, url, 'GET', null, headers, options)
    const answer = await ask()
    return { status: answer.status, body: (await answer.json()) as Readonly<Record<string, unknown>> }
  }

  describe.each([
    ['dpop', 'DPoP', 'ES256'],
    ['dpop', 'DPoP', 'PS256'],
    ['eddsa', 'DPoP', 'Ed25519'],
    ['unsigned', 'DPoP', 'ES256'],
    ['tls', 'Bearer', 'ES256'],
    ['tlsDpop', 'DPoP', 'ES256'],
    ['mtls', 'Bearer', 'ES256'],
    ['jarm', 'Bearer', 'ES256'],
    ['uae', 'Bearer', 'ES256'],
  ] as const satisfies readonly (readonly [
    Kinds,
    string,
    string,
  ])[])('%s (%s, proofs with %s)', (name, type, algorithm) => {
    test('from the push to the data, and on with the refresh token', async () => {
      const by = world.parties[name]
      const client = await clientOf(by, algorithm)
      const tokens = await authorize(by, client)
      expect(tokens.token_type).toBe(type.toLowerCase())
      expect(tokens.claims()?.iss).toBe(world.issuer)
      expect(tokens['authorization_details']).toMatchObject([
        { type: expect.stringContaining('account-access-consent') },
      ])
      const first = await read(client, tokens.access_token)
      expect(first.status).toBe(200)
      expect(first.body).toMatchObject({ Data: { Account: [{ AccountId: 'acc-1' }] } })
      const { sub } = tokens.claims() ?? { sub: '' }
      const user = await oidc.fetchUserInfo(client.config, tokens.access_token, sub, client.options)
      expect(user.sub).toBe(sub)
      const refreshed = await oidc.refreshTokenGrant(
        client.config,
        String(tokens.refresh_token),
        undefined,
        client.options,
      )
      expect(refreshed.token_type).toBe(type.toLowerCase())
      expect((await read(client, refreshed.access_token)).status).toBe(200)
      const own = await oidc.clientCredentialsGrant(client.config, { scope: 'accounts' }, client.options)
      expect(own.token_type).toBe(type.toLowerCase())
    })
  })

  test('a nonce is asked for once at each door, and then known', async () => {
    const by = world.parties.dpop
    const client = await clientOf(by)
    const tokens = await authorize(by, client)
    for (let times = 0; times < 3; times += 1) {
      await read(client, tokens.access_token)
      await oidc.fetchUserInfo(client.config, tokens.access_token, oidc.skipSubjectCheck, client.options)
      await oidc.clientCredentialsGrant(client.config, { scope: 'accounts' }, client.options)
    }
    const refusals = client.seen.filter((line) => /(400|401)$/.test(line))
    expect(refusals).toEqual(['POST /par 400', 'GET /open-finance/account-information/v2.1/accounts 401'])
  })

  test('another key of the same client does not open what the first one opened', async () => {
    const by = world.parties.dpop
    const [one, other] = [await clientOf(by), await clientOf(by)]
    const tokens = await authorize(by, one)
    await expect(read(other, tokens.access_token)).rejects.toMatchObject({ status: 401 })
    // RFC 9449 5: the refresh token is the client's, whatever key it has now.
    const renewed = await oidc.refreshTokenGrant(other.config, String(tokens.refresh_token), undefined, other.options)
    expect((await read(other, renewed.access_token)).status).toBe(200)
    await expect(read(one, renewed.access_token)).rejects.toMatchObject({ status: 401 })
  })

  describe('a signed authorization response', () => {
    test('is verified by the client', async () => {
      const by = world.parties.jarm
      const client = await clientOf(by)
      oidc.useJwtResponseMode(client.config)
      const { back, redeem } = await journey(by, client)
      expect([...back.searchParams.keys()]).toEqual(['response'])
      const tokens = await redeem(back)
      expect((await read(client, tokens.access_token)).status).toBe(200)
    })

    test('is not taken when it was changed on the way, is of another client, or comes plain', async () => {
      const by = world.parties.jarm
      const [plain, client] = [await clientOf(by), await clientOf(by)]
      oidc.useJwtResponseMode(client.config)
      const { back, redeem } = await journey(by, client)
      const changed = new URL(back)
      const [head, body = '', signature] = String(back.searchParams.get('response')).split('.')
      const claims = { ...JSON.parse(Buffer.from(body, 'base64url').toString()), code: 'another' }
      const forged = Buffer.from(JSON.stringify(claims)).toString('base64url')
      changed.searchParams.set('response', [head, forged, signature].join('.'))
      await expect(redeem(changed)).rejects.toThrow()
      const other = await journey(by, plain)
      expect([...other.back.searchParams.keys()].toSorted()).toEqual(['code', 'iss', 'state'])
      await expect(other.redeem(other.back, client.config)).rejects.toThrow()
      // And yet, as it was sent, it is good.
      expect((await redeem(back)).token_type).toBe('bearer')
    })
  })
})
