/** JWTs that must not be believed although everything around them is right, as functions of the one that would be. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import type { Jws } from '../../auth-server/support/jws.ts'
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
} from './forge.ts'

export type Forgery = (jws: Jws & { readonly key: KeyObject }) => string

const stranger = rsaKey()

const publicForms = (key: KeyObject): readonly (string | Buffer)[] => {
  const publicKey = createPublicKey(key)
  return [
    publicKey.export({ type: 'spki', format: 'pem' }),
    publicKey.export({ type: 'spki', format: 'der' }),
    publicKey.export({ type: 'pkcs1', format: 'pem' }),
    JSON.stringify(publicKey.export({ format: 'jwk' })),
  ]
}
const twice = (jws: Jws, first: string, last: string): string =>
  `{"alg":"${first}","kid":"${String(jws.header['kid'])}","alg":"${last}"}`

export const FORGERIES: readonly (readonly [string, Forgery | readonly Forgery[]])[] = [
  [
    'none in every spelling, unsigned',
    NONES.map(
      (alg) =>
        ({ header, claims, key }) =>
          withSignature(forge({ ...header, alg }, claims, key), ''),
    ),
  ],
  [
    'none in every spelling, signed',
    NONES.map(
      (alg) =>
        ({ header, claims, key }) =>
          forge({ ...header, alg }, claims, key),
    ),
  ],
  [
    'the public key as the secret of an HMAC',
    [0, 1, 2, 3].flatMap((form) =>
      ['HS256', 'PS256'].map(
        (alg): Forgery =>
          ({ header, claims, key }) =>
            withHmac({ ...header, alg }, claims, publicForms(key)[form] ?? ''),
      ),
    ),
  ],
  [
    'other algorithms over a good PS256 signature',
    ['RS256', 'PS384', 'PS512', 'ES256', 'EdDSA', 'dir', 'ps256'].map(
      (alg): Forgery =>
        ({ header, claims, key }) =>
          forge({ ...header, alg }, claims, key),
    ),
  ],
  [
    'a signature that is none',
    ['', 'AA', ...[1, 64, 256].map((length) => Buffer.alloc(length)), Buffer.alloc(256, 255)].map(
      (signature): Forgery =>
        ({ header, claims, key }) =>
          withSignature(forge(header, claims, key), signature),
    ),
  ],
  [
    'the signature of another message',
    ({ header, claims, key }) => withSignature(forge(header, claims, key), forge(header, {}, key).split('.')[2] ?? ''),
  ],
  ["a stranger's signature", ({ header, claims }) => forge(header, claims, stranger)],
  ['a salt of no bytes', ({ header, claims, key }) => signParts(base64url(header), base64url(claims), key, 0)],
  ['a repeated alg of which the last is none', (jws) => forge(twice(jws, 'PS256', 'none'), jws.claims, jws.key)],
  [
    'crit with what nobody knows',
    [{ crit: ['exp'], exp: 1 }, { crit: [] }, { crit: 'b64' }, { crit: null }].map(
      (extra): Forgery =>
        ({ header, claims, key }) =>
          forge({ ...header, ...extra }, claims, key),
    ),
  ],
  [
    'b64, whatever it says, without crit',
    [false, true, null].map(
      (b64): Forgery =>
        ({ header, claims, key }) =>
          forge({ ...header, b64 }, claims, key),
    ),
  ],
  [
    'a good signature that is written otherwise',
    [
      (jws: string) => `${jws}=`,
      (jws: string) => `${jws}==`,
      withLeftoverBits,
      (jws: string) => jws.replaceAll('_', '/').replaceAll('-', '+'),
    ].map(
      (rewrite): Forgery =>
        ({ header, claims, key }) =>
          rewrite(forge(header, claims, key)),
    ),
  ],
  [
    'a payload that is compressed',
    ({ header, claims, key }) => forge({ ...header, zip: 'DEF' }, deflateRawSync(JSON.stringify(claims)), key),
  ],
  [
    'a payload that is no object',
    ['[]', 'null', '"x"', '7', ''].map(
      (payload): Forgery =>
        ({ header, key }) =>
          forge(header, payload, key),
    ),
  ],
  [
    'a header that is no object',
    ['[]', 'null', '"PS256"', ''].map(
      (header): Forgery =>
        ({ claims, key }) =>
          forge(header, claims, key),
    ),
  ],
  [
    'text that is no UTF-8',
    ({ header, claims, key }) =>
      forge(
        header,
        Buffer.concat([Buffer.from(JSON.stringify(claims).slice(0, -1)), Buffer.from(',"jti":"\u00ff"}', 'latin1')]),
        key,
      ),
  ],
  [
    'another number of parts',
    ['.', '.AA', '.AA.AA', '.AA.AA.AA'].map(
      (more): Forgery =>
        ({ header, claims, key }) =>
          `${forge(header, claims, key)}${more}`,
    ),
  ],
  [
    'a part missing',
    [0, 1, 2].map(
      (gone): Forgery =>
        ({ header, claims, key }) =>
          forge(header, claims, key)
            .split('.')
            .filter((_part, index) => index !== gone)
            .join('.'),
    ),
  ],
  [
    'JSON serialization',
    ({ header, claims, key }) => {
      const [protectedHeader, payload, signature] = forge(header, claims, key).split('.')
      return JSON.stringify({ protected: protectedHeader, payload, signature })
    },
  ],
  [
    'a kid that is no text',
    [7, null, true, ['kid'], { kid: 1 }].map(
      (kid): Forgery =>
        ({ header, claims, key }) =>
          forge({ ...header, kid }, claims, key),
    ),
  ],
  [
    'a kid that is a name of something else',
    [...INHERITED, ...INJECTED].map(
      (kid): Forgery =>
        ({ header, claims, key }) =>
          forge({ ...header, kid }, claims, key),
    ),
  ],
  [
    'a kid that looks like the right one',
    [0, 1, 2, 3, 4, 5, 6].map(
      (at): Forgery =>
        ({ header, claims, key }) =>
          forge({ ...header, kid: lookAlikesOf(String(header['kid']))[at] }, claims, key),
    ),
  ],
]
