/** Tokens that are bound to a key (RFC 9449), where their client revokes, introspects and asks about the user. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Answer } from '../gateway/support/tpp.ts'
import { flowOf } from '../profiles/support/flow.ts'
import { type Json, newPair, type Pair, proofFor, signed, thumbprint } from '../profiles/support/keys.ts'
import { createProfileWorld, type Kinds, type ProfileWorld, REDIRECT_URI } from '../profiles/support/world.ts'

type Issued = { readonly key: Pair; readonly accessToken: string; readonly refreshToken: string }

let world: ProfileWorld
let flow: ReturnType<typeof flowOf>
/** One authorized consent for all that leaves it as it is. */
let kept: Issued
beforeAll(async () => {
  world = await createProfileWorld()
  flow = flowOf(world)
  kept = await issue('dpop')
})
afterAll(() => world.close())

async function issue(kind: Kinds): Promise<Issued> {
  const [by, key] = [world.parties[kind], newPair('ES256')]
  const certificate = by.setting?.transportCertificate === 'required' ? by.certificate : null
  const { params, verifier, consentId } = flow.request()
  const pushed = await flow.push(by, params, { certificate, dpop: await flow.freshProof(by, key, '/par') })
  const back = await flow.agree(by, String((pushed.answer.json() as Json)['request_uri']), consentId)
  const form = {
    grant_type: 'authorization_code',
    code: back.searchParams.get('code') ?? '',
    redirect_uri: REDIRECT_URI,
  }
  const dpop = await flow.freshProof(by, key, '/token')
  const { answer } = await flow.token(by, { ...form, code_verifier: verifier }, { certificate, dpop })
  const { access_token: accessToken, refresh_token: refreshToken } = answer.json() as Json
  return { key, accessToken: String(accessToken), refreshToken: String(refreshToken) }
}

const url = () => `${world.doors.as.origin}/userinfo`
const userinfo = (
  headers: Readonly<Record<string, string>>,
  certificate = null as Parameters<typeof flow.post>[2]['certificate'],
) => world.call('as', { path: '/userinfo', headers, ...(certificate === undefined ? {} : { certificate }) })
/** With a proof that is right, but for what is changed. */
async function ask(
  token: string,
  key: Pair,
  change: (draft: ReturnType<typeof proofFor>) => void = () => {},
): Promise<Answer> {
  const draft = proofFor(key, { method: 'GET', url: url(), token, nonce: await nonceNow() })
  change(draft)
  return userinfo({ authorization: `DPoP ${token}`, dpop: signed(draft) })
}
const nonceNow = async (): Promise<string> =>
  String((await userinfo({ authorization: `DPoP ${kept.accessToken}` })).headers['dpop-nonce'])

function expectChallenge(answer: Answer, error: string): void {
  const challenge = String(answer.headers['www-authenticate'])
  expect([answer.status, challenge]).toEqual([
    401,
    expect.stringMatching(new RegExp(`^(DPoP|Bearer) error="${error}"`)),
  ])
  expect((answer.json() as Json)['sub']).toBeUndefined()
}

