/** Is it the hub that calls? Its certificate first, then the signed token that goes with it (lfi-api 4.1, 4.3). */
import type { TLSSocket } from 'node:tls'
import { decodeProtectedHeader, errors, jwtVerify } from 'jose'
import { type Peer, peerOf } from '../../tls.ts'
import type { Keystore } from './keystore.ts'
import { unauthenticated } from './refusal.ts'

export type HubCaller = { admit(socket: TLSSocket, authorization: string | undefined): Promise<void> }

const SKEW_SECONDS = 10
/** The contract recommends 10 to 30 seconds; anything that lives longer is not worth single use. */
const LIFETIME_SECONDS_MAX = 60
const SCHEME = /^(?:bearer|ozone-connect-jwt-auth) +(\S+)$/i
const JTI = /^[\x21-\x7e]{8,128}$/
const JTI_KEPT_MAX = 100_000

export function createHubCaller(deps: {
  readonly organisationId: string
  readonly audience: string
  readonly keystore: Keystore
  readonly now: () => number
}): HubCaller {
  const spent = createSpentTokens(deps.now)
  return {
    async admit(socket, authorization) {
      const peer = trustedPeer(socket)
      if (peer.organisationId !== deps.organisationId)
        throw unauthenticated('the certificate is not the hub operator’s')
      const token = SCHEME.exec(authorization ?? '')?.[1]
      if (token === undefined) throw unauthenticated('no JWT Auth token')
      const { jti, exp } = await claimsOf(token, peer, deps)
      if (!spent.spend(jti, exp)) throw unauthenticated('the token was used before')
    },
  }
}

/** The caller's certificate, when it leads to the trust framework and names its holder. */
export function trustedPeer(socket: TLSSocket): Peer {
  const peer = peerOf(socket)
  if (peer === null) throw unauthenticated('no client certificate of the trust framework')
  return peer
}

async function claimsOf(
  token: string,
  peer: Peer,
  deps: { readonly audience: string; readonly keystore: Keystore; readonly now: () => number },
): Promise<{ jti: string; exp: number }> {
  try {
    const { kid } = decodeProtectedHeader(token)
    const key = kid === undefined ? null : await deps.keystore.key(peer.organisationId, peer.clientId, kid)
    if (key === null) throw unauthenticated('the token names no published key')
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['PS256'],
      typ: 'JOSE',
      issuer: peer.organisation,
      subject: peer.organisationId,
      audience: deps.audience,
      clockTolerance: SKEW_SECONDS,
      maxTokenAge: LIFETIME_SECONDS_MAX,
      currentDate: new Date(deps.now()),
      requiredClaims: ['iat', 'exp', 'jti'],
    })
    const { jti, exp, iat } = payload
    if (typeof jti !== 'string' || !JTI.test(jti)) throw unauthenticated('the token has no usable jti')
    if (exp === undefined || iat === undefined || exp - iat > LIFETIME_SECONDS_MAX) {
      throw unauthenticated('the token lives too long')
    }
    return { jti, exp }
  } catch (thrown) {
    if (thrown instanceof errors.JOSEError || thrown instanceof TypeError) {
      throw unauthenticated(
        thrown instanceof errors.JWTClaimValidationFailed
          ? `the token fails on ${thrown.claim}`
          : 'the token does not verify',
      )
    }
    throw thrown
  }
}

/** Token ids that have been seen and could still be valid. */
function createSpentTokens(now: () => number) {
  const until = new Map<string, number>()
  return {
    spend(jti: string, exp: number): boolean {
      if (until.has(jti)) return false
      if (until.size >= JTI_KEPT_MAX) {
        for (const [known, moment] of until) if (moment < now()) until.delete(known)
        // Full of tokens that are all still alive: refusing is safer than forgetting one.
        if (until.size >= JTI_KEPT_MAX) return false
      }
      until.set(jti, (exp + 2 * SKEW_SECONDS) * 1000)
      return true
    },
  }
}
