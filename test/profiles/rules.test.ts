/** What each profile lets a client do, over real connections, and what it does not. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Certificate } from '../gateway/support/pki.ts'
import { type Asked, type Flow, flowOf } from './support/flow.ts'
import { type Json, newPair, proofFor, signed, thumbprint } from './support/keys.ts'
import { createProfileWorld, type Kinds, type Party, type ProfileWorld, REDIRECT_URI } from './support/world.ts'

let world: ProfileWorld
let flow: Flow
beforeAll(async () => {
  world = await createProfileWorld()
  flow = flowOf(world)
})
afterAll(() => world?.close())

const GRANT = { grant_type: 'client_credentials', scope: 'accounts' } as const
const key = newPair('ES256')
const told = ({ answer }: Asked): readonly [status: number, error: unknown] => [
  answer.status,
  (answer.json() as Json)['error'],
]
const why = ({ answer }: Asked): string => String((answer.json() as Json)['error_description'])
/** Pushes as the party may, for the body of the answer. */
const pushed = async (by: Party, params: Json, how: Parameters<Flow['push']>[2] = { certificate: by.certificate }) => {
  const asked = await flow.push(by, params, how)
  expect(asked.answer.status, asked.answer.text).toBe(201)
  return asked.answer.json() as { readonly request_uri: string; readonly expires_in: number }
}

describe('a uae client', () => {
  const by = () => world.parties.uae
  const proof = (path: '/par' | '/token') =>
    signed(proofFor(key, { method: 'POST', url: `${world.doors.as.origin}${path}` }))

  test.each([
    ['/par', () => flow.push(by(), flow.request().params, { certificate: by().certificate, dpop: proof('/par') })],
    ['/token', () => flow.token(by(), GRANT, { certificate: by().certificate, dpop: proof('/token') })],
    ['/token, with garbage', () => flow.token(by(), GRANT, { certificate: by().certificate, dpop: 'x' })],
  ] as const)('does not use DPoP at %s', async (_name, ask) => {
    const asked = await ask()
    expect(told(asked)).toEqual([400, 'invalid_request'])
    expect(why(asked)).toBe('this client does not use DPoP')
    expect(asked.nonce).toBeUndefined()
  })

  test('gets nothing without a certificate, although others do', async () => {
    for (const asked of [await flow.token(by(), GRANT), await flow.push(by(), flow.request().params)]) {
      expect(told(asked)).toEqual([401, 'invalid_client'])
      expect(why(asked)).toMatch(/certificate is required/)
    }
  })

  test.each([
    ['dpop_jkt', { dpop_jkt: thumbprint(key.jwk) }],
    ['response_mode', { response_mode: 'jwt' }],
  ])('may not name %s in its request', async (name, changes) => {
    const asked = await flow.push(by(), flow.request(changes).params, { certificate: by().certificate })
    expect(told(asked)).toEqual([400, 'invalid_request'])
    expect(why(asked)).toContain(name)
  })

  test('signs with PS256 and nothing else', async () => {
    for (const alg of ['ES256', 'EdDSA'] as const) {
      const other = { ...by(), signing: { ...newPair(alg), kid: by().signing.kid } }
      expect(told(await flow.token(other, GRANT, { certificate: by().certificate }))).toEqual([401, 'invalid_client'])
    }
  })
})

describe('algorithms of a fapi2 client', () => {
  test.each([
    ['dpop', 'ES256'],
    ['eddsa', 'EdDSA'],
    ['mtls', 'PS256'],
  ] as const)('%s signs with %s, and with a key of another kind it is nobody', async (name, alg) => {
    const by = world.parties[name]
    expect(by.signing.alg).toBe(alg)
    const how = async () =>
      by.setting?.senderConstraint === 'dpop'
        ? { dpop: await flow.freshProof(by, key, '/token') }
        : { certificate: by.certificate }
    expect((await flow.token(by, GRANT, await how())).answer.status).toBe(200)
    for (const other of ['PS256', 'ES256', 'EdDSA'] as const) {
      const signing = { ...newPair(other), kid: by.signing.kid }
      expect(told(await flow.token({ ...by, signing }, GRANT, await how()))).toEqual([401, 'invalid_client'])
    }
  })
})

