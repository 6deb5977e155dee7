/**
 * What the LFI adds to the id_token: every parameter of doConfirm whose name does not start with `heimdall.` becomes a
 * claim of that name (lfi-api 1.4). The engine only issues claims that its configuration lists, so these are added to
 * the token that it has made, which is then signed again.
 */
import { decodeJwt } from 'jose'
import { HubError } from '../errors.ts'
import { type SigningKey, sign } from '../jose.ts'

export type IdTokenClaims = Readonly<Record<string, string>>

/** Control parameters, which the profile does not support: accepted and ignored. */
const CONTROL = 'heimdall.'
/** They say who the token is from, for and about, and when; the hub alone says that. acr and auth_time go their own way. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'azp', 'nonce', 'sid', 'cnf', 'act', 'events', 'scope'],
  ...['at_hash', 'c_hash', 's_hash', 'acr', 'amr', 'auth_time', 'client_id', 'authorization_details'],
  ...['_claim_names', '_claim_sources', '__proto__'],
])
const NAME = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/
const COUNT_MAX = 16
const VALUE_LENGTH_MAX = 1024

/** @throws HubError Body.InvalidFormat for more than an id_token should carry */
export function claimsIn(form: ReadonlyMap<string, string>): IdTokenClaims {
  const claims = [...form].filter(([name]) => !name.startsWith(CONTROL) && !RESERVED.has(name))
  const [tooLong] = claims.find(([name, value]) => !NAME.test(name) || value.length > VALUE_LENGTH_MAX) ?? []
  if (claims.length > COUNT_MAX || tooLong !== undefined) {
    throw new HubError('Body.InvalidFormat', {
      reason: `at most ${COUNT_MAX} claims, with names of 1 to 128 and values of up to ${VALUE_LENGTH_MAX} characters`,
    })
  }
  return Object.fromEntries(claims)
}

/** What the engine says stays as it said it. */
export function addClaims(idToken: string, claims: IdTokenClaims, key: SigningKey): Promise<string> {
  return sign(key, { ...claims, ...decodeJwt(idToken) })
}
