/** The windows of time in the two JWTs of a client, to the second (FAPI 2.0 SP 5.3.2.1-13, tpp-api 2.2 and 2.3). */
import { randomUUID } from 'node:crypto'
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { describe, expect, test } from 'vitest'
import { assertionRule, requestObjectRule } from '../../../src/auth-server/request-rules.ts'
import type { Client, Participants } from '../../../src/participants/index.ts'
import type { PeerCertificate } from '../../../src/tls.ts'
import { clockAt, ISSUER } from './engine.ts'

const NOW = 1_800_000_000
const clock = clockAt(NOW)
const header = { alg: 'PS256', kid: 'client' }
/** The engine has verified it; here only its form is looked at. */
const JWS = 'e30.e30.AA'
type Claims = Record<string, unknown>
const refusal = async (work: Promise<unknown>): Promise<string> => {
  const thrown = await work.then(
    () => null,
    (error: unknown) => error,
  )
  if (thrown === null) return 'accepted'
  if (!(thrown instanceof errors.OIDCProviderError)) throw thrown
  return `${thrown.error}: ${thrown.error_detail ?? thrown.error_description}`
}

describe('the request object', () => {
  const rule = requestObjectRule({ issuer: ISSUER, clock })
  const judge = (change: Claims, route = 'pushed_authorization_request', head: Claims = header) => {
    const claims = {
      aud: ISSUER,
      nbf: NOW,
      exp: NOW + 300,
      response_type: 'code',
      redirect_uri: 'https://tpp.example/callback',
      scope: 'openid accounts',
      authorization_details: [{}],
      ...change,
    }
    const given = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
    return refusal(rule({ oidc: { route, params: { request: JWS } } } as unknown as KoaContextWithOIDC, given, head))
  }

  test.each([
    [{}, 'accepted'],
    [{ nbf: NOW + 8 }, 'accepted'],
    [{ nbf: NOW + 10 }, 'accepted'],
    [{ nbf: NOW + 11 }, /nbf is in the future/],
    [{ iat: NOW + 10 }, 'accepted'],
    [{ iat: NOW + 11 }, /iat is in the future/],
    [{ iat: NOW - 100_000 }, 'accepted'],
    [{ nbf: NOW - 600, exp: NOW }, 'accepted'],
    [{ nbf: NOW - 601, exp: NOW - 1 }, /more than 600 seconds past/],
    [{ exp: NOW + 600 }, 'accepted'],
    [{ exp: NOW + 601 }, /by at most 600/],
    [{ exp: NOW + 1 }, 'accepted'],
    [{ exp: NOW }, /exp must be later than nbf/],
    [{ max_age: 0 }, 'accepted'],
    [{ max_age: 3600 }, 'accepted'],
    [{ max_age: 3601 }, /max_age/],
    [{ max_age: 1.5 }, /max_age/],
    [{ max_age: -1 }, /max_age/],
    [{ exp: undefined }, /exp is required/],
    [{ nbf: undefined }, /nbf is required/],
    [{ aud: undefined }, /aud is required/],
    [{ aud: `${ISSUER}/` }, /aud must be the issuer/],
    [{ response_type: undefined }, /response_type/],
    [{ redirect_uri: undefined }, /redirect_uri is required/],
    [{ scope: undefined }, /^invalid_scope/],
    [{ scope: 'accounts openidx' }, /^invalid_scope/],
    [{ authorization_details: [] }, /exactly one element/],
    [{ authorization_details: [{}, {}] }, /exactly one element/],
    [{ authorization_details: {} }, /exactly one element/],
    [{ state: 7 }, /state must be one string/],
    [{ scope: ['openid', 'accounts'] }, /scope must be one string/],
    [{ nbf: String(NOW) }, /nbf must be a number/],
    [{ login_hint: { Type: 'EmiratesID' } }, /login_hint must be one string/],
    [{ claims: { id_token: { sub: null } } }, /claims is not a claim/],
    [{ toString: 'x' }, /toString is not a claim/],
    [{ ['x'.repeat(5_000)]: 1 }, /^invalid_request_object: x{100} is not/],
  ] as const)('%j', async (change, verdict) => {
    expect(await judge(change)).toEqual(typeof verdict === 'string' ? verdict : expect.stringMatching(verdict))
  })

  test('is not too old for GET /auth when it was not for the push', async () => {
    expect(await judge({ nbf: NOW - 601, exp: NOW - 1 }, 'authorization')).toBe('accepted')
  })

  test('names its key', async () => {
    expect(await judge({}, 'authorization', { alg: 'PS256' })).toMatch(/kid/)
  })
})

