/** What the directory says, spoiled in one place: that record is left out with its reason, and the others stay. */
import { createECDH, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  readCertificates,
  readOrganisation,
  readRoles,
  readStatements,
} from '../../src/participants/directory-records.ts'
import { readKeys } from '../../src/participants/published-keys.ts'
import { createTurnstile } from '../../src/participants/turnstile.ts'

const ORGANISATION = 'cd7e71fa-1863-44be-9ce1-e3add79d70f8'
type Json = Record<string, unknown>

function reading<T>(read: (refuse: (what: string, why: string) => void) => T) {
  const refused: string[] = []
  return { found: read((what, why) => void refused.push(`${what}: ${why}`)), refused }
}
/** Objects within objects, so many. */
const nested = (levels: number): Json => (levels === 0 ? {} : { a: nested(levels - 1) })

describe('an organisation', () => {
  const good = { OrganisationId: ORGANISATION, OrganisationName: 'Wadi', Status: 'Active', Size: 'TPP' }

  test('is kept as it is', () => {
    expect(readOrganisation(good, ORGANISATION)).toEqual(good)
  })

  test.each<[string, unknown]>([
    ['a list', []],
    ['nothing', null],
    ['text', 'Wadi'],
    ['another one', { ...good, OrganisationId: '0f6a4b52-8a0e-4d0f-8a3c-1f2b9f6d7c10' }],
    ['one without a name', { ...good, OrganisationName: undefined }],
    ['one whose name is no text', { ...good, OrganisationName: { toString: 1 } }],
    ['one whose name is too long', { ...good, OrganisationName: 'x'.repeat(257) }],
    ['one whose status is a list', { ...good, Status: ['Active'] }],
    ['one nested too deep', { ...good, Flags: nested(7) }],
    ['one too large', { ...good, Tags: Array(4000).fill('0123456789') }],
  ])('is refused when it is %s', (_what, raw) => {
    expect(() => readOrganisation(raw, ORGANISATION)).toThrow(/directory/)
  })
})

describe('software statements', () => {
  const good = {
    SoftwareStatementId: 's-1',
    OrganisationId: ORGANISATION,
    ClientId: 'c-1',
    ClientName: 'Budget',
    Status: 'Active',
    RedirectUri: ['https://tpp.example/callback'],
    ApiWebhookUri: ['https://tpp.example/events'],
    LogoUri: 'https://tpp.example/logo.svg',
  }
  const other = { ...good, SoftwareStatementId: 's-2', ClientId: 'c-2' }
  const read = (raw: unknown) => reading((refuse) => readStatements(raw, ORGANISATION, refuse).records)

  test('are kept as they are', () => {
    expect(read([good, other])).toEqual({ found: [good, other], refused: [] })
  })

  test.each<[string, unknown, RegExp]>([
    ['no object', 7, /no object/],
    ['without a client id', { ...good, ClientId: 7 }, /ClientId/],
    ['of another organisation', { ...good, OrganisationId: 'x' }, /another organisation/],
    ['nested too deep', { ...good, Flags: nested(9) }, /too deep/],
    ['too large', { ...good, Description: 'x'.repeat(40_000) }, /too large/],
  ])('are left out one by one: %s', (_what, bad, why) => {
    const { found, refused } = read([bad, other])
    expect(found).toEqual([other])
    expect(refused).toEqual([expect.stringMatching(why)])
  })

  test('of one client id are nobody’s', () => {
    const { found, refused } = read([good, { ...good, SoftwareStatementId: 's-3' }, other])
    expect(found).toEqual([other])
    expect(refused).toHaveLength(2)
  })

  test.each<[string, unknown, readonly string[]]>([
    ['http', ['http://tpp.example/cb', ...good.RedirectUri], good.RedirectUri],
    ['script', ['javascript:alert(1)', 'data:text/html,x'], []],
    ['a fragment', ['https://tpp.example/cb#x'], []],
    ['no text', [{}, 7, null], []],
    ['too long', [`https://tpp.example/${'x'.repeat(2048)}`], []],
    [
      'too many',
      Array.from({ length: 60 }, (_, at) => `https://tpp.example/${at}`),
      Array.from({ length: 50 }, (_, at) => `https://tpp.example/${at}`),
    ],
    ['an object', { 0: 'https://tpp.example/cb', length: 1 }, []],
  ])('lose the redirect URIs that cannot be used: %s', (_what, RedirectUri, kept) => {
    const { found, refused } = read([{ ...good, RedirectUri }])
    expect(found[0]?.RedirectUri).toEqual(kept)
    expect(refused).toEqual([expect.stringMatching(/RedirectUri: some are no https addresses/)])
  })

  test('lose a logo that is none, and need no addresses', () => {
    const bare = { ...good, RedirectUri: undefined, ApiWebhookUri: null, LogoUri: 'javascript:x', ClientUri: '' }
    const { found } = read([bare])
    expect(found).toEqual([expect.objectContaining({ RedirectUri: [], ApiWebhookUri: [] })])
    expect(found[0]).not.toHaveProperty('LogoUri')
  })

  test.each([
    [{}],
    ['x'],
    [null],
    [Array(1001).fill(good)],
  ])('that are no list, or too long a one, are a fault', (raw) => {
    expect(() => read(raw)).toThrow(/directory/)
  })
})

