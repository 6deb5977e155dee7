import { createHmac, createSign, generateKeyPairSync, type KeyObject, sign as signRaw } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type JWK,
  JWS_LENGTH_MAX,
  loadKey,
  privateJwk,
  publicJwk,
  type SigningKey,
  sign,
  signingKey,
  verify,
} from '../../src/jose.ts'
import { Secret } from '../../src/secret.ts'
import { pem } from '../support/config-files.ts'

const rsa = (modulusLength = 2048): KeyObject => generateKeyPairSync('rsa', { modulusLength }).privateKey
const CLAIMS = { iss: 'Wadi, Money', n: 1 }

let key: SigningKey
let other: SigningKey
let jwk: JWK
beforeAll(() => {
  key = loadKey({ kid: 'sig-1', key: new Secret(pem(rsa())) })
  other = loadKey({ kid: 'sig-1', key: new Secret(pem(rsa())) })
  jwk = publicJwk(key, 'sig')
})

const base64 = (value: string | object): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
/** A JWS with any header, signed as PS256 would be whatever the header says. */
function forge(header: object, payload: string | object = CLAIMS, signer: KeyObject = key.privateKey): string {
  const input = `${base64(header)}.${base64(payload)}`
  const signature = signRaw('sha256', Buffer.from(input), { key: signer, padding: 6, saltLength: 32 })
  return `${input}.${signature.toString('base64url')}`
}
const judge = (jws: string, keyOf: Parameters<typeof verify>[1] = () => jwk) => verify(jws, keyOf)

describe('what is signed', () => {
  test('verifies, with its header and frozen claims', async () => {
    const jws = await sign(key, CLAIMS, { typ: 'JOSE', cty: 'json' })
    const verified = await judge(jws)
    expect(verified).toEqual({
      ok: true,
      claims: CLAIMS,
      header: { alg: 'PS256', kid: 'sig-1', typ: 'JOSE', cty: 'json' },
    })
    expect(verified.ok && Object.isFrozen(verified.claims)).toBe(true)
    expect(await judge(forge({ alg: 'PS256', kid: 'sig-1' }))).toMatchObject({ ok: true })
  })

  test('cannot be given another algorithm or key id by its header', async () => {
    const jws = await sign(key, CLAIMS, { alg: 'none', kid: 'another' })
    expect(await judge(jws)).toMatchObject({ ok: true, header: { alg: 'PS256', kid: 'sig-1' } })
  })

  test('asks for the key by its id alone', async () => {
    const asked: string[] = []
    await judge(await sign(key, CLAIMS), (kid) => {
      asked.push(kid)
      return jwk
    })
    expect(asked).toEqual(['sig-1'])
  })
})

