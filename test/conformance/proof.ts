/** DPoP proofs (RFC 9449), right or wrong in any way. */
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { compact, type Json } from '../auth-server/support/jws.ts'
import { now } from '../auth-server/support/tpp.ts'

export type ProofKey = { readonly key: KeyObject; readonly jwk: Json; readonly thumbprint: string }
export type Proof = { header: Json; claims: Json; key: KeyObject; damage?: (text: string) => string }
export type ProofFor = {
  readonly method: string
  readonly url: string
  readonly accessToken?: string
  readonly nonce?: string
}

export function createProofKey(): ProofKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = publicKey.export({ format: 'jwk' })
  const { crv, kty, x, y } = jwk
  // RFC 7638 3.2: the members that make up the key, in the order of the alphabet.
  const thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
  return { key: privateKey, jwk: { ...jwk }, thumbprint }
}

export function draftProof({ key, jwk }: ProofKey, { method, url, accessToken, nonce }: ProofFor): Proof {
  const { origin, pathname } = new URL(url)
  return {
    header: { typ: 'dpop+jwt', alg: 'ES256', jwk },
    claims: {
      jti: randomUUID(),
      htm: method,
      htu: `${origin}${pathname}`,
      iat: now(),
      ...(accessToken === undefined ? {} : { ath: hashOf(accessToken) }),
      ...(nonce === undefined ? {} : { nonce }),
    },
    key,
  }
}

export const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url')

export function signProof({ header, claims, key, damage = (text) => text }: Proof): string {
  if (header['alg'] === 'RS256' || header['alg'] === 'none') return damage(compact({ header, claims, key }))
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return damage(`${input}.${signature.toString('base64url')}`)
}
