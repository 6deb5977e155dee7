/**
 * The sandbox TPP held against the client modules of the FAPI 2.0 suite: whatever is wrong with an answer, the TPP
 * stops before the token is used.
 */
import { generateKeyPairSync } from 'node:crypto'
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Pending } from '../../sandbox/tpp/authorization.ts'
import { createTppClient, type LfiConnection, type TppClient } from '../../sandbox/tpp/client.ts'
import { LfiFault } from '../../sandbox/tpp/errors.ts'
import type { HttpCall } from '../../sandbox/tpp/settings.ts'
import { type Misbehaviour, type StandIn, startStandIn } from './tpp-stand-in.ts'

let standIn: StandIn
let client: TppClient
let calls: HttpCall[]

beforeAll(async () => {
  standIn = await startStandIn()
})
afterAll(async () => {
  await standIn.close()
})
beforeEach(async () => {
  standIn.misbehave({})
  Object.assign(standIn.seen, { par: 0, token: 0, resource: 0, registration: 0, refresh: 0 })
  calls = []
  // A new client each time: nothing remembered from a discovery document of another test.
  client = await createTppClient({
    trustFrameworkUrl: standIn.issuer,
    ca: standIn.ca,
    application: standIn.application,
    onCall: (call) => calls.push(call),
  })
  return () => client.close()
})

const ask = { permissions: ['ReadAccountsBasic'], expiresAt: new Date(Date.now() + 86_400_000) } as const

async function bank(): Promise<LfiConnection> {
  const [lfi] = await client.lfis()
  if (lfi === undefined) throw new Error('no LFI found')
  return client.connect(lfi)
}

/** The whole journey as an application makes it: a fault anywhere ends it before the read. */
async function journey(edit: (query: URLSearchParams, pending: Pending) => void = () => {}): Promise<void> {
  const connection = await bank()
  const { pending, url } = await connection.requestConsent(ask)
  const query = standIn.approve(url)
  edit(query, pending)
  const tokens = await connection.redeem(query, pending)
  await connection.read('/accounts', { accessToken: tokens.accessToken })
}

async function fault(work: Promise<unknown>): Promise<LfiFault> {
  const error = await work.then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  )
  if (error instanceof LfiFault) return error
  throw error
}

describe('a correct server', () => {
  test('is asked, answered and read from, each call with an interaction id', async () => {
    await journey()
    expect(standIn.seen).toMatchObject({ par: 1, token: 1, resource: 1 })
    expect(calls.every((call) => /^[0-9a-f-]{36}$/.test(call.interactionId ?? ''))).toBe(true)
  })

  const TOLERATED: readonly { readonly name: string; readonly how: Misbehaviour }[] = [
    { name: 'aud as an array of one', how: { idTokenClaims: (claims) => ({ ...claims, aud: [String(claims.aud)] }) } },
    { name: 'a token response without expires_in', how: { token: ({ expires_in: _, ...body }) => body } },
    { name: 'token_type in odd case', how: { token: (body) => ({ ...body, token_type: 'bEaReR' }) } },
    { name: 'a pushed request answered 200, as the published document says', how: { parStatus: 200 } },
  ]
  test.for(TOLERATED)('may answer with $name', async ({ how }) => {
    standIn.misbehave(how)
    await journey()
    expect(standIn.seen.resource).toBe(1)
  })

  test('refreshes, and the refresh token stays when no other comes', async () => {
    const connection = await bank()
    const { pending, url } = await connection.requestConsent(ask)
    const first = await connection.redeem(standIn.approve(url), pending)
    const second = await connection.refresh(first)
    expect(second.accessToken).not.toBe(first.accessToken)
    expect(second.refreshToken).toBe(first.refreshToken)
    expect(standIn.seen.refresh).toBe(1)
  })
})

const EDITS: readonly { readonly name: string; readonly edit: (query: URLSearchParams) => void }[] = [
  { name: 'iss of another server', edit: (query) => query.set('iss', 'https://evil.example') },
  { name: 'iss with a slash added', edit: (query) => query.set('iss', `${query.get('iss')}/`) },
  { name: 'iss missing', edit: (query) => query.delete('iss') },
  { name: 'iss twice', edit: (query) => query.append('iss', query.get('iss') ?? '') },
  { name: 'another state', edit: (query) => query.set('state', 'x'.repeat(43)) },
  { name: 'state missing', edit: (query) => query.delete('state') },
  { name: 'state twice', edit: (query) => query.append('state', query.get('state') ?? '') },
  { name: 'code missing', edit: (query) => query.delete('code') },
  { name: 'code twice', edit: (query) => query.append('code', 'other') },
  { name: 'a whole answer as JWT that was not asked for', edit: (query) => query.set('response', 'a.b.c') },
]
test.for(EDITS)('callback with $name: the code is not sent', async ({ edit }) => {
  const found = await fault(journey(edit))
  expect(found.kind).toBe('untrusted')
  expect(standIn.seen).toMatchObject({ token: 0, resource: 0 })
})

