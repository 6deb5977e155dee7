/** JWT Auth of lfi-api 4.3, row by row, at the doors where the LFI calls. */
import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { epochSeconds } from '../../src/clock.ts'
import type { TenantConfig } from '../../src/config.ts'
import { type HubError, toHubError } from '../../src/errors.ts'
import { loadKey, publicJwk, type SigningKey, sign } from '../../src/jose.ts'
import { createLfiAuthentication, type LfiCaller, type LfiCallerDeps } from '../../src/lfi-caller.ts'
import { createReplayMemory } from '../../src/replay.ts'
import { Secret } from '../../src/secret.ts'
import type { PeerCertificate } from '../../src/tls.ts'
import { type HandClock, handClock } from '../support/clock.ts'
import { pem } from '../support/config-files.ts'

const OU = 'cd7e71fa-1863-44be-9ce1-e3add79d70f8'
const CN = '5e68a928-c6c2-4627-98bc-90bd43e58550'
const PEER = {
  thumbprint: 't',
  organisation: 'Aurora Bank, PJSC',
  organisationId: OU,
  commonName: CN,
  trusted: true,
} as unknown as PeerCertificate

let key: SigningKey
let other: SigningKey
let clock: HandClock
beforeAll(() => {
  const load = (kid: string) =>
    loadKey({ kid, key: new Secret(pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)) })
  key = load('sig4')
  other = load('sig4')
})
beforeEach(() => {
  clock = handClock()
})

const tenantWith = (required: boolean): TenantConfig =>
  ({ organisationId: OU, lfi: { callerJwt: { required, audience: 'aurora' } } }) as unknown as TenantConfig
function authentication(changes: Partial<LfiCallerDeps> = {}) {
  return createLfiAuthentication({
    tenant: tenantWith(true),
    clock,
    keys: async () => [publicJwk(key, 'sig')],
    firstUse: createReplayMemory(clock, 1000),
    ...changes,
  })
}
const claims = (changes: Readonly<Record<string, unknown>> = {}) => {
  const now = epochSeconds(clock.now())
  return {
    iss: 'Aurora Bank, PJSC',
    sub: OU,
    aud: 'aurora',
    iat: now,
    exp: now + 30,
    jti: crypto.randomUUID(),
    ...changes,
  }
}
const bearer = async (changes: Readonly<Record<string, unknown>> = {}, signer = key): Promise<string> =>
  `Bearer ${await sign(signer, claims(changes), { typ: 'JOSE', cty: 'json' })}`
const refusal = async (asked: Promise<LfiCaller>): Promise<HubError> =>
  asked.then(
    () => Promise.reject(new Error('it was let in')),
    (thrown: unknown) => toHubError(thrown),
  )

describe('the certificate', () => {
  test.each<[string, Partial<PeerCertificate> | null, string]>([
    ['missing', null, 'a client certificate is required'],
    ['of a foreign authority', { trusted: false }, 'not issued by the trust framework'],
    ['of another organisation', { organisationId: '0f6a4b52-8a0e-4d0f-8a3c-1f2b9f6d7c10' as never }, "not the LFI's"],
    ['of no organisation', { organisationId: null }, "not the LFI's"],
  ])('%s is refused, whatever the token says', async (_what, changes, reason) => {
    const authenticate = authentication({ tenant: tenantWith(false) })
    const peer = changes === null ? null : { ...PEER, ...changes }
    const refused = await refusal(authenticate(peer, await bearer()))
    expect(refused).toMatchObject({ code: 'Unauthorized', reason: expect.stringContaining(reason) })
  })

  test('is enough where the tenant asks for no more', async () => {
    const caller = { organisationId: OU, commonName: CN, clientId: CN }
    expect(await authentication({ tenant: tenantWith(false) })(PEER, undefined)).toEqual(caller)
    expect(await authentication({ tenant: tenantWith(false) })({ ...PEER, commonName: '' }, '')).toMatchObject({
      clientId: null,
    })
    expect(await refusal(authentication()(PEER, undefined))).toMatchObject({
      reason: expect.stringContaining('JWT Auth is required'),
    })
  })

  test('does not excuse a bad token where none is needed', async () => {
    const authenticate = authentication({ tenant: tenantWith(false) })
    expect((await refusal(authenticate(PEER, 'Bearer nonsense'))).code).toBe('Unauthorized')
    expect((await refusal(authenticate(PEER, await bearer({}, other)))).code).toBe('Unauthorized')
  })
})

