/** What has fooled verifiers of JWS before (security 4.4), against the hub's own. Over the wire: attacks-wire.test.ts. */
import { createPublicKey, type KeyObject, sign as signRaw } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type JWK, JWS_LENGTH_MAX, signingKey, verify } from '../../src/jose.ts'
import {
  base64url,
  forge,
  INHERITED,
  INJECTED,
  lookAlikesOf,
  NONES,
  rsaKey,
  signParts,
  withHmac,
  withLeftoverBits,
  withSignature,
} from './support/forge.ts'

const KID = 'key-1'
const HEADER = { alg: 'PS256', kid: KID }
const CLAIMS = { iss: 'joe', exp: 1_300_819_380 }
const key = rsaKey()
const stranger = rsaKey()
const publicOf = (of: KeyObject): JWK => ({ ...(createPublicKey(of).export({ format: 'jwk' }) as JWK), kid: KID })
const jwk: JWK = { ...publicOf(key), use: 'sig', alg: 'PS256' }
const good = (header: unknown = HEADER, claims: unknown = CLAIMS): string => forge(header, claims, key)

/** The outcome in a word, and whether a key was looked for. */
async function judge(jws: string, published: readonly JWK[] = [jwk]) {
  const asked: unknown[] = []
  const judged = await verify(jws, (kid) => {
    asked.push(kid)
    return signingKey(published, kid)
  })
  return { outcome: judged.ok ? 'accepted' : judged.fault, asked, judged }
}
const outcome = async (jws: string, published?: readonly JWK[]): Promise<string> =>
  (await judge(jws, published)).outcome

test('the pattern of all the forgeries is good', async () => {
  expect((await judge(good())).judged).toEqual({ ok: true, claims: CLAIMS, header: HEADER })
})

describe('the algorithm is not for the token to choose', () => {
  test.each(NONES.map((alg) => [JSON.stringify(alg), alg] as const))('none written as %s', async (_name, alg) => {
    const signed = good({ ...HEADER, alg })
    for (const jws of [signed, withSignature(signed, '')]) {
      expect(await judge(jws)).toMatchObject({ outcome: 'header', asked: [] })
    }
  })

  const spki = createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string
  test.each<[string, string | Buffer]>([
    ['PEM', spki],
    ['PEM without its last line break', spki.trimEnd()],
    ['DER', createPublicKey(key).export({ type: 'spki', format: 'der' })],
    ['PKCS #1', createPublicKey(key).export({ type: 'pkcs1', format: 'pem' })],
    ['JWK', JSON.stringify(jwk)],
    ['the modulus', Buffer.from(String(jwk.n), 'base64url')],
    ['an empty secret', ''],
  ])('the public key as the secret of an HMAC: %s', async (_name, secret) => {
    for (const alg of ['HS256', 'PS256']) {
      const made = await judge(withHmac({ ...HEADER, alg }, CLAIMS, secret))
      expect(made.outcome).toBe(alg === 'PS256' ? 'signature' : 'header')
    }
  })

  test.each(['RS256', 'PS384', 'PS512', 'ES256', 'EdDSA', 'HS256', 'ps256', 'PS256 '])('%s', async (alg) => {
    expect(await judge(good({ ...HEADER, alg }))).toMatchObject({ outcome: 'header', asked: [] })
  })

  test('a signature of the right key by RS256 is none by PS256', async () => {
    const input = good().slice(0, good().lastIndexOf('.'))
    expect(await outcome(withSignature(good(), signRaw('sha256', Buffer.from(input), key)))).toBe('signature')
  })

  test.each([0, 20, 31, 33, 64, 222])('a salt of %i bytes (RFC 7518 3.5 has 32)', async (saltLength) => {
    expect(await outcome(signParts(base64url(HEADER), base64url(CLAIMS), key, saltLength))).toBe('signature')
  })
})