test('callback that belongs to a request at another server: the code is not sent', async () => {
  const found = await fault(
    journey((_query, pending) =>
      Object.assign(pending, { issuer: 'https://other.example' } satisfies Partial<Pending>),
    ),
  )
  expect(found.kind).toBe('untrusted')
  expect(standIn.seen.token).toBe(0)
})

test('callback with error=access_denied says so, but only with the right iss', async () => {
  const refused = await fault(
    journey((query) => {
      query.delete('code')
      query.set('error', 'access_denied')
      query.set('error_description', 'user_rejected_consent')
    }),
  )
  expect(refused).toMatchObject({ kind: 'oauth', code: 'access_denied', message: 'user_rejected_consent' })
  const forged = await fault(
    journey((query) => {
      query.delete('code')
      query.delete('iss')
      query.set('error', 'access_denied')
    }),
  )
  expect(forged.kind).toBe('untrusted')
})

const strangersKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const resign = (alg: string, kid: string) => (claims: JWTPayload) =>
  new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(strangersKey)
const without =
  (name: string) =>
  ({ [name]: _, ...claims }: JWTPayload): JWTPayload =>
    claims
const NOW = Math.floor(Date.now() / 1000)

const ID_TOKENS: readonly { readonly name: string; readonly how: Misbehaviour }[] = [
  { name: 'wrong iss', how: { idTokenClaims: (claims) => ({ ...claims, iss: 'https://evil.example' }) } },
  { name: 'no iss', how: { idTokenClaims: without('iss') } },
  { name: 'wrong aud', how: { idTokenClaims: (claims) => ({ ...claims, aud: 'someone-else' }) } },
  { name: 'no aud', how: { idTokenClaims: without('aud') } },
  { name: 'an extra audience', how: { idTokenClaims: (claims) => ({ ...claims, aud: [String(claims.aud), 'evil'] }) } },
  {
    name: 'an extra audience excused by azp',
    how: { idTokenClaims: (claims) => ({ ...claims, aud: [String(claims.aud), 'evil'], azp: String(claims.aud) }) },
  },
  { name: 'wrong nonce', how: { idTokenClaims: (claims) => ({ ...claims, nonce: 'another' }) } },
  { name: 'no nonce', how: { idTokenClaims: without('nonce') } },
  { name: 'expired', how: { idTokenClaims: (claims) => ({ ...claims, iat: NOW - 900, exp: NOW - 300 }) } },
  { name: 'no exp', how: { idTokenClaims: without('exp') } },
  { name: 'no iat', how: { idTokenClaims: without('iat') } },
  { name: 'no sub', how: { idTokenClaims: without('sub') } },
  { name: 'alg none', how: { idToken: (claims) => new UnsecuredJWT(claims).encode() } },
  { name: 'alg RS256', how: { idToken: resign('RS256', 'hub-1') } },
  { name: 'PS256 by a stranger under our kid', how: { idToken: resign('PS256', 'hub-1') } },
  { name: 'PS256 under an unknown kid', how: { idToken: resign('PS256', 'nobody') } },
  {
    name: 'a changed signature',
    how: { idToken: (_claims, correct) => `${correct.slice(0, -8)}AAAAAAA${correct.slice(-1)}` },
  },
  { name: 'left out', how: { token: ({ id_token: _, ...body }) => body } },
]
test.for(ID_TOKENS)('id_token $name: the access token is not used', async ({ how }) => {
  standIn.misbehave(how)
  const found = await fault(journey())
  expect(found.kind).toBe('untrusted')
  expect(standIn.seen).toMatchObject({ token: 1, resource: 0 })
})

const consentOf = (consentId: string, type = 'urn:openfinanceuae:account-access-consent:v2.1'): unknown => [
  { type, consent: { Data: { ConsentId: consentId } } },
]
const TOKENS: readonly { readonly name: string; readonly how: Misbehaviour }[] = [
  { name: 'for another consent', how: { token: (body) => ({ ...body, authorization_details: consentOf('other') }) } },
  {
    name: 'for a consent of another type',
    how: { token: (body) => ({ ...body, authorization_details: consentOf('other', 'urn:other') }) },
  },
  { name: 'without a consent', how: { token: ({ authorization_details: _, ...body }) => body } },
  { name: 'of an unknown type', how: { token: (body) => ({ ...body, token_type: 'mac' }) } },
]
test.for(TOKENS)('token $name is not used', async ({ how }) => {
  standIn.misbehave(how)
  expect((await fault(journey())).kind).toBe('untrusted')
  expect(standIn.seen.resource).toBe(0)
})

