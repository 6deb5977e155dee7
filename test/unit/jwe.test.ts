import { describe, expect, test } from 'vitest'
import { jweFault } from '../../src/jwe.ts'

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const HEADER = { alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'bank' }
const jwe = (header: unknown, rest = '.a2V5.aXY.Y29udGVudA.dGFn') => part(header) + rest

describe('what is encrypted for the LFI', () => {
  test('is taken with the agreed algorithms, whatever else its header says', () => {
    expect(jweFault(jwe(HEADER))).toBeNull()
    expect(jweFault(jwe({ ...HEADER, cty: 'JWT', typ: 'JOSE' }))).toBeNull()
  })

  test.each([
    ['four parts', jwe(HEADER, '.a2V5.aXY.Y29udGVudA'), /five parts/],
    ['six parts', jwe(HEADER, '.a2V5.aXY.Y29udGVudA.dGFn.eA'), /five parts/],
    ['an empty key', jwe(HEADER, '..aXY.Y29udGVudA.dGFn'), /five parts/],
    ['what is no base64url', jwe(HEADER, '.a2V5.aX+.Y29udGVudA.dGFn'), /five parts/],
    ['a signed message', 'a.b.c', /five parts/],
    ['a header that is none', '%%%.a2V5.aXY.Y29udGVudA.dGFn', /alg/],
    ['a header that is a list', jwe([]), /alg/],
    ['a header that is no JSON', `${Buffer.from('{').toString('base64url')}.a.b.c.d`, /alg/],
    ['another alg', jwe({ ...HEADER, alg: 'RSA1_5' }), /alg/],
    ['another enc', jwe({ ...HEADER, enc: 'A128CBC-HS256' }), /enc/],
    ['no kid', jwe({ ...HEADER, kid: undefined }), /kid/],
    ['an empty kid', jwe({ ...HEADER, kid: '' }), /kid/],
    ['a header too long', jwe({ ...HEADER, x: 'x'.repeat(3_000) }), /alg/],
  ])('is refused with %s', (_name, text, fault) => {
    expect(jweFault(text)).toMatch(fault)
  })
})