describe('what is no signature', () => {
  test.each<[string, Buffer]>([
    ['empty', Buffer.alloc(0)],
    ['one zero', Buffer.alloc(1)],
    ['all zeros', Buffer.alloc(256)],
    ['the number one', Buffer.concat([Buffer.alloc(255), Buffer.from([1])])],
    ['all ones', Buffer.alloc(256, 0xff)],
    ['the modulus', Buffer.from(String(jwk.n), 'base64url')],
    ['r and s of zero, as for ECDSA', Buffer.alloc(64)],
    ['r and s of zero in DER', Buffer.from('3006020100020100', 'hex')],
    ['a signature cut short', Buffer.from(good().split('.')[2] ?? '', 'base64url').subarray(1)],
    ['a signature with a zero before it', Buffer.from(`00${'ab'.repeat(256)}`, 'hex')],
  ])('%s', async (_name, signature) => {
    expect(await outcome(withSignature(good(), signature))).toBe('signature')
  })

  test('the signature of another message by the same key', async () => {
    expect(await outcome(withSignature(good(), good(HEADER, { iss: 'ann' }).split('.')[2] ?? ''))).toBe('signature')
  })

  test('the parts of two good tokens, mixed', async () => {
    const [head = ''] = good({ ...HEADER, typ: 'JWT' }).split('.')
    const [, payload = '', signature = ''] = good().split('.')
    expect(await outcome(`${head}.${payload}.${signature}`)).toBe('signature')
  })

  test("a stranger's", async () => {
    expect(await outcome(forge(HEADER, CLAIMS, stranger))).toBe('signature')
  })
})

describe('the header says who, and nothing else', () => {
  test.each([
    { crit: ['b64'], b64: false },
    { crit: ['b64'], b64: true },
    { crit: ['exp'], exp: 1 },
    { crit: [] },
    { crit: null },
    { crit: 'b64' },
    { b64: false },
    { b64: true },
  ])('%o', async (extra) => {
    expect(await judge(good({ ...HEADER, ...extra }))).toMatchObject({ outcome: 'header', asked: [] })
  })

  test('an unencoded payload (RFC 7797)', async () => {
    const head = base64url({ ...HEADER, b64: false, crit: ['b64'] })
    for (const payload of [JSON.stringify(CLAIMS), '{}', '']) {
      expect(await outcome(signParts(head, payload, key))).toBe(payload === '' ? 'header' : 'malformed')
    }
  })

  test('zip: what is compressed is not inflated, whatever it is called', async () => {
    const bomb = Buffer.alloc(10_000_000, 0x20)
    for (const payload of [deflateRawSync(JSON.stringify(CLAIMS)), deflateRawSync(bomb), gzipSync(bomb)]) {
      for (const zip of ['DEF', 'GZIP']) expect(await outcome(good({ ...HEADER, zip }, payload))).toBe('payload')
    }
  })

  describe('a key of its own', () => {
    let fetched = 0
    const server = createServer((_request, response) => {
      fetched += 1
      response.end(JSON.stringify({ keys: [publicOf(stranger)] }))
    })
    let url = ''
    beforeAll(async () => {
      await once(server.listen(0, '127.0.0.1'), 'listening')
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    })
    afterAll(() => server.close())

    test.each([
      'jku',
      'x5u',
      'jwk',
      'x5c',
      'url',
      'iss',
    ])('%s is not believed, and nothing is fetched', async (name) => {
      const certificate = createPublicKey(stranger).export({ type: 'spki', format: 'der' }).toString('base64')
      const own = name === 'jwk' ? publicOf(stranger) : name === 'x5c' ? [certificate] : url
      expect(await outcome(forge({ ...HEADER, [name]: own }, CLAIMS, stranger))).toBe('signature')
      expect(await outcome(forge({ ...HEADER, kid: url, [name]: own }, CLAIMS, stranger))).toBe('unknown-key')
      expect(await outcome(forge({ alg: 'PS256', [name]: own }, CLAIMS, stranger))).toBe('header')
      expect(fetched).toBe(0)
    })
  })

  test.each([7, 0, true, null, ['key-1'], { kid: KID }, ''])('a kid that is %o', async (kid) => {
    expect(await judge(good({ ...HEADER, kid }))).toMatchObject({ outcome: 'header', asked: [] })
  })

  test.each([...INHERITED, ...INJECTED, ...lookAlikesOf(KID)])('the kid %j names no key', async (kid) => {
    expect(await judge(good({ ...HEADER, kid }))).toMatchObject({ outcome: 'unknown-key', asked: [kid] })
  })
})

