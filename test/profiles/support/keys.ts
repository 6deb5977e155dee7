/** Key pairs of TPPs, and JWTs signed with them by hand, right or wrong in any way. Shares no code with the hub. */
import {
  constants,
  createHash,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomUUID,
  sign,
  type webcrypto,
} from 'node:crypto'

export type Alg = 'PS256' | 'ES256' | 'EdDSA'
export type Json = Record<string, unknown>
export type Pair = {
  readonly alg: Alg
  readonly kid: string
  readonly privateKey: KeyObject
  /** As published. */
  readonly jwk: JsonWebKey & { readonly kid: string; readonly use: 'sig' }
}

const MADE = {
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
} as const

export function newPair(alg: Alg): Pair {
  const { privateKey, publicKey } = MADE[alg]()
  const kid = randomUUID()
  return { alg, kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' } }
}

const IMPORT: Readonly<Record<Alg, webcrypto.AlgorithmIdentifier | webcrypto.EcKeyImportParams>> = {
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' } as webcrypto.RsaHashedImportParams,
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  EdDSA: { name: 'Ed25519' },
}
/** As a library that speaks Web Cryptography wants it. */
export const cryptoKeyOf = ({ alg, privateKey }: Pair): webcrypto.CryptoKey =>
  privateKey.toCryptoKey(IMPORT[alg], false, ['sign'])

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs by what `alg` of the header says, `none` and unknown ones included. */
export function jwt(header: Json, claims: Json, key: KeyObject): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${signature(String(header['alg']), Buffer.from(input), key).toString('base64url')}`
}

function signature(alg: string, input: Buffer, key: KeyObject): Buffer {
  switch (alg) {
    case 'none':
      return Buffer.alloc(0)
    case 'EdDSA':
      return sign(null, input, key)
    case 'ES256':
      return sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' })
    case 'PS256':
      return sign('sha256', input, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })
    default:
      return sign('sha256', input, { key })
  }
}

/** RFC 7638. */
export function thumbprint({ kty, crv, x, y, n, e }: JsonWebKey): string {
  const members = kty === 'RSA' ? { e, kty, n } : kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x }
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url')
}

export const publicPart = ({ kty, crv, x, y, n, e }: JsonWebKey): Json =>
  Object.fromEntries(Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined))

export const digest = (text: string): string => createHash('sha256').update(text).digest('base64url')
export const nowSeconds = (): number => Math.floor(Date.now() / 1000)

/** A proof that is right, to be changed before it is signed. */
export type ProofDraft = { header: Json; claims: Json; key: KeyObject }
export function proofFor(
  pair: Pair,
  to: { readonly method: string; readonly url: string; readonly nonce?: string | undefined; readonly token?: string },
): ProofDraft {
  return {
    header: { typ: 'dpop+jwt', alg: pair.alg, jwk: publicPart(pair.jwk) },
    claims: {
      jti: randomUUID(),
      htm: to.method,
      htu: to.url,
      iat: nowSeconds(),
      ...(to.nonce === undefined ? {} : { nonce: to.nonce }),
      ...(to.token === undefined ? {} : { ath: digest(to.token) }),
    },
    key: pair.privateKey,
  }
}
export const signed = ({ header, claims, key }: ProofDraft): string => jwt(header, claims, key)
