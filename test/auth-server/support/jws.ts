/** JWTs made by hand, right or wrong in any way, and read without trusting anything. */
import {
  constants,
  createCipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  publicEncrypt,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { readFileSync } from 'node:fs'

export type Json = Record<string, unknown>
export type Jws = { header: Json; claims: Json; key: KeyObject | string; damage?: (compact: string) => string }

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs with whatever `header.alg` says, `none` included. */
export function compact({ header, claims, key, damage = (text) => text }: Jws): string {
  const input = `${encode(header)}.${encode(claims)}`
  return damage(`${input}.${signature(String(header['alg']), Buffer.from(input), key).toString('base64url')}`)
}

function signature(alg: string, input: Buffer, key: KeyObject | string): Buffer {
  if (alg === 'none') return Buffer.alloc(0)
  if (alg.startsWith('HS'))
    return createHmac(`sha${alg.slice(2)}`, key)
      .update(input)
      .digest()
  if (typeof key === 'string') throw new Error(`${alg} needs a key pair`)
  return sign(`sha${alg.slice(2)}`, input, alg.startsWith('PS') ? { key, ...PSS } : { key })
}

export const privateKeyIn = (file: string): KeyObject => createPrivateKey(readFileSync(file))

/** Claims, or null when the signature is not by that key with PS256. */
export function readVerified(jwt: string, jwk: JsonWebKey): { readonly header: Json; readonly claims: Json } | null {
  const [head = '', body = '', made = ''] = jwt.split('.')
  const decode = (part: string): Json => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), ...PSS }
  const holds = verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(made, 'base64url'))
  return holds && decode(head)['alg'] === 'PS256' ? { header: decode(head), claims: decode(body) } : null
}

export type EncryptionChoice = { readonly alg: string; readonly enc: string; readonly kid: string }

/** Compact JWE (RFC 7516) of a JWS to an RSA key. */
export function encrypt(jws: string, jwk: JsonWebKey, choice: EncryptionChoice): string {
  const header = encode({ ...choice, cty: 'JWT' })
  const secret = randomBytes(choice.enc === 'A256GCM' ? 32 : 16)
  const iv = randomBytes(12)
  const cipher = createCipheriv(choice.enc === 'A256GCM' ? 'aes-256-gcm' : 'aes-128-gcm', secret, iv)
  cipher.setAAD(Buffer.from(header))
  const text = Buffer.concat([cipher.update(jws, 'utf8'), cipher.final()])
  const wrapped = publicEncrypt(
    {
      key: createPublicKey({ key: jwk, format: 'jwk' }),
      padding: choice.alg === 'RSA1_5' ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_OAEP_PADDING,
      ...(choice.alg === 'RSA1_5' ? {} : { oaepHash: choice.alg === 'RSA-OAEP-256' ? 'sha256' : 'sha1' }),
    },
    secret,
  )
  return [header, ...[wrapped, iv, text, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join('.')
}