describe('JSON that says two things', () => {
  test('of a repeated header parameter the last counts, for every reader alike (RFC 7515 4)', async () => {
    const twice = (one: string, other: string) => `{"alg":"${one}","kid":"${KID}","alg":"${other}"}`
    expect(await outcome(forge(twice('PS256', 'none'), CLAIMS, key))).toBe('header')
    const judged = await judge(forge(twice('none', 'PS256'), CLAIMS, key))
    expect(judged.judged).toMatchObject({ ok: true, header: HEADER })
    const kids = `{"alg":"PS256","kid":"${KID}","kid":"another"}`
    expect(await judge(forge(kids, CLAIMS, key))).toMatchObject({ outcome: 'unknown-key', asked: ['another'] })
  })

  test('of a repeated claim the last counts (RFC 7519 4)', async () => {
    const judged = await judge(forge(HEADER, '{"iss":"joe","iss":"ann"}', key))
    expect(judged.judged).toMatchObject({ ok: true, claims: { iss: 'ann' } })
  })

  test.each([
    '{"__proto__":{"alg":"PS256","kid":"key-1"}}',
    '{"constructor":{"prototype":{"alg":"PS256","kid":"key-1"}}}',
    '{"alg":"PS256","__proto__":{"kid":"key-1"}}',
  ])('the header %s inherits nothing', async (header) => {
    expect(await outcome(forge(header, CLAIMS, key))).toBe('header')
  })

  test('a claim named __proto__ is a claim, and no object has got a new prototype', async () => {
    const { judged } = await judge(forge(HEADER, '{"iss":"joe","__proto__":{"admin":true}}', key))
    if (!judged.ok) throw new Error(judged.why)
    expect(Object.getPrototypeOf(judged.claims)).toBe(Object.prototype)
    expect([judged.claims['admin'], ({} as { admin?: unknown }).admin]).toEqual([undefined, undefined])
  })

  test.each([
    '[]',
    'null',
    '"x"',
    '7',
    '',
    ' ',
    '{"a":1}{"a":2}',
    '{"a":1,}',
    "{'a':1}",
    '{"a":NaN}',
    '\ufeff{"a":1}',
  ])('the payload %j', async (payload) => {
    expect(await outcome(forge(HEADER, payload, key))).toBe('payload')
  })

  test.each<[string, Buffer]>([
    ['a byte that is no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['an overlong slash', Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d])],
    ['half a character', Buffer.from([0x7b, 0x22, 0xe2, 0x82, 0x22, 0x3a, 0x31, 0x7d])],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le')],
  ])('a payload with %s is refused, not mended', async (_name, payload) => {
    expect(await outcome(forge(HEADER, payload, key))).toBe('payload')
    expect(await outcome(forge(payload, CLAIMS, key))).toBe('malformed')
  })

  test('thousands of lists within lists do no harm', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    expect(await outcome(forge(HEADER, `{"a":${deep}}`, key))).toBe('accepted')
    expect(await outcome(forge(HEADER, deep, key))).toBe('payload')
    expect(await outcome(forge(deep, CLAIMS, key))).toBe('malformed')
  })
})

