/**
 * One DPoP proof, judged by itself (RFC 9449 4.3): everything but what takes memory or a secret, which is dpop.ts.
 * The key comes with the proof, so nothing it says of itself is believed beyond the signature that it makes.
 */
import { createHash, createPublicKey, constants as crypto, type KeyObject, verify } from 'node:crypto'

/** FAPI 2.0 SP 5.4.1. */
export const DPOP_ALGORITHMS = ['PS256', 'ES256', 'EdDSA'] as const
type Algorithm = (typeof DPOP_ALGORITHMS)[number]

/** How far behind the clock of a client may be, and how long a proof is good. */
export const PROOF_AGE_MAX_SECONDS = 300
/** FAPI 2.0 SP 5.3.2.1-13: 10 seconds ahead are accepted, 60 never. */
export const PROOF_SKEW_SECONDS = 30

export type ExpectedUse = {
  readonly method: string
  /** As the outside world sees it, without query. */
  readonly url: string
  readonly nowSeconds: number
  /** base64url SHA-256 of the access token that it comes with; null: it comes without one. */
  readonly accessTokenHash: string | null
}
export type Proof = {
  /** RFC 7638 thumbprint of its key. */
  readonly jkt: string
  readonly jti: string
  readonly nonce: string | null
  readonly issuedAtSeconds: number
}
export type JudgedProof = { readonly ok: true; readonly proof: Proof } | { readonly ok: false; readonly why: string }

/** Nothing legitimate comes near it; an RSA key of 4096 bits and its signature take 1500. */
const PROOF_LENGTH_MAX = 4096
const JTI_LENGTH_MAX = 256
const RSA_BITS = { min: 2048, max: 4096 } as const

type Json = Readonly<Record<string, unknown>>
/** Thrown and caught in this file only. */
class Refused extends Error {}
const refuse = (why: string): never => {
  throw new Refused(why)
}

/** `header`: the value of the DPoP header. Two of them arrive joined by a comma, which no JWT contains. */
export function judgeProof(header: string, use: ExpectedUse): JudgedProof {
  try {
    return { ok: true, proof: judge(header, use) }
  } catch (thrown) {
    if (thrown instanceof Refused) return { ok: false, why: thrown.message }
    throw thrown
  }
}

function judge(text: string, use: ExpectedUse): Proof {
  if (text.length > PROOF_LENGTH_MAX) refuse('the proof is longer than accepted')
  const [head = '', body = '', signature = '', ...more] = text.split('.')
  if (more.length > 0 || ![head, body, signature].every(isCanonical)) refuse('the header must be one compact JWT')
  const header = parse(head)
  const { typ, alg, jwk } = header
  if (typeof typ !== 'string' || typ.toLowerCase().replace(/^application\//, '') !== 'dpop+jwt') {
    refuse('typ must be dpop+jwt')
  }
  if (!isAlgorithm(alg)) return refuse(`alg must be one of ${DPOP_ALGORITHMS.join(', ')}`)
  if (header['crit'] !== undefined || header['b64'] !== undefined) refuse('crit is not supported')
  const { key, jkt } = readKey(jwk, alg)
  if (!SIGNED_BY[alg](Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))) {
    refuse('the signature does not verify with the key in the proof')
  }
  return { jkt, ...readClaims(parse(body), use) }
}

function readClaims(claims: Json, use: ExpectedUse): Omit<Proof, 'jkt'> {
  const { jti, htm, htu, iat, ath, nonce } = claims
  if (typeof jti !== 'string' || jti === '' || jti.length > JTI_LENGTH_MAX) return refuse('jti is required')
  if (htm !== use.method) refuse('htm is not the method of the request')
  if (typeof htu !== 'string' || normal(htu) !== normal(use.url)) refuse('htu is not the address of the request')
  if (nonce !== undefined && (typeof nonce !== 'string' || nonce === '')) refuse('nonce must be a text')
  if (use.accessTokenHash !== null && ath !== use.accessTokenHash) refuse('ath is not the hash of the access token')
  return { jti, nonce: nonce === undefined ? null : String(nonce), issuedAtSeconds: readTimes(claims, iat, use) }
}

