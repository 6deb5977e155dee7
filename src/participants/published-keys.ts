/** A published key set, key by key: what is not a strong public key of a kind that is used here is left out. */
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import type { JWK } from '../jose.ts'
import { isRecord, type Refuse } from './directory-records.ts'

const KEYS_MAX = 100
const TEXT_MAX = 2048
/** FAPI 2.0 SP 5.4.1; longer ones cost more than they protect. */
const RSA_BITS = { min: 2048, max: 8192 } as const
const RSA_EXPONENT_MIN = 65_537n
/** A set that holds one of these is not what its owner meant to publish. */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const
const KEPT = ['kty', 'kid', 'use', 'alg', 'n', 'e', 'crv', 'x', 'y', 'x5t#S256', 'x5u'] as const
/** RFC 7517 4.3 lists eight. */
const OPERATIONS_MAX = 8

/** @throws when it is no key set at all */
export function readKeys(raw: unknown, refuse: Refuse): readonly JWK[] {
  const keys = isRecord(raw) ? raw['keys'] : null
  if (!Array.isArray(keys)) throw new Error('the keystore’s answer is no key set')
  if (keys.length > KEYS_MAX) throw new Error('the keystore’s answer holds too many keys')
  const good = keys.flatMap((key: unknown, at) => {
    const why = faultOf(key)
    if (why === null) return [publicPart(key as Record<string, unknown>)]
    refuse(`key ${at}`, why)
    return []
  })
  return good.filter(({ kid }) => {
    // Which of the two signs is anybody's guess, so neither does.
    const isAlone = good.filter((each) => each.kid === kid).length === 1
    if (!isAlone) refuse(`key ${kid}`, 'its id is not its own')
    return isAlone
  })
}

function publicPart(key: Readonly<Record<string, unknown>>): JWK {
  const kept = KEPT.flatMap((name) => (typeof key[name] === 'string' ? [[name, key[name]]] : []))
  // What its owner publishes a key for is part of it: without this it would pass for one without limits.
  const operations = key['key_ops'] === undefined ? [] : [['key_ops', key['key_ops']]]
  return Object.fromEntries([...kept, ...operations]) as JWK
}

/** null: none. */
function faultOf(key: unknown): string | null {
  if (!isRecord(key)) return 'it is no object'
  if (PRIVATE.some((name) => name in key)) return 'it holds a private or a symmetric key'
  const { kid, use } = key
  if (typeof kid !== 'string' || kid === '' || kid.length > 256) return 'it has no key id'
  if (use !== undefined && use !== 'sig' && use !== 'enc') return 'its use is neither sig nor enc'
  const texts = KEPT.map((name) => key[name]).filter((value) => value !== undefined)
  if (texts.some((value) => typeof value !== 'string' || value.length > TEXT_MAX)) return 'a member is not a short text'
  if (key['key_ops'] !== undefined && !areOperations(key['key_ops'])) return 'its key_ops is no list of names'
  return weaknessOf(key)
}

const areOperations = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length <= OPERATIONS_MAX &&
  value.every((each) => typeof each === 'string' && each.length <= TEXT_MAX)

function weaknessOf(key: Readonly<Record<string, unknown>>): string | null {
  const { kty, crv } = key
  const isKind = kty === 'RSA' || (kty === 'EC' && crv === 'P-256') || (kty === 'OKP' && crv === 'Ed25519')
  if (!isKind) return 'it is neither RSA nor P-256 nor Ed25519'
  try {
    const { asymmetricKeyDetails: details } = createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
    if (kty !== 'RSA') return null
    const { modulusLength = 0, publicExponent = 0n } = details ?? {}
    if (modulusLength < RSA_BITS.min || modulusLength > RSA_BITS.max) {
      return `it is RSA of less than ${RSA_BITS.min} or more than ${RSA_BITS.max} bits`
    }
    return publicExponent < RSA_EXPONENT_MIN || publicExponent % 2n === 0n ? 'its RSA exponent is weak' : null
  } catch {
    return 'it is malformed'
  }
}