describe('an unsigned pushed request', () => {
  const sent = async (name: Kinds, changes: Json = {}) => {
    const by = world.parties[name]
    const asked = flow.request(changes)
    const certificate = by.setting?.transportCertificate === undefined ? by.certificate : null
    return { by, asked, pushed: await flow.pushPlain(by, asked.params, { certificate }) }
  }

  test('is accepted of a client for which that is allowed, and ends like any other', async () => {
    const { by, asked, pushed: answered } = await sent('unsigned')
    expect(answered.answer.status, answered.answer.text).toBe(201)
    const { request_uri: uri, expires_in: seconds } = answered.answer.json() as {
      request_uri: string
      expires_in: number
    }
    // What the engine keeps of it is good for a minute, whatever is configured for signed ones.
    expect(seconds).toBe(60)
    const back = await flow.agree(by, uri, asked.consentId)
    expect(back.searchParams.get('state')).toBe(asked.params['state'])
    const code = {
      grant_type: 'authorization_code',
      code: back.searchParams.get('code') ?? '',
      redirect_uri: REDIRECT_URI,
      code_verifier: asked.verifier,
    }
    const redeemed = await flow.token(by, code, { dpop: await flow.freshProof(by, key, '/token') })
    expect(redeemed.answer.json()).toMatchObject({ token_type: 'DPoP', scope: 'openid accounts' })
  })

  test.each(['uae', 'mtls', 'dpop', 'eddsa', 'jarm', 'tls'] as const)('is refused of %s', async (name) => {
    const { pushed: answered } = await sent(name)
    expect(told(answered)).toEqual([400, 'invalid_request'])
    expect(why(answered)).toMatch(/Request Object must be used/)
  })

  test.each([
    ['without client_id', { client_id: '' }, /client_id/],
    ['without redirect_uri', { redirect_uri: '' }, /redirect_uri/],
    ['with another redirect_uri', { redirect_uri: 'https://evil.example/' }, /redirect_uri/],
    ['without authorization_details', { authorization_details: '' }, 'authorization_details is required'],
    ['with two of those', { authorization_details: [{}, {}] }, /authorization_details/],
    ['without response_type', { response_type: '' }, /response_/],
    ['with response_type code id_token', { response_type: 'code id_token' }, /response_/],
    ['without PKCE', { code_challenge: '', code_challenge_method: '' }, /PKCE/],
    ['with plain PKCE', { code_challenge_method: 'plain' }, /code_challenge_method/],
    ['without openid', { scope: 'accounts' }, /scope|openid/],
    ['with max_age of two hours', { max_age: '7200' }, /max_age/],
    ['with max_age that is no number', { max_age: 'x' }, /max_age/],
    ['with prompt', { prompt: 'none' }, /prompt/],
    ['with id_token_hint', { id_token_hint: 'x' }, /id_token_hint/],
    ['with another resource', { resource: 'https://elsewhere.example' }, /resource/],
    ['with response_mode jwt', { response_mode: 'jwt' }, /response_mode/],
    ['with a request_uri', { request_uri: 'urn:x' }, /request_uri|supported/],
    ['with alg none as request', { request: 'eyJhbGciOiJub25lIn0.e30.' }, /./],
  ])('is refused %s', async (_name, changes, reason) => {
    const { asked, pushed: answered } = await sent('unsigned', changes)
    expect(answered.answer.status, answered.answer.text).toBe(400)
    expect(why(answered)).toMatch(reason)
    expect(answered.answer.text).not.toContain('request_uri:')
    const [found] = await world.db('consent').where({ id: asked.consentId })
    expect(found).toBeUndefined()
  })

  test('without client authentication is nobody’s', async () => {
    const by = world.parties.unsigned
    expect(told(await flow.post('/par', flow.plain(by, flow.request().params), {}))).toEqual([401, 'invalid_client'])
  })
})