/** A nonce does not excuse a wrong clock: both ends of FAPI 2.0 keep time. */
function readTimes({ exp, nbf }: Json, iat: unknown, { nowSeconds }: ExpectedUse): number {
  if (typeof iat !== 'number') return refuse('iat is required')
  if (iat > nowSeconds + PROOF_SKEW_SECONDS) refuse('iat is in the future')
  if (iat < nowSeconds - PROOF_AGE_MAX_SECONDS) refuse('iat is not recent')
  // Neither belongs in a proof; whoever puts one there means it.
  if (exp !== undefined && !(typeof exp === 'number' && exp > nowSeconds - PROOF_SKEW_SECONDS)) {
    refuse('exp is past')
  }
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= nowSeconds + PROOF_SKEW_SECONDS)) {
    refuse('nbf is in the future')
  }
  return iat
}

type Kind = { readonly kty: string; readonly crv?: string; readonly members: readonly string[] }
/** Members that make up the key, in the order of RFC 7638 3.2. */
const KINDS: Readonly<Record<Algorithm, Kind>> = {
  PS256: { kty: 'RSA', members: ['e', 'kty', 'n'] },
  ES256: { kty: 'EC', crv: 'P-256', members: ['crv', 'kty', 'x', 'y'] },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', members: ['crv', 'kty', 'x'] },
}
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

function readKey(jwk: unknown, alg: Algorithm): { readonly key: KeyObject; readonly jkt: string } {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return refuse('jwk is required')
  const given = jwk as Json
  if (PRIVATE_MEMBERS.some((name) => Object.hasOwn(given, name))) refuse('jwk must be a public key')
  const kind = KINDS[alg]
  if (given['kty'] !== kind.kty || given['crv'] !== kind.crv) refuse('jwk is not a key for alg')
  const own = requiredMembers(given, kind)
  if (!Object.values(own).every((value) => typeof value === 'string')) refuse('jwk is not complete')
  const key = importKey(own)
  const bits = key.asymmetricKeyDetails?.modulusLength
  if (bits !== undefined && (bits < RSA_BITS.min || bits > RSA_BITS.max)) refuse('the RSA key has not the right size')
  return { key, jkt: jwkThumbprint(given, alg) }
}

const requiredMembers = (jwk: Json, kind: Kind): Json =>
  Object.fromEntries(kind.members.map((name) => [name, jwk[name]]))

/** RFC 7638 3: SHA-256 of the members that make up the key, in base64url. */
export const jwkThumbprint = (jwk: Json, alg: Algorithm): string =>
  createHash('sha256')
    .update(JSON.stringify(requiredMembers(jwk, KINDS[alg])))
    .digest('base64url')

function importKey(jwk: Json): KeyObject {
  try {
    return createPublicKey({ key: jwk as import('node:crypto').JsonWebKey, format: 'jwk' })
  } catch {
    return refuse('jwk is not a key')
  }
}

type Check = (input: Buffer, key: KeyObject, signature: Buffer) => boolean
const SIGNED_BY: Readonly<Record<Algorithm, Check>> = {
  PS256: (input, key, signature) =>
    verify('sha256', input, { key, padding: crypto.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature),
  ES256: (input, key, signature) => verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, signature),
  EdDSA: (input, key, signature) => verify(null, input, key, signature),
}

const isAlgorithm = (alg: unknown): alg is Algorithm => (DPOP_ALGORITHMS as readonly unknown[]).includes(alg)

/** A decoder forgives padding and left-over bits, and then one proof is many texts. */
const isCanonical = (part: string): boolean =>
  part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part

function parse(part: string): Json {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {}
  return refuse('the header must be one compact JWT')
}

/** RFC 9449 4.3-9: query and fragment do not count; case of the host and the default port are one address. */
function normal(address: string): string | null {
  const url = URL.parse(address)
  if (url === null) return null
  url.search = ''
  url.hash = ''
  return url.href
}