describe('certificates and roles', () => {
  const thumbprint = 'A'.repeat(43)

  test('are left out one by one', () => {
    const good = { kid: thumbprint, Status: 'Active' }
    const bad = [null, {}, { kid: thumbprint }, { kid: 'short', Status: 'Active' }, { ...good, x5thashS256: 7 }]
    const { found, refused } = reading((refuse) => readCertificates([...bad, good], refuse))
    expect(found).toEqual([good])
    expect(refused).toHaveLength(bad.length)
    const roles = [{ AuthorisationDomainRoleName: 'BDSP' }, { AuthorisationDomainRoleName: {} }, 'BSIP', null]
    const inactive = { AuthorisationDomainRoleName: 'BSIP', Status: 'Inactive' }
    const read = reading((refuse) => readRoles([...roles, inactive], refuse))
    expect(read).toMatchObject({
      found: ['BDSP'],
      refused: [/role 1/, /role 2/, /role 3/].map((each) => expect.stringMatching(each)),
    })
  })
})

describe('a published key set', () => {
  const jwkOf = (key: { export(options: { format: 'jwk' }): object }) => key.export({ format: 'jwk' }) as Json
  const rsa = (bits: number, publicExponent = 65_537) =>
    jwkOf(generateKeyPairSync('rsa', { modulusLength: bits, publicExponent }).publicKey)
  const strong = { ...rsa(2048), kid: 'a', use: 'sig' }
  const p256 = { ...jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey), kid: 'b' }
  const ed25519 = { ...jwkOf(generateKeyPairSync('ed25519').publicKey), kid: 'c' }
  const read = (keys: unknown) => reading((refuse) => readKeys({ keys }, refuse))

  test('of strong public keys is kept, in public members only', () => {
    const spoken = { ...strong, x5u: 'https://keystore.example/a.pem', constructor: 'x', ext: true }
    const { found, refused } = read([spoken, p256, ed25519])
    expect(refused).toEqual([])
    expect(found.map(({ kid }) => kid)).toEqual(['a', 'b', 'c'])
    expect(Object.keys(found[0] ?? {}).sort()).toEqual(['e', 'kid', 'kty', 'n', 'use', 'x5u'])
  })

  const secret = jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
  const offCurve = () => {
    const point = createECDH('prime256v1').generateKeys()
    return {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: Buffer.alloc(32, 7).toString('base64url'),
    }
  }
  test.each<[string, unknown, RegExp]>([
    ['a short RSA key', rsa(1024), /less than 2048/],
    [
      'an endless RSA key',
      { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(1500, 0xff).toString('base64url') },
      /more than 8192/,
    ],
    ['an RSA key with exponent 3', rsa(2048, 3), /exponent/],
    ['a private key', secret, /private/],
    ['a private key in one member', { ...rsa(2048), d: 'AQAB' }, /private/],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }, /symmetric/],
    ['a symmetric key without its secret', { kty: 'oct' }, /neither RSA/],
    ['another curve', jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey), /neither RSA/],
    [
      'the curve of coins',
      { ...jwkOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey) },
      /neither RSA/,
    ],
    ['a point beside its curve', offCurve(), /malformed/],
    ['a key for agreement', jwkOf(generateKeyPairSync('x25519').publicKey), /neither RSA/],
    ['half a key', { kty: 'RSA', e: 'AQAB' }, /malformed/],
    ['a modulus that is no text', { ...rsa(2048), n: [1, 2] }, /no short text|not a short text/],
    ['another use', { ...rsa(2048), use: 'all' }, /use/],
    ['null', null, /no object/],
    ['a list', [], /no object/],
  ])('loses %s, and nothing else', (_what, bad, why) => {
    const spoilt = bad !== null && !Array.isArray(bad) ? { kid: 'x', ...(bad as Json) } : bad
    const { found, refused } = read([spoilt, p256])
    expect(found.map(({ kid }) => kid)).toEqual(['b'])
    expect(refused).toEqual([expect.stringMatching(why)])
  })

  test('loses keys without an id, and both of those that share one', () => {
    const { kid: _, ...nameless } = strong
    const { found, refused } = read([nameless, { ...strong, kid: '' }, { ...strong, kid: 'b' }, p256, ed25519])
    expect(found.map(({ kid }) => kid)).toEqual(['c'])
    expect(refused).toHaveLength(4)
  })

  test.each([[null], [{}], ['keys'], [Array(101).fill(p256)]])('that is none, or too large, is a fault', (keys) => {
    expect(() => read(keys)).toThrow(/keystore/)
  })

  test('never says in its reasons what a key holds', () => {
    const { refused } = read([{ ...secret, kid: 'x' }])
    expect(JSON.stringify(refused)).not.toContain(String(secret['d']).slice(0, 10))
  })
})

describe('a turnstile', () => {
  test('lets so many in at a time, in their order, and turns away who is beyond', async () => {
    const turnstile = createTurnstile(2, 3)
    const entered: number[] = []
    const doors = Array.from({ length: 6 }, () => Promise.withResolvers<void>())
    const passing = doors.map((door, at) =>
      turnstile.pass(() => {
        entered.push(at)
        return door.promise
      }),
    )
    await expect(passing[5]).rejects.toThrow('too many')
    expect(entered).toEqual([0, 1])
    doors[1]?.reject(new Error('failed'))
    await expect(passing[1]).rejects.toThrow('failed')
    expect(entered).toEqual([0, 1, 2])
    for (const door of doors) door.resolve()
    await Promise.all([passing[0], passing[2], passing[3], passing[4]])
    expect(entered).toEqual([0, 1, 2, 3, 4])
    await turnstile.pass(async () => void entered.push(9))
    expect(entered.at(-1)).toBe(9)
  })
})