describe('the client assertion', () => {
  const clientId = randomUUID()
  const peer = {
    thumbprint: 'active',
    organisationId: 'org',
    commonName: clientId,
    trusted: true,
  } as unknown as PeerCertificate
  const known = { clientId, organisationId: 'org' } as unknown as Client
  const judge = (
    change: Claims,
    given: { peer?: PeerCertificate | null; client?: Client | null; header?: Claims; renewed?: Client } = {},
  ) => {
    const participants = {
      client: async () => (given.client === undefined ? known : given.client),
      refresh: async () => given.renewed ?? known,
      certificateStatus: (client: Client, thumbprint: string) => (client === given.renewed ? 'active' : thumbprint),
    } as unknown as Participants
    const rule = assertionRule({
      issuer: ISSUER,
      clock,
      participants,
      peerOf: () => (given.peer === undefined ? peer : given.peer),
    })
    const claims = { iss: clientId, sub: clientId, aud: ISSUER, iat: NOW, exp: NOW + 60, jti: 'x', ...change }
    const ctx = { oidc: { params: { client_assertion: JWS } } } as unknown as KoaContextWithOIDC
    return refusal(Promise.resolve(rule(ctx, claims, given.header ?? header)))
  }

  test.each([
    [{}, 'accepted'],
    [{ iat: NOW + 8, exp: NOW + 68 }, 'accepted'],
    [{ iat: NOW + 10, exp: NOW + 70 }, 'accepted'],
    [{ iat: NOW + 11, exp: NOW + 70 }, /iat is in the future/],
    [{ iat: undefined }, /iat is required/],
    [{ nbf: NOW + 10 }, 'accepted'],
    [{ nbf: NOW + 11 }, /nbf is in the future/],
    [{ exp: NOW + 300 }, 'accepted'],
    [{ exp: NOW + 301 }, /within 300/],
    [{ exp: NOW }, /within 300/],
    [{ aud: [ISSUER] }, /aud/],
    [{ aud: `${ISSUER}/token` }, /aud/],
    [{ sub: randomUUID() }, /sub/],
  ] as const)('%j', async (change, verdict) => {
    expect(await judge(change)).toEqual(typeof verdict === 'string' ? verdict : expect.stringMatching(verdict))
  })

  test.each([
    ['no certificate', { peer: null }, /required/],
    ['one that nobody vouches for', { peer: { ...peer, trusted: false } }, /not issued by the trust framework/],
    [
      "another application's",
      { peer: { ...peer, commonName: randomUUID() } as PeerCertificate },
      /another application/,
    ],
    [
      "another organisation's",
      { peer: { ...peer, organisationId: 'other' } as unknown as PeerCertificate },
      /another application/,
    ],
    ['one that was revoked', { peer: { ...peer, thumbprint: 'revoked' } as unknown as PeerCertificate }, /revoked/],
    [
      'one that the directory does not list',
      { peer: { ...peer, thumbprint: 'unknown' } as unknown as PeerCertificate },
      /unknown/,
    ],
    ['one for a client that is not here', { client: null }, /another application/],
    ['no kid', { header: { alg: 'PS256' } }, /kid/],
  ] as const)('with %s', async (_name, given, verdict) => {
    expect(await judge({}, given)).toMatch(verdict)
  })

  test('with a certificate that is newer than what is known of the client, once the directory was asked', async () => {
    const newer = { ...peer, thumbprint: 'unknown' } as unknown as PeerCertificate
    const revoked = { ...peer, thumbprint: 'revoked' } as unknown as PeerCertificate
    const renewed = { ...known } as Client
    expect(await judge({}, { peer: newer, renewed })).toBe('accepted')
    expect(await judge({}, { peer: revoked, renewed })).toMatch(/revoked/)
  })
})