test('a refresh about another person is refused', async () => {
  const connection = await bank()
  const { pending, url } = await connection.requestConsent(ask)
  const tokens = await connection.redeem(standIn.approve(url), pending)
  standIn.misbehave({ idTokenClaims: (claims) => ({ ...claims, sub: 'psu-2' }) })
  expect((await fault(connection.refresh(tokens))).message).toContain('another person')
})

type Edit = (document: Record<string, unknown>) => Record<string, unknown>
const DISCOVERY: readonly { readonly name: string; readonly edit: Edit }[] = [
  { name: 'another issuer', edit: (document) => ({ ...document, issuer: 'https://evil.example' }) },
  {
    name: 'no promise of iss in the callback',
    edit: ({ authorization_response_iss_parameter_supported: _, ...document }) => document,
  },
  { name: 'no pushed requests', edit: ({ pushed_authorization_request_endpoint: _, ...document }) => document },
  { name: 'no certificate-bound tokens', edit: ({ tls_client_certificate_bound_access_tokens: _, ...rest }) => rest },
  { name: 'RS256 id tokens only', edit: (rest) => ({ ...rest, id_token_signing_alg_values_supported: ['RS256'] }) },
  { name: 'keys over plain http', edit: (rest) => ({ ...rest, jwks_uri: 'http://localhost/jwks' }) },
]
test.for(DISCOVERY)('discovery with $name ends there', async ({ edit }) => {
  standIn.misbehave({ discovery: edit })
  expect((await fault(journey())).kind).toBe('untrusted')
  expect(standIn.seen).toMatchObject({ par: 0, token: 0, resource: 0 })
})

describe('signed answers', () => {
  const read = async (): Promise<unknown> => {
    const { accessToken } = await (await bank()).clientCredentials()
    return (await (await bank()).read('/accounts', { accessToken, signed: true })).body
  }
  test('are verified and opened', async () => {
    expect(await read()).toHaveProperty('Data.Account')
  })
  const WRONG: readonly { readonly name: string; readonly edit: (claims: JWTPayload) => JWTPayload }[] = [
    { name: 'by another issuer', edit: (claims) => ({ ...claims, iss: 'https://evil.example' }) },
    { name: 'for another client', edit: (claims) => ({ ...claims, aud: ['someone-else'] }) },
    { name: 'without aud', edit: without('aud') },
    { name: 'that have expired', edit: (claims) => ({ ...claims, nbf: NOW - 900, exp: NOW - 300 }) },
    { name: 'that live an hour', edit: (claims) => ({ ...claims, exp: (claims.nbf ?? 0) + 3600 }) },
    { name: 'without exp', edit: without('exp') },
  ]
  test.for(WRONG)('$name are refused', async ({ edit }) => {
    standIn.misbehave({ signedAnswerClaims: edit })
    expect((await fault(read())).kind).toBe('untrusted')
  })
})

describe('links', () => {
  test.for([
    ['on another host', 'https://evil.example/open-finance/account-information/v2.1/accounts'],
    ['that climb out of the family', '/open-finance/account-information/v2.1/../../payment/v2.1/payments'],
    ['to a family whose name begins alike', '/open-finance/account-information/v2.1-evil/accounts'],
  ] as const)('to a next page %s are not followed', async ([, next]) => {
    const connection = await bank()
    const link = next.startsWith('/') ? `${standIn.issuer}${next}` : next
    expect(() => connection.nextPath({ Links: { Next: link } })).toThrow(LfiFault)
  })
  test('to a next page of the same bank become a path', async () => {
    const connection = await bank()
    const next = `${connection.lfi.accountInformationUrl}/accounts/1/transactions?page=2`
    expect(connection.nextPath({ Links: { Next: next } })).toBe('/accounts/1/transactions?page=2')
  })
})

test('a server of another authority is not spoken to', async () => {
  const stranger = await startStandIn()
  const wary = await createTppClient({
    trustFrameworkUrl: standIn.issuer,
    ca: stranger.ca,
    application: standIn.application,
  })
  try {
    expect((await fault(wary.lfis())).kind).toBe('unreachable')
  } finally {
    await wary.close()
    await stranger.close()
  }
})