describe('userinfo for a token that is bound to a key', () => {
  test('is answered to who proves to have the key, and says which nonce comes next', async () => {
    const answer = await ask(kept.accessToken, kept.key)
    expect([answer.status, answer.json()]).toEqual([200, { sub: expect.stringMatching(/^[\w-]{43}$/) }])
    expect(answer.headers['dpop-nonce']).toMatch(/^[\w-]{43}$/)
  })

  test('asks for a nonce when the proof has none (RFC 9449 9)', async () => {
    const proof = signed(proofFor(kept.key, { method: 'GET', url: url(), token: kept.accessToken }))
    const answer = await userinfo({ authorization: `DPoP ${kept.accessToken}`, dpop: proof })
    expectChallenge(answer, 'use_dpop_nonce')
    expect(answer.headers['www-authenticate']).toMatch(/^DPoP .*algs="PS256 ES256 EdDSA"$/)
    expect(answer.headers['dpop-nonce']).toMatch(/^[\w-]{43}$/)
  })

  test.each<[string, (draft: ReturnType<typeof proofFor>) => void, string]>([
    ['of another address', ({ claims }) => void Object.assign(claims, { htu: `${url()}x` }), 'invalid_dpop_proof'],
    ['of another method', ({ claims }) => void Object.assign(claims, { htm: 'POST' }), 'invalid_dpop_proof'],
    ['of another token', ({ claims }) => void Object.assign(claims, { ath: 'a'.repeat(43) }), 'invalid_dpop_proof'],
    ['of no token', ({ claims }) => void delete claims['ath'], 'invalid_dpop_proof'],
    ['of a stale time', ({ claims }) => void Object.assign(claims, { iat: 1 }), 'invalid_dpop_proof'],
    ['with a nonce of nobody', ({ claims }) => void Object.assign(claims, { nonce: 'x' }), 'use_dpop_nonce'],
    [
      'signed with another key',
      (draft) => void Object.assign(draft, { key: newPair('ES256').privateKey }),
      'invalid_dpop_proof',
    ],
  ])('refuses a proof %s', async (_name, change, error) => {
    expectChallenge(await ask(kept.accessToken, kept.key, change), error)
  })

  test('refuses the proof of another key, and a proof a second time', async () => {
    expectChallenge(await ask(kept.accessToken, newPair('ES256')), 'invalid_token')
    const nonce = await nonceNow()
    const dpop = signed(proofFor(kept.key, { method: 'GET', url: url(), token: kept.accessToken, nonce }))
    const headers = { authorization: `DPoP ${kept.accessToken}`, dpop }
    expect((await userinfo(headers)).status).toBe(200)
    expectChallenge(await userinfo(headers), 'invalid_dpop_proof')
  })

  test('refuses the token without a proof, and sent as Bearer', async () => {
    expectChallenge(await userinfo({ authorization: `DPoP ${kept.accessToken}` }), 'invalid_dpop_proof')
    expectChallenge(await userinfo({ authorization: `Bearer ${kept.accessToken}` }), 'invalid_token')
    const certificate = world.parties.dpop.certificate
    expectChallenge(await userinfo({ authorization: `Bearer ${kept.accessToken}` }, certificate), 'invalid_token')
  })

  test('wants the certificate as well of a client that is to show it', async () => {
    const { key, accessToken } = await issue('dpopOverTls')
    const certificates = [null, world.parties.dpop.certificate, world.parties.dpopOverTls.certificate]
    const statuses: number[] = []
    for (const certificate of certificates) {
      const nonce = await nonceNow()
      const dpop = signed(proofFor(key, { method: 'GET', url: url(), token: accessToken, nonce }))
      statuses.push((await userinfo({ authorization: `DPoP ${accessToken}`, dpop }, certificate)).status)
    }
    expect(statuses).toEqual([401, 401, 200])
  })
})

describe('a client that uses DPoP', () => {
  const post = async (path: string, token: string, kind: Kinds = 'dpop') =>
    (await flow.post(path, { ...flow.credentials(world.parties[kind]), token }, {})).answer

  test('introspects its tokens, without a proof', async () => {
    const { json } = await post('/introspection', kept.accessToken)
    expect(json()).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: thumbprint(kept.key.jwk) } })
    expect((await post('/introspection', kept.accessToken, 'otherDpop')).json()).toEqual({ active: false })
  })

  test('revokes its tokens, without a proof', async () => {
    const { key, accessToken, refreshToken } = await issue('dpop')
    expect((await ask(accessToken, key)).status).toBe(200)
    expect((await post('/token/revoke', accessToken, 'otherDpop')).status).toBe(200)
    expect((await ask(accessToken, key)).status).toBe(200)
    expect((await post('/token/revoke', accessToken)).status).toBe(200)
    expectChallenge(await ask(accessToken, key), 'invalid_token')
    expect((await post('/token/revoke', refreshToken)).status).toBe(200)
    expect((await post('/introspection', refreshToken)).json()).toEqual({ active: false })
  })
})
