/** DPoP proofs that are wrong in one way (RFC 9449 4.3), and others that are right although they look odd. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { type Json, newPair, nowSeconds, type ProofDraft, publicPart, signed } from './keys.ts'

/** Where the proof is for, and what it would have to hold. */
export type Place = {
  readonly door: 'token' | 'resource'
  readonly url: string
  /** An earlier proof of the same place that was accepted. */
  readonly used: string
}
/** From a right proof, what is sent in the header. */
export type Send = (draft: ProofDraft, place: Place) => string | readonly string[]
export type ProofCase = {
  readonly name: string
  readonly send: Send
  readonly error?: 'invalid_dpop_proof' | 'use_dpop_nonce' | 'invalid_token'
  readonly only?: Place['door']
}

const header =
  (change: (header: Json) => void): Send =>
  (draft) => {
    change(draft.header)
    return signed(draft)
  }
const claims =
  (change: (claims: Json, place: Place) => void): Send =>
  (draft, place) => {
    change(draft.claims, place)
    return signed(draft)
  }
const without = (name: string): Send => claims((given) => delete given[name])
const set = (changes: Json): Send => claims((given) => Object.assign(given, changes))
/** Signed with a key of another kind, which the proof itself names. */
const withKey =
  (alg: string, made: { privateKey: ProofDraft['key']; jwk: Json }): Send =>
  (draft) => {
    draft.header['alg'] = alg
    draft.header['jwk'] = made.jwk
    return signed({ ...draft, key: made.privateKey })
  }
const rsa = (modulusLength: number) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength })
  return { privateKey, jwk: publicPart(publicKey.export({ format: 'jwk' })) }
}
const ec = (namedCurve: string) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
  return { privateKey, jwk: publicPart(publicKey.export({ format: 'jwk' })) }
}
const privateJwk = ({ key }: ProofDraft): Json => ({ ...key.export({ format: 'jwk' }) })

export const REFUSED: readonly ProofCase[] = [
  { name: 'no proof', send: () => '' },
  {
    name: 'two headers',
    send: (draft) => [signed(draft), signed({ ...draft, claims: { ...draft.claims, jti: 'b' } })],
  },
  { name: 'no JWT', send: () => 'proof' },
  { name: 'a JWT of two parts', send: (draft) => signed(draft).split('.').slice(0, 2).join('.') },
  { name: 'a JWT of five parts', send: (draft) => `${signed(draft)}.e30.e30` },
  { name: 'a JWT with padding', send: (draft) => `${signed(draft)}==` },
  { name: 'a JWT with white space', send: (draft) => signed(draft).replace('.', '. ') },
  { name: 'a header that is no JSON', send: (draft) => signed(draft).replace(/^[^.]+/, 'e30x') },
  { name: 'far too long a text', send: claims((given) => Object.assign(given, { filler: 'x'.repeat(5_000) })) },
  { name: 'no typ', send: header((given) => delete given['typ']) },
  { name: 'typ JWT', send: header((given) => Object.assign(given, { typ: 'JWT' })) },
  { name: 'no alg', send: header((given) => delete given['alg']) },
  { name: 'alg none', send: header((given) => Object.assign(given, { alg: 'none' })) },
  { name: 'alg RS256', send: withKey('RS256', rsa(2048)) },
  { name: 'alg HS256 with the public key as secret', send: header((given) => Object.assign(given, { alg: 'HS256' })) },
  { name: 'alg ES384', send: withKey('ES384', ec('P-384')) },
  { name: 'alg ES256 with a key on P-384', send: withKey('ES256', ec('P-384')) },
  { name: 'alg PS256 with a key of 1024 bits', send: withKey('PS256', rsa(1024)) },
  { name: 'alg of another kind than the key', send: header((given) => Object.assign(given, { alg: 'PS256' })) },
  { name: 'no jwk', send: header((given) => delete given['jwk']) },
  { name: 'a jwk that is a text', send: header((given) => Object.assign(given, { jwk: 'key' })) },
  {
    name: 'a jwk that lacks a member',
    send: header((given) => Object.assign(given, { jwk: { kty: 'EC', crv: 'P-256' } })),
  },
  {
    name: 'a private key as jwk',
    send: (draft) => {
      draft.header['jwk'] = privateJwk(draft)
      return signed(draft)
    },
  },
  { name: 'a symmetric key as jwk', send: header((given) => Object.assign(given, { jwk: { kty: 'oct', k: 'AAAA' } })) },
  { name: 'kid instead of jwk', send: header((given) => Object.assign(given, { jwk: undefined, kid: 'key' })) },
  { name: 'crit', send: header((given) => Object.assign(given, { crit: ['x'], x: 1 })) },
  { name: 'a damaged signature', send: (draft) => signed(draft).replace(/.{10}$/, 'AAAAAAAAAA') },
  { name: 'claims changed after signing', send: (draft) => tampered(draft) },
  { name: 'the signature of another key', send: (draft) => signed({ ...draft, key: newPair('ES256').privateKey }) },
  { name: 'no jti', send: without('jti') },
  { name: 'an empty jti', send: set({ jti: '' }) },
  { name: 'a jti that is a number', send: set({ jti: 7 }) },
  { name: 'no htm', send: without('htm') },
  { name: 'another method', send: set({ htm: 'PUT' }) },
  {
    name: 'the method in lower case',
    send: claims((given) => Object.assign(given, { htm: String(given['htm']).toLowerCase() })),
  },
  { name: 'no htu', send: without('htu') },
  { name: 'another path', send: claims((given) => Object.assign(given, { htu: `${given['htu']}/more` })) },
  {
    name: 'another host',
    send: claims((given) => Object.assign(given, { htu: String(given['htu']).replace('localhost', 'evil.example') })),
  },
  {
    name: 'another port',
    send: claims((given) => Object.assign(given, { htu: String(given['htu']).replace(/:\d+/, ':1') })),
  },
  {
    name: 'another scheme',
    send: claims((given) => Object.assign(given, { htu: String(given['htu']).replace('https', 'http') })),
  },
  {
    name: 'a user in the address',
    send: claims((given) => Object.assign(given, { htu: String(given['htu']).replace('//', '//user@') })),
  },
  {
    name: 'an address without scheme',
    send: claims((given) => Object.assign(given, { htu: new URL(String(given['htu'])).pathname })),
  },
  { name: 'no iat', send: without('iat') },
  { name: 'iat as a text', send: claims((given) => Object.assign(given, { iat: String(given['iat']) })) },
  { name: 'iat one hour ago', send: set({ iat: nowSeconds() - 3600 }) },
  { name: 'iat in one hour', send: set({ iat: nowSeconds() + 3600 }) },
  { name: 'iat in 61 seconds', send: claims((given) => Object.assign(given, { iat: nowSeconds() + 61 })) },
  { name: 'an end that is past', send: set({ exp: nowSeconds() - 60 }) },
  { name: 'a beginning that is to come', send: set({ nbf: nowSeconds() + 600 }) },
  { name: 'a nonce that is a number', send: set({ nonce: 7 }) },
  { name: 'a proof that was used', send: (_draft, { used }) => used },
  { name: 'no nonce', send: without('nonce'), error: 'use_dpop_nonce' },
  { name: 'a nonce of somebody else', send: set({ nonce: randomUUID() }), error: 'use_dpop_nonce' },
  { name: 'no ath', send: without('ath'), only: 'resource' },
  { name: 'the ath of another token', send: set({ ath: 'A'.repeat(43) }), only: 'resource' },
  {
    name: 'a proof for another place',
    send: claims((given, { url }) => Object.assign(given, { htu: new URL('/par', url).href })),
  },
  { name: 'another key', send: (draft) => otherKey(draft), only: 'resource', error: 'invalid_token' },
]