describe('a token', () => {
  const in_ = (seconds: number) => () => epochSeconds(clock.now()) + seconds
  const GOOD: readonly [string, Readonly<Record<string, unknown>>][] = [
    ['as recommended', {}],
    ['issued at the edge of the future', { iat: in_(10) }],
    ['expired within the skew', { iat: in_(-40), exp: in_(-9) }],
    ['as long-lived as accepted', { exp: in_(70) }],
    ['with nbf', { nbf: in_(10) }],
  ]
  const resolve = (changes: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      Object.entries(changes).map(([name, value]) => [name, typeof value === 'function' ? value() : value]),
    )
  test.each(GOOD)('%s is accepted', async (_what, changes) => {
    expect(await authentication()(PEER, await bearer(resolve(changes)))).toMatchObject({ clientId: CN })
  })

  const BAD: readonly [string, Readonly<Record<string, unknown>>, string][] = [
    ['without iss', { iss: undefined }, 'iss'],
    ['of another issuer', { iss: 'Meridian' }, 'iss'],
    ['whose iss stops at the comma', { iss: 'Aurora Bank' }, 'iss'],
    ['without sub', { sub: undefined }, 'sub'],
    ['about another organisation', { sub: CN }, 'sub'],
    ['without aud', { aud: undefined }, 'aud'],
    ['for another provider', { aud: 'meridian' }, 'aud'],
    ['for several', { aud: ['aurora'] }, 'aud'],
    ['without iat', { iat: undefined }, 'iat'],
    ['with iat as text', { iat: '1780300800' }, 'iat'],
    ['from the future', { iat: in_(11) }, 'iat'],
    ['without exp', { exp: undefined }, 'exp'],
    ['with exp as text', { exp: '9999999999' }, 'exp'],
    ['expired', { exp: in_(-10) }, 'exp is missing or past'],
    ['that lives too long', { exp: in_(71) }, 'exp is too far ahead'],
    ['that lives for ever', { exp: 1e300 }, 'exp is too far ahead'],
    ['not valid yet', { nbf: in_(11) }, 'nbf'],
    ['with nbf as text', { nbf: '0' }, 'nbf'],
    ['without jti', { jti: undefined }, 'jti'],
    ['with an empty jti', { jti: '' }, 'jti'],
    ['with jti as number', { jti: 7 }, 'jti'],
    ['with a huge jti', { jti: 'x'.repeat(129) }, 'jti'],
  ]
  test.each(BAD)('%s is refused', async (_what, changes, reason) => {
    const refused = await refusal(authentication()(PEER, await bearer(resolve(changes))))
    expect(refused).toMatchObject({ code: 'Unauthorized', reason: expect.stringContaining(reason) })
  })

  test.each([
    'Basic abc',
    'Bearer',
    'Bearer a.b',
    'Bearer a.b.c d',
    'a.b.c',
    'Bearer  ',
    'DPoP a.b.c',
  ])('is not “%s”', async (authorization) => {
    expect(await refusal(authentication()(PEER, authorization))).toMatchObject({
      reason: expect.stringContaining('not a Bearer JWT'),
    })
  })

  test('may come under either name of the scheme', async () => {
    const jwt = (await bearer()).slice('Bearer '.length)
    expect(await authentication()(PEER, `Ozone-Connect-JWT-Auth ${jwt}`)).toMatchObject({ clientId: CN })
    expect(await authentication()(PEER, `bearer ${jwt}`)).toMatchObject({ clientId: CN })
  })

  test('is judged by the key published for the certificate, looked up by its kid', async () => {
    const asked: unknown[] = []
    const keys = async (...names: string[]) => {
      asked.push(names)
      return [publicJwk(key, 'sig')]
    }
    await authentication({ keys })(PEER, await bearer())
    expect(asked).toEqual([[OU, CN, 'sig4']])
    expect(await refusal(authentication()(PEER, await bearer({}, other)))).toMatchObject({
      reason: expect.stringContaining('does not verify'),
    })
    const enc = async () => [publicJwk(key, 'enc')]
    expect(await refusal(authentication({ keys: enc })(PEER, await bearer()))).toMatchObject({
      reason: expect.stringContaining('no current signing key'),
    })
    expect(await refusal(authentication({ keys: async () => [] })(PEER, await bearer()))).toMatchObject({
      code: 'Unauthorized',
    })
  })

  test('works once, for as long as it could work', async () => {
    const authenticate = authentication()
    const token = await bearer({ exp: epochSeconds(clock.now()) + 30 })
    await authenticate(PEER, token)
    for (const seconds of [0, 29, 10]) {
      clock.advance(seconds * 1000)
      expect(await refusal(authenticate(PEER, token))).toMatchObject({
        reason: expect.stringContaining('jti was used before'),
      })
    }
    clock.advance(1000)
    expect(await refusal(authenticate(PEER, token))).toMatchObject({
      reason: expect.stringContaining('exp is missing or past'),
    })
  })

  test('that is refused for another reason does not use its jti up', async () => {
    const authenticate = authentication()
    const jti = crypto.randomUUID()
    await refusal(authenticate(PEER, await bearer({ jti, aud: 'meridian' })))
    expect(await authenticate(PEER, await bearer({ jti }))).toMatchObject({ clientId: CN })
  })

  test('is refused when nothing more can be remembered', async () => {
    const authenticate = authentication({ firstUse: createReplayMemory(clock, 2) })
    await authenticate(PEER, await bearer())
    await authenticate(PEER, await bearer())
    expect((await refusal(authenticate(PEER, await bearer()))).code).toBe('Unauthorized')
    clock.advance(41_000)
    expect(await authenticate(PEER, await bearer())).toMatchObject({ clientId: CN })
  })
})
