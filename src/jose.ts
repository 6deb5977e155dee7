/** The home of jose: everything the hub signs, verifies and encrypts itself. The authorization engine brings its own. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import {
  CompactEncrypt,
  type CompactJWSHeaderParameters,
  CompactSign,
  compactVerify,
  decodeProtectedHeader,
  errors,
  importJWK,
  type JWK,
} from 'jose'
import type { KeyConfig } from './config.ts'

export type { JWK } from 'jose'

/** RSA and 2048 bits at least (FAPI 2.0 SP 5.4.1); PS256 is the only algorithm of the profile. */
export const SIGNING_ALGORITHM = 'PS256'
const RSA_BITS_MIN = 2048
/** Before any cryptography: nothing legitimate comes near it (security 4.4). */
export const JWS_LENGTH_MAX = 65_536

export type SigningKey = { readonly kid: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject }

/** @throws Error at start when a key is not RSA of at least 2048 bits. */
export const loadKey = (config: KeyConfig): SigningKey =>
  toSigningKey(config.kid, createPrivateKey(config.key.reveal()))

export function toSigningKey(kid: string, privateKey: KeyObject): SigningKey {
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0
  if (privateKey.asymmetricKeyType !== 'rsa' || bits < RSA_BITS_MIN) {
    throw new Error(`key ${kid} is not RSA of at least ${RSA_BITS_MIN} bits`)
  }
  return { kid, privateKey, publicKey: createPublicKey(privateKey) }
}

export function privateJwk(key: SigningKey, use: 'sig' | 'enc'): JWK {
  return { ...(key.privateKey.export({ format: 'jwk' }) as JWK), kid: key.kid, use, alg: algorithmOf(use) }
}

export function publicJwk(key: SigningKey, use: 'sig' | 'enc'): JWK {
  return { ...(key.publicKey.export({ format: 'jwk' }) as JWK), kid: key.kid, use, alg: algorithmOf(use) }
}

const algorithmOf = (use: 'sig' | 'enc'): string => (use === 'sig' ? SIGNING_ALGORITHM : 'RSA-OAEP-256')

/** Compact JWS, PS256, with `kid`; signs on the thread pool. */
export function sign(key: SigningKey, claims: object, header: Readonly<Record<string, string>> = {}): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ ...header, alg: SIGNING_ALGORITHM, kid: key.kid })
    .sign(key.privateKey)
}

export type VerifyFault = 'malformed' | 'header' | 'unknown-key' | 'signature' | 'payload'
export type Verified =
  | {
      readonly ok: true
      readonly claims: Readonly<Record<string, unknown>>
      readonly header: CompactJWSHeaderParameters
    }
  | { readonly ok: false; readonly fault: VerifyFault; readonly why: string }

/**
 * Signature and header of a compact JWS: PS256 only, `kid` required, the key the holder's own and meant for it.
 * Claims are the caller's to judge; they come as a frozen plain object.
 */
export async function verify(jws: string, keyOf: (kid: string) => Promise<JWK | null> | JWK | null): Promise<Verified> {
  const refused = (fault: VerifyFault, why: string): Verified => ({ ok: false, fault, why })
  if (jws.length > JWS_LENGTH_MAX) return refused('malformed', 'longer than accepted')
  if (!isCompact(jws)) return refused('malformed', 'not a compact JWS')
  let header: ReturnType<typeof decodeProtectedHeader>
  try {
    header = decodeProtectedHeader(jws)
  } catch {
    return refused('malformed', 'not a compact JWS')
  }
  if (header.alg !== SIGNING_ALGORITHM) return refused('header', `alg must be ${SIGNING_ALGORITHM}`)
  if (typeof header.kid !== 'string' || header.kid === '') return refused('header', 'kid is required')
  if (header.crit !== undefined || header.b64 !== undefined) return refused('header', 'crit is not supported')
  const jwk = await keyOf(header.kid)
  if (jwk === null || !isForSigning(jwk)) {
    return refused('unknown-key', 'kid names no current signing key of the sender')
  }
  try {
    const key = await importJWK({ ...jwk, alg: SIGNING_ALGORITHM })
    const verified = await compactVerify(jws, key, { algorithms: [SIGNING_ALGORITHM] })
    const claims = claimsIn(verified.payload)
    if (claims === null) return refused('payload', 'not a JSON object')
    return { ok: true, claims: Object.freeze({ ...claims }), header: verified.protectedHeader }
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return refused('signature', 'does not verify')
    return refused('malformed', 'cannot be verified')
  }
}

/**
 * Three parts, each the one way there is to write its bytes (RFC 7515 2, RFC 4648 3.5). A decoder forgives padding,
 * white space and left-over bits, and then one signature is many texts.
 */
export const isCompact = (jws: string): boolean => {
  const parts = jws.split('.')
  return parts.length === 3 && parts.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
}

/** What is no UTF-8 is refused, not mended: two readers could mend it differently. A byte order mark is no JSON. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function claimsIn(payload: Uint8Array): object | null {
  try {
    const claims: unknown = JSON.parse(utf8.decode(payload))
    return claims !== null && typeof claims === 'object' && !Array.isArray(claims) ? claims : null
  } catch {
    return null
  }
}

/** RFC 7517 4.2 to 4.4: what its holder publishes a key for. Saying nothing is allowed; importing alone checks neither. */
const isForSigning = ({ use, alg, key_ops: operations }: JWK): boolean =>
  (use === undefined || use === 'sig') &&
  (alg === undefined || alg === SIGNING_ALGORITHM) &&
  (operations === undefined || operations.includes('verify'))

/** The signing key of that id among published keys. */
export function signingKey(keys: readonly JWK[], kid: string): JWK | null {
  return keys.find((key) => key.kid === kid && key.kty === 'RSA' && isForSigning(key)) ?? null
}

const ENCRYPTION_ALGORITHM = 'RSA-OAEP-256'

/** The first published key that something may be encrypted to (tpp-api 1: RSA-OAEP-256, 2048 bits at least). */
export function encryptionKey(keys: readonly JWK[]): JWK | null {
  return keys.find(isForEncryption) ?? null
}

/** A key that does not say that it is for encryption is not taken for one: it may be the one that signs. */
function isForEncryption({ kid, kty, use, alg, n, key_ops: operations }: JWK): boolean {
  const bits = typeof n === 'string' ? Buffer.from(n, 'base64url').length * 8 : 0
  return (
    typeof kid === 'string' &&
    kid !== '' &&
    kty === 'RSA' &&
    use === 'enc' &&
    (alg === undefined || alg === ENCRYPTION_ALGORITHM) &&
    (operations === undefined || operations.includes('encrypt') || operations.includes('wrapKey')) &&
    bits >= RSA_BITS_MIN
  )
}

/** Compact JWE around a compact JWS (RFC 7516, RFC 7519 5.2), A256GCM. */
export async function encryptTo(jwk: JWK, jws: string): Promise<string> {
  const key = await importJWK({ ...jwk, alg: ENCRYPTION_ALGORITHM })
  return new CompactEncrypt(Buffer.from(jws))
    .setProtectedHeader({ alg: ENCRYPTION_ALGORITHM, enc: 'A256GCM', cty: 'JWT', kid: String(jwk.kid) })
    .encrypt(key)
}