export const ACCEPTED: readonly ProofCase[] = [
  { name: 'as it should be', send: signed },
  { name: 'claims that nobody knows', send: set({ sub: 'x', aud: ['y'], nested: { z: [1] } }) },
  { name: 'header members that nobody knows', send: header((given) => Object.assign(given, { kid: 'mine', x: 'y' })) },
  { name: 'typ in another case', send: header((given) => Object.assign(given, { typ: 'DPoP+JWT' })) },
  { name: 'members of the key that do not count', send: (draft) => remarkedKey(draft) },
  {
    name: 'the host in upper case',
    send: claims((given) => Object.assign(given, { htu: String(given['htu']).replace('localhost', 'LocalHost') })),
  },
  {
    name: 'the scheme in upper case',
    send: claims((given) => Object.assign(given, { htu: String(given['htu']).replace('https', 'HTTPS') })),
  },
  {
    name: 'query and fragment in the address',
    send: claims((given) => Object.assign(given, { htu: `${given['htu']}?a=b#c` })),
  },
  { name: 'iat 10 seconds ago', send: claims((given) => Object.assign(given, { iat: nowSeconds() - 10 })) },
  { name: 'iat in 10 seconds', send: claims((given) => Object.assign(given, { iat: nowSeconds() + 10 })) },
  { name: 'an end that is to come', send: claims((given) => Object.assign(given, { exp: nowSeconds() + 60 })) },
]

function tampered(draft: ProofDraft): string {
  const [head, , signature] = signed(draft).split('.')
  const body = Buffer.from(JSON.stringify({ ...draft.claims, jti: randomUUID() })).toString('base64url')
  return `${head}.${body}.${signature}`
}

function otherKey(draft: ProofDraft): string {
  const other = newPair('ES256')
  return signed({ ...draft, header: { ...draft.header, jwk: publicPart(other.jwk) }, key: other.privateKey })
}

function remarkedKey(draft: ProofDraft): string {
  const jwk = { ...(draft.header['jwk'] as Json), kid: 'mine', use: 'sig', alg: 'ES256' }
  return signed({ ...draft, header: { ...draft.header, jwk } })
}