describe('refused', () => {
  const hmac = (secret: string): string => {
    const input = `${base64({ alg: 'HS256', kid: 'sig-1' })}.${base64(CLAIMS)}`
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  }
  const rs256 = (): string => {
    const input = `${base64({ alg: 'RS256', kid: 'sig-1' })}.${base64(CLAIMS)}`
    return `${input}.${createSign('RSA-SHA256').update(input).sign(key.privateKey, 'base64url')}`
  }
  const cut = (jws: string): string => jws.slice(0, jws.lastIndexOf('.') + 1)
  test.each<[string, () => string | Promise<string>, string]>([
    ['alg none', () => `${base64({ alg: 'none', kid: 'sig-1' })}.${base64(CLAIMS)}.`, 'header'],
    ['alg none in other letters', () => forge({ alg: 'nOnE', kid: 'sig-1' }), 'header'],
    [
      'HS256 with the public key as secret',
      () => hmac(key.publicKey.export({ type: 'spki', format: 'pem' }) as string),
      'header',
    ],
    ['HS256 with the modulus as secret', () => hmac(jwk.n ?? ''), 'header'],
    ['RS256 of the right key', rs256, 'header'],
    ['no alg', () => forge({ kid: 'sig-1' }), 'header'],
    ['alg as a list', () => forge({ alg: ['PS256'], kid: 'sig-1' }), 'header'],
    ['PS384', () => forge({ alg: 'PS384', kid: 'sig-1' }), 'header'],
    ['no kid', () => forge({ alg: 'PS256' }), 'header'],
    ['an empty kid', () => forge({ alg: 'PS256', kid: '' }), 'header'],
    ['crit', () => forge({ alg: 'PS256', kid: 'sig-1', crit: ['exp'], exp: 1 }), 'header'],
    ['an empty crit', () => forge({ alg: 'PS256', kid: 'sig-1', crit: [] }), 'header'],
    ['b64', () => forge({ alg: 'PS256', kid: 'sig-1', b64: false }), 'header'],
    ['another key', () => sign(other, CLAIMS), 'signature'],
    ['no signature', () => cut(forge({ alg: 'PS256', kid: 'sig-1' })), 'signature'],
    [
      'a changed payload',
      () => forge({ alg: 'PS256', kid: 'sig-1' }).replace(/\.[^.]+\./, `.${base64({ n: 2 })}.`),
      'signature',
    ],
    ['a payload that is no JSON', () => forge({ alg: 'PS256', kid: 'sig-1' }, 'text'), 'payload'],
    ['a payload that is a list', () => forge({ alg: 'PS256', kid: 'sig-1' }, '[]'), 'payload'],
    ['a payload that is null', () => forge({ alg: 'PS256', kid: 'sig-1' }, 'null'), 'payload'],
    ['nothing', () => '', 'malformed'],
    ['a header that is no JSON', () => `${base64('x')}.${base64('{}')}.AA`, 'malformed'],
    ['four parts', () => `${forge({ alg: 'PS256', kid: 'sig-1' })}.AA`, 'malformed'],
    ['more than is read', () => forge({ alg: 'PS256', kid: 'sig-1' }, { a: 'x'.repeat(JWS_LENGTH_MAX) }), 'malformed'],
  ])('%s', async (_what, make, fault) => {
    expect(await judge(await make())).toMatchObject({ ok: false, fault })
  })

  test('a kid that names no key', async () => {
    expect(await judge(await sign(key, CLAIMS), () => null)).toMatchObject({ ok: false, fault: 'unknown-key' })
  })

  test.each<[string, () => JWK]>([
    ['a symmetric key', () => ({ kty: 'oct', k: base64('hunter2'), kid: 'sig-1' })],
    [
      'an elliptic key',
      () => ({
        ...(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }) as JWK),
        kid: 'sig-1',
      }),
    ],
    ['half a key', () => ({ kty: 'RSA', e: 'AQAB', kid: 'sig-1' })],
    ['a private key', () => privateJwk(key, 'sig')],
  ])('%s in the place of the public one', async (_what, published) => {
    expect(await judge(await sign(key, CLAIMS), published)).toMatchObject({ ok: false, fault: 'malformed' })
  })

  test('a key that is too short, even with a good signature', async () => {
    const weak = rsa(1024)
    const published = { ...(weak.export({ format: 'jwk' }) as JWK), d: undefined } as unknown as JWK
    const { kty, n, e } = published
    const judged = await judge(forge({ alg: 'PS256', kid: 'sig-1' }, CLAIMS, weak), () => ({ kty, n, e }) as JWK)
    expect(judged).toMatchObject({ ok: false, fault: 'malformed' })
  })

  test('more than is read, before the key is looked for', async () => {
    let isAsked = false
    await judge('x'.repeat(JWS_LENGTH_MAX + 1), () => {
      isAsked = true
      return jwk
    })
    expect(isAsked).toBe(false)
  })
})

describe('keys', () => {
  test('of another kind, or too short, do not load', () => {
    const kinds = [
      rsa(1024),
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
      generateKeyPairSync('ed25519').privateKey,
    ]
    for (const each of kinds)
      expect(() => loadKey({ kid: 'weak', key: new Secret(pem(each)) })).toThrow('key weak is not RSA')
  })

  test('are published without their private half', () => {
    expect(Object.keys(publicJwk(key, 'enc')).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
    expect(publicJwk(key, 'enc')).toMatchObject({ use: 'enc', alg: 'RSA-OAEP-256', kid: 'sig-1' })
    expect(privateJwk(key, 'sig')).toMatchObject({ use: 'sig', alg: 'PS256', d: expect.any(String) })
  })

  test('for signing are found by id, and are for signing', () => {
    const enc = { ...publicJwk(other, 'enc'), kid: 'enc-1' }
    const ec: JWK = { kty: 'EC', kid: 'ec-1' }
    const { use: _, ...useless } = { ...jwk, kid: 'any' }
    const keys = [enc, jwk, ec, useless]
    expect(signingKey(keys, 'sig-1')).toBe(jwk)
    expect(signingKey(keys, 'any')).toBe(useless)
    for (const kid of ['enc-1', 'ec-1', 'unknown', '']) expect(signingKey(keys, kid)).toBeNull()
  })
})
