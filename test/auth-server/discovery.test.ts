/** What the hub says of itself, and how its public listeners are spoken to: tpp-api 1, FAPI 2.0 SP 5.2. */

import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { type ConnectionOptions, connect, createServer, type Server } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ACCOUNT_ACCESS, send } from './support/tpp.ts'
import { createWire } from './support/wire.ts'
import { type Doors, startWorld, type World } from './support/world.ts'

const BOOT_MS = 180_000
const DISCOVERY = '/.well-known/openid-configuration'
const FOREIGN = { origin: 'https://evil.example' }

let world: World
beforeAll(async () => {
  world = await startWorld()
}, BOOT_MS)
afterAll(() => world.close(), BOOT_MS)

describe('the discovery document', () => {
  test('has the members of the contract and no others', () => {
    const { auth, as, rs } = world.doors
    const endpoints = {
      pushed_authorization_request_endpoint: `${as}/par`,
      token_endpoint: `${as}/token`,
      revocation_endpoint: `${as}/token/revoke`,
      introspection_endpoint: `${as}/introspection`,
      userinfo_endpoint: `${as}/userinfo`,
    }
    expect(world.discovery).toEqual({
      issuer: auth,
      authorization_endpoint: world.manifest.lfis.aurora.authorizationEndpoint,
      ...endpoints,
      mtls_endpoint_aliases: endpoints,
      registration_endpoint: `${rs}/tpp-registration`,
      jwks_uri: `${world.manifest.trustFramework.url}/${world.manifest.lfis.aurora.organisationId}/application.jwks`,
      tls_client_certificate_bound_access_tokens: true,
      require_pushed_authorization_requests: true,
      require_signed_request_object: true,
      request_parameter_supported: true,
      request_uri_parameter_supported: true,
      require_request_uri_registration: true,
      authorization_response_iss_parameter_supported: true,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
      scopes_supported: [
        'openid',
        'accounts',
        'payments',
        'insurance',
        'confirmation-of-payee',
        'products',
        'atm',
        'fx',
        'account-opening',
        'tpp-reports',
      ],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['PS256'],
      request_object_signing_alg_values_supported: ['PS256'],
      request_object_encryption_alg_values_supported: ['RSA-OAEP-256'],
      request_object_encryption_enc_values_supported: ['A256GCM'],
      id_token_signing_alg_values_supported: ['PS256'],
      introspection_signing_alg_values_supported: ['PS256'],
      userinfo_signing_alg_values_supported: ['PS256'],
      id_token_encryption_alg_values_supported: [],
      id_token_encryption_enc_values_supported: [],
      code_challenge_methods_supported: ['S256'],
      subject_types_supported: ['public'],
      claim_types_supported: ['normal'],
      claims_parameter_supported: false,
      claims_supported: expect.arrayContaining(['sub', 'acr', 'auth_time', 'iss']),
      authorization_details_types_supported: [
        ACCOUNT_ACCESS,
        'urn:openfinanceuae:service-initiation-consent:v2.1',
        'urn:openfinanceuae:insurance-consent:v2.1',
      ],
    })
    expect(new URL(String(world.discovery['issuer'])).pathname).toBe('/')
    expect(String(world.discovery['issuer'])).not.toMatch(/\/$/)
  })

  test('may be kept for fifteen minutes, sets no cookie and is open to no script', async () => {
    const { status, headers } = await world.anonymous.send(`${world.doors.auth}${DISCOVERY}`, { headers: FOREIGN })
    expect([status, headers['cache-control'], headers['content-type']]).toEqual([
      200,
      'max-age=900',
      'application/json; charset=utf-8',
    ])
    expectNothingForBrowsers(headers)
  })

  test('is the same whatever Host-like headers say', async () => {
    const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http', forwarded: 'host=evil.example' }
    const { json } = await world.anonymous.send(`${world.doors.auth}${DISCOVERY}?issuer=x`, { headers })
    expect(json).toEqual(world.discovery)
  })

  test('leads to the keys that sign, in the public half alone', async () => {
    const signing = world.hubKeys.filter(({ use }) => use === 'sig')
    expect(signing.length).toBeGreaterThan(0)
    for (const key of world.hubKeys) {
      expect(key).toMatchObject({
        kty: 'RSA',
        kid: expect.stringMatching(/./),
        use: expect.stringMatching(/^(sig|enc)$/),
      })
      expect(Buffer.from(String(key['n']), 'base64url').length).toBeGreaterThanOrEqual(256)
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(secret)
    }
    const { access_token: token } = (await send(world.tpp.clientCredentials('accounts'))).json
    const { kid } = JSON.parse(Buffer.from(String(token).split('.')[0] ?? '', 'base64url').toString('utf8')) as Json
    expect(signing.map((key) => key.kid)).toContain(kid)
  })

  test("and the hub's own copy of them says the same", async () => {
    const { status, json, headers } = await world.anonymous.send(`${world.doors.auth}/jwks`, { headers: FOREIGN })
    expect([status, headers['cache-control'], headers['content-type']]).toEqual([
      200,
      'max-age=900',
      'application/jwk-set+json',
    ])
    expectNothingForBrowsers(headers)
    for (const key of json['keys'] as readonly Json[]) {
      const published = world.hubKeys.find(({ kid }) => kid === key['kid'])
      expect([published?.['n'], published?.['e']]).toEqual([key['n'], key['e']])
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(key).not.toHaveProperty(secret)
    }
  })
})