describe('one signature is one text (RFC 7515 2, RFC 4648 3.5)', () => {
  const parts = (): [string, string, string] => good().split('.') as [string, string, string]
  test.each<[string, () => string]>([
    ['padding', () => `${good()}==`],
    ['one character of padding', () => `${good()}=`],
    ['a line break at the end', () => `${good()}\n`],
    ['white space before it', () => ` ${good()}`],
    ['white space within', () => withSignature(good(), parts()[2].replace(/(.{76})/g, '$1\r\n'))],
    ['left-over bits', () => withLeftoverBits(good())],
    ['the other alphabet', () => withSignature(good(), Buffer.alloc(256, 0xfb).toString('base64').replace(/=/g, ''))],
    ['a NUL at the end', () => `${good()}\u0000`],
    ['a character beyond ASCII', () => `${good()}\u0101`],
    ['a length that no bytes have', () => `${good()}AAA`],
    [
      'a signed payload with padding',
      () => signParts(base64url(HEADER), Buffer.from('{"a":1}').toString('base64'), key),
    ],
    ['a signed payload with a line break', () => signParts(base64url(HEADER), `${base64url(CLAIMS)}\n`, key)],
    ['a signed payload in the clear', () => signParts(base64url(HEADER), JSON.stringify({ a: 1 }), key)],
    ['a signed header with white space', () => signParts(` ${base64url(HEADER)}`, base64url(CLAIMS), key)],
    ['no parts', () => ''],
    ['one part', () => parts()[0]],
    ['two parts', () => parts().slice(0, 2).join('.')],
    ['four parts', () => `${good()}.`],
    ['five parts, as of a JWE', () => `${good()}.AA.AA`],
    ['no header', () => `.${parts()[1]}.${parts()[2]}`],
    ['dots alone', () => '..'],
    ['JSON serialization', () => JSON.stringify({ protected: parts()[0], payload: parts()[1], signature: parts()[2] })],
  ])('%s', async (_name, make) => {
    expect(await judge(make())).toMatchObject({ outcome: 'malformed', asked: [] })
  })

  test('too much is refused before a key is looked for, be it signed as it may', async () => {
    const around = base64url(HEADER).length + 2 + parts()[2].length
    const fill = (length: number) => good(HEADER, { a: 'x'.repeat(Math.floor(((length - around) * 3) / 4) - 8) })
    const [fits, tooMuch] = [fill(JWS_LENGTH_MAX), fill(JWS_LENGTH_MAX + 4)]
    expect([fits.length <= JWS_LENGTH_MAX, tooMuch.length > JWS_LENGTH_MAX]).toEqual([true, true])
    expect(await outcome(fits)).toBe('accepted')
    expect(await judge(tooMuch)).toMatchObject({ outcome: 'malformed', asked: [] })
    expect(await outcome('.'.repeat(10_000_000))).toBe('malformed')
  })
})

describe('the key is the one that the sender publishes for signing', () => {
  test.each<[string, JWK]>([
    ['for encryption', { ...jwk, use: 'enc' }],
    ['for nothing that is known', { ...jwk, use: 'other' }],
    ['for RS256', { ...jwk, alg: 'RS256' }],
    ['for RSA-OAEP-256, with no use', { ...publicOf(key), alg: 'RSA-OAEP-256' }],
    ['of another kind', { kty: 'oct', k: base64url('secret'), kid: KID }],
  ])('a key %s', async (_name, published) => {
    expect(await outcome(good(), [published])).toBe('unknown-key')
    // Also where another room looks the key up by itself.
    expect(await verify(good(), () => published)).toMatchObject({ ok: false })
  })

  test('a key that may encrypt and not verify', async () => {
    expect(await outcome(good(), [{ ...jwk, key_ops: ['encrypt'] }])).toBe('unknown-key')
  })

  test('a key that says nothing of its use is a signing key', async () => {
    expect(await outcome(good(), [publicOf(key)])).toBe('accepted')
  })

  test.each([1024, 1536, 2040])('a key of %i bits', async (bits) => {
    const short = rsaKey(bits)
    expect(await outcome(forge(HEADER, CLAIMS, short), [publicOf(short)])).toBe('malformed')
  })

  test.each<[string, string]>([
    ['1', 'AQ'],
    ['0', 'AA'],
    ['2', 'Ag'],
    ['nothing', ''],
  ])('a public exponent of %s', async (_name, e) => {
    const message = Buffer.alloc(256, 1)
    for (const jws of [good(), withSignature(good(), message)]) {
      expect(await outcome(jws, [{ ...jwk, e }])).not.toBe('accepted')
    }
  })

  test('two keys of one id: the first that is for signing counts, and only that', async () => {
    const foreign = publicOf(stranger)
    expect(await outcome(good(), [jwk, foreign])).toBe('accepted')
    expect(await outcome(good(), [foreign, jwk])).toBe('signature')
    expect(await outcome(good(), [{ ...foreign, use: 'enc' }, jwk])).toBe('accepted')
  })

  test('ten thousand keys: each id finds its own, and nobody waits for it', async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => ({ ...publicOf(stranger), kid: `key-${index + 2}` }))
    const began = performance.now()
    expect(await outcome(good(), [...many, jwk])).toBe('accepted')
    expect(await outcome(good({ ...HEADER, kid: 'key-9999' }), [...many, jwk])).toBe('signature')
    expect(await outcome(good({ ...HEADER, kid: 'key-99999' }), [...many, jwk])).toBe('unknown-key')
    expect(performance.now() - began).toBeLessThan(1_000)
  })
})