describe('binding a code to a key at /par', () => {
  const by = () => world.parties.dpop

  test('the key may be named, and then the code is for that key', async () => {
    const asked = flow.request({ dpop_jkt: thumbprint(key.jwk) })
    const { request_uri: uri } = await pushed(by(), asked.params, {})
    const back = await flow.agree(by(), uri, asked.consentId)
    const code = {
      grant_type: 'authorization_code',
      code: back.searchParams.get('code') ?? '',
      redirect_uri: REDIRECT_URI,
      code_verifier: asked.verifier,
    }
    const other = newPair('ES256')
    const refused = await flow.token(by(), code, { dpop: await flow.freshProof(by(), other, '/token') })
    expect(told(refused)).toEqual([400, 'invalid_grant'])
    const own = await flow.token(by(), code, { dpop: await flow.freshProof(by(), key, '/token') })
    expect(own.answer.status, own.answer.text).toBe(200)
  })

  test('a key that is named and another that is proved contradict each other', async () => {
    const asked = flow.request({ dpop_jkt: thumbprint(newPair('ES256').jwk) })
    const refused = await flow.push(by(), asked.params, { dpop: await flow.freshProof(by(), key, '/par') })
    expect(told(refused)).toEqual([400, 'invalid_request'])
    expect(why(refused)).toMatch(/dpop_jkt/)
    expect(await world.db('consent').where({ id: asked.consentId })).toEqual([])
  })

  test.each([
    ['for another endpoint', '/token', {}],
    ['without nonce', '/par', { nonce: undefined }],
    ['of an hour ago', '/par', { iat: 1 }],
  ] as const)('a proof %s is refused, and nothing is lodged', async (_name, path, changes) => {
    const asked = flow.request()
    const draft = proofFor(key, { method: 'POST', url: `${world.doors.as.origin}${path}` })
    Object.assign(draft.claims, changes)
    const refused = await flow.push(by(), asked.params, { dpop: signed(draft) })
    const error = 'nonce' in changes ? 'use_dpop_nonce' : 'invalid_dpop_proof'
    expect(told(refused)).toEqual([400, error])
    expect(await world.db('consent').where({ id: asked.consentId })).toEqual([])
  })

  test('a proof is good once', async () => {
    const dpop = await flow.freshProof(by(), key, '/par')
    await pushed(by(), flow.request().params, { dpop })
    const again = await flow.push(by(), flow.request().params, { dpop })
    expect(told(again)).toEqual([400, 'invalid_dpop_proof'])
    expect(why(again)).toMatch(/used before/)
  })
})

describe('a client whose certificate is required beside DPoP', () => {
  test('gets nothing without it, at either door', async () => {
    const by = world.parties.dpopOverTls
    const dpop = () => flow.freshProof(by, key, '/token')
    expect(told(await flow.token(by, GRANT, { dpop: await dpop() }))).toEqual([401, 'invalid_client'])
    const own = await flow.token(by, GRANT, { dpop: await dpop(), certificate: by.certificate })
    expect(own.answer.status, own.answer.text).toBe(200)
    const { access_token: token } = own.answer.json() as Record<string, string>
    const headers = { authorization: `DPoP ${token}`, dpop: 'x' }
    const answer = await world.call('rs', { path: '/open-finance/account-information/v2.1/accounts', headers })
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([
      401,
      expect.stringMatching(/certificate is required/),
    ])
  })
})

describe('tls_client_auth', () => {
  const by = () => world.parties.tls
  const certificates: Readonly<Record<string, () => Promise<Certificate | null>>> = {
    none: async () => null,
    'of another client': async () => world.parties.uae.certificate,
    'of a rogue authority': () => world.rogue.issue({ O: 'Wadi Money', OU: by().organisationId, CN: by().clientId }),
    'of its name at another organisation': () =>
      world.framework.issue({ O: 'Wadi Money', OU: world.parties.uae.organisationId, CN: by().clientId }),
    'without organisation': () =>
      world.framework.issue({ O: 'Wadi Money', CN: `${by().clientId},OU=${by().organisationId}` }),
    'that the directory does not list': () =>
      world.framework.issue({ O: 'Wadi Money', OU: by().organisationId, CN: by().clientId }),
  }

  test('is the certificate and the client id', async () => {
    const asked = await flow.token(by(), GRANT, { certificate: by().certificate })
    expect(asked.answer.json()).toMatchObject({ token_type: 'Bearer' })
  })

  test.each(Object.keys(certificates))('with a certificate %s is refused', async (name) => {
    const certificate = (await certificates[name]?.()) ?? null
    for (const asked of [
      await flow.token(by(), GRANT, { certificate }),
      await flow.push(by(), flow.request().params, { certificate }),
      await flow.post('/introspection', { client_id: by().clientId, token: 'x' }, { certificate }),
    ]) {
      expect(told(asked)).toEqual([401, 'invalid_client'])
    }
  })

  test('is nothing that a client of assertions can fall back to, nor the other way round', async () => {
    const { mtls, tls } = world.parties
    const form = { ...GRANT, client_id: mtls.clientId }
    expect(told(await flow.post('/token', form, { certificate: mtls.certificate }))).toEqual([401, 'invalid_client'])
    const assertion = {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: flow.assertion(tls),
    }
    const asked = await flow.post('/token', { ...GRANT, ...assertion }, { certificate: tls.certificate })
    expect(told(asked)).toEqual([401, 'invalid_client'])
  })

  test('goes with DPoP', async () => {
    const { tlsDpop } = world.parties
    const dpop = await flow.freshProof(tlsDpop, key, '/token')
    const asked = await flow.token(tlsDpop, GRANT, { certificate: tlsDpop.certificate, dpop })
    expect(asked.answer.json()).toMatchObject({ token_type: 'DPoP' })
    const without = await flow.token(tlsDpop, GRANT, { certificate: tlsDpop.certificate })
    expect(told(without)).toEqual([400, 'invalid_dpop_proof'])
  })
})

