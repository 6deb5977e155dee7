/** How the applications of a plan speak: what they sign, and what they let their tokens be bound to. */
import type { Json, Jws } from '../auth-server/support/jws.ts'

export type Style = {
  /** `signed`: as one request object; `plain`: as the parameters that it would hold. */
  readonly requests: 'signed' | 'plain'
  readonly binding: 'certificate' | 'key'
}

export const UAE_STYLE: Style = { requests: 'signed', binding: 'certificate' }

/** What the configuration of a hub says of a client that speaks so; null: nothing, it is what every client does. */
export function profileOf({ requests, binding }: Style): Json | null {
  if (requests === 'signed' && binding === 'certificate') return null
  return {
    profile: 'fapi2',
    authentication: 'private_key_jwt',
    senderConstraint: binding === 'key' ? 'dpop' : 'mtls',
    signingAlgorithms: ['PS256'],
    requestObject: requests === 'signed' ? 'signed' : 'unsigned-allowed',
  }
}

/** Claims that are about the JWT itself, and no parameters of an authorization request. */
const ENVELOPE = new Set(['iss', 'aud', 'iat', 'nbf', 'exp', 'jti'])

/** What a request object says, as the parameters of a request that nobody signed. */
export function asParameters({ claims }: Pick<Jws, 'claims'>): [string, string][] {
  return Object.entries(claims)
    .filter(([name]) => !ENVELOPE.has(name))
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)])
}