type Json = Readonly<Record<string, unknown>>

function expectNothingForBrowsers(headers: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(headers).filter((name) => name.startsWith('access-control-') || name === 'set-cookie')
  expect(names).toEqual([])
}

describe('the public listeners', () => {
  test.each([
    '/',
    '/.well-known/openid-configuration/',
    '/.well-known/oauth-authorization-server',
    '/.WELL-KNOWN/OPENID-CONFIGURATION',
    '/auth',
    '/par',
    '/token',
    '/me',
    '/session/end',
    '/reg',
    '/introspection',
    '/revocation',
    '/jwks/',
  ])('%s does not exist at the issuer', async (path) => {
    expect((await world.anonymous.send(`${world.doors.auth}${path}`)).status).toBe(404)
  })

  test.each([
    '/auth',
    '/jwks',
    DISCOVERY,
    '/me',
    '/session/end',
    '/revocation',
    '/token/introspection',
    '/token/revoke/',
    '/TOKEN/REVOKE',
    '/userinfo/',
    '/request',
  ])('%s does not exist where tokens are issued', async (path) => {
    expect((await world.tpp.wire.send(`${world.doors.as}${path}`)).status).toBe(404)
    expect((await world.tpp.wire.send(`${world.doors.as}${path}`, { method: 'POST' })).status).toBe(404)
  })

  test.each([DISCOVERY, '/jwks'])('%s is read only', async (path) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await world.anonymous.send(`${world.doors.auth}${path}`, { method })
      expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD'])
      expectNothingForBrowsers(answer.headers)
    }
    expect((await world.anonymous.send(`${world.doors.auth}${path}`, { method: 'HEAD' })).status).toBe(200)
  })

  test.each(['auth', 'as', 'rs'] as const)('%s answers under its own host only', async (door) => {
    for (const host of ['evil.example', 'localhost', '127.0.0.1', new URL(world.doors.cm).host]) {
      const answer = await world.tpp.wire.send(`${world.doors[door]}${DISCOVERY}`, { headers: { host } })
      expect([host, answer.status, answer.text]).toEqual([host, 421, ''])
    }
  })

  test('answer scripts of other origins like anybody else', async () => {
    for (const draft of [world.tpp.push(), world.tpp.clientCredentials('accounts')]) {
      draft.headers['origin'] = FOREIGN.origin
      const answer = await send(draft)
      expect(answer.status).toBeLessThan(300)
      expectNothingForBrowsers(answer.headers)
    }
    const { headers } = await world.anonymous.send(`${world.doors.as}/token`, {
      method: 'OPTIONS',
      headers: { ...FOREIGN, 'access-control-request-method': 'POST' },
    })
    expectNothingForBrowsers(headers)
  })

  test('answer somebody without a certificate, and say what is wrong', async () => {
    const answer = await world.anonymous.send(`${world.doors.as}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials',
    })
    expect([answer.status, answer.json['error']]).toEqual([401, 'invalid_client'])
  })
})

describe('TLS', () => {
  const DOORS: readonly (keyof Doors)[] = ['auth', 'as', 'rs', 'hh', 'cm']
  /** FAPI 2.0 SP 5.2.2: of TLS 1.2 these four, two of them for keys of another kind than the hub has. */
  const ALLOWED = ['ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES128-GCM-SHA256']
  const REFUSED = [
    'ECDHE-RSA-CHACHA20-POLY1305',
    'DHE-RSA-AES256-GCM-SHA384',
    'DHE-RSA-AES128-GCM-SHA256',
    'AES256-GCM-SHA384',
    'AES128-GCM-SHA256',
    'ECDHE-RSA-AES256-SHA384',
    'ECDHE-RSA-AES128-SHA256',
    'ECDHE-RSA-AES128-SHA',
    'AES128-SHA',
  ]

  /** Takes anything: what it takes and the hub does not, the hub has refused. */
  let anything: Server
  let anythingPort = 0
  beforeAll(async () => {
    const { certificateFile, keyFile } = world.manifest.lfis.aurora.adminClient
    anything = createServer({
      cert: readFileSync(certificateFile),
      key: readFileSync(keyFile),
      minVersion: 'TLSv1',
      ciphers: 'ALL:@SECLEVEL=0',
      dhparam: 'auto',
    })
    await new Promise<void>((ready) => anything.listen(0, 'localhost', ready))
    anythingPort = (anything.address() as AddressInfo).port
  })
  afterAll(() => anything.close())
  const portOf = (door: keyof Doors): number => Number(new URL(world.doors[door]).port)

  test.each(DOORS)('of %s is 1.3, or 1.2 with the suites of the profile', async (door) => {
    expect(await handshake(portOf(door), {})).toMatch(/^TLSv1\.3 TLS_/)
    for (const ciphers of ALLOWED)
      expect(await handshake(portOf(door), { maxVersion: 'TLSv1.2', ciphers })).toBe(`TLSv1.2 ${ciphers}`)
    for (const ciphers of REFUSED) {
      const weak = { maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` } as const
      expect(await handshake(anythingPort, weak)).toBe(`TLSv1.2 ${ciphers}`)
      expect([ciphers, await handshake(portOf(door), weak)]).toEqual([ciphers, 'refused'])
    }
  })

  test.each(DOORS)('of %s is neither 1.1 nor 1.0', async (door) => {
    for (const version of ['TLSv1.1', 'TLSv1'] as const) {
      const old = { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' } as const
      expect(await handshake(anythingPort, old)).toMatch(new RegExp(`^${version} `))
      expect([version, await handshake(portOf(door), old)]).toEqual([version, 'refused'])
    }
  })

  test('is the only way in', async () => {
    const wire = createWire(world.manifest.trustFramework.caFile, null)
    await expect(wire.send(world.doors.auth.replace('https:', 'http:'))).rejects.toThrow(/./)
    wire.close()
  })
})

/** Version and suite, or `refused`. The handshake alone, with the client certificate that the door asks for. */
function handshake(port: number, options: ConnectionOptions): Promise<string> {
  const { certificateFile, keyFile } = world.manifest.lfis.aurora.adminClient
  return new Promise((resolve) => {
    const socket = connect({
      host: 'localhost',
      port,
      ca: readFileSync(world.manifest.trustFramework.caFile),
      cert: readFileSync(certificateFile),
      key: readFileSync(keyFile),
      // The server of the comparison has a client's certificate; whom we speak to is not the question here.
      rejectUnauthorized: false,
      ...options,
    })
    socket.on('secureConnect', () => {
      resolve(`${socket.getProtocol()} ${socket.getCipher().name}`)
      socket.destroy()
    })
    socket.on('error', () => resolve('refused'))
  })
}