describe('signed authorization responses', () => {
  test('are for clients that may ask for them', async () => {
    const { mtls, jarm } = world.parties
    const asked = await flow.push(mtls, flow.request({ response_mode: 'jwt' }).params, {
      certificate: mtls.certificate,
    })
    expect(told(asked)).toEqual([400, 'invalid_request'])
    for (const mode of ['query.jwt', 'jwt']) {
      await pushed(jarm, flow.request({ response_mode: mode }).params)
    }
    for (const mode of ['fragment', 'form_post', 'form_post.jwt', 'fragment.jwt']) {
      const other = await flow.push(jarm, flow.request({ response_mode: mode }).params, {
        certificate: jarm.certificate,
      })
      expect(told(other), mode).toEqual([400, 'invalid_request'])
    }
  })

  test('say no as well as yes, and also what the hub itself says', async () => {
    const { jarm } = world.parties
    const asked = flow.request({ response_mode: 'jwt' })
    const { request_uri: uri } = await pushed(jarm, asked.params)
    const query = new URLSearchParams({ client_id: jarm.clientId, request_uri: uri })
    const begun = await flow.hh('GET', `/auth?${query}`)
    const { interaction } = begun.json() as { readonly interaction: { readonly interactionId: string } }
    const failed = await flow.hh('POST', `/auth/${interaction.interactionId}/doFail`)
    const used = await flow.hh('GET', `/auth?${query}`)
    for (const [answer, error] of [
      [failed, 'access_denied'],
      [used, 'invalid_request'],
    ] as const) {
      expect(answer.status).toBe(303)
      const { searchParams } = new URL(String(answer.headers.location))
      expect([...searchParams.keys()]).toEqual(['response'])
      const claims = JSON.parse(
        Buffer.from(searchParams.get('response')?.split('.')[1] ?? '', 'base64url').toString(),
      ) as Json
      expect(claims).toMatchObject({ error, iss: world.issuer, aud: jarm.clientId, state: asked.params['state'] })
    }
  })
})

describe('discovery', () => {
  test('says what some client of the tenant may do', async () => {
    const answer = await world.call('auth', { path: '/.well-known/openid-configuration' })
    expect(answer.json()).toMatchObject({
      token_endpoint_auth_methods_supported: ['private_key_jwt', 'tls_client_auth'],
      token_endpoint_auth_signing_alg_values_supported: ['PS256', 'ES256', 'EdDSA'],
      request_object_signing_alg_values_supported: ['PS256', 'ES256', 'EdDSA'],
      dpop_signing_alg_values_supported: ['PS256', 'ES256', 'EdDSA'],
      response_modes_supported: ['query', 'query.jwt', 'jwt'],
      authorization_signing_alg_values_supported: ['PS256'],
      id_token_signing_alg_values_supported: ['PS256'],
      tls_client_certificate_bound_access_tokens: true,
      require_pushed_authorization_requests: true,
    })
    expect(answer.json()).not.toHaveProperty('require_signed_request_object')
    expect(answer.json()).not.toHaveProperty('authorization_encryption_alg_values_supported')
  })
})
