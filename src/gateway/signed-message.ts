/** Bodies that a TPP signs (tpp-api 5.1): checked, and only what they carry under `message` goes on. */
import { epochSeconds, type Instant } from '../clock.ts'
import { type ErrorCode, HubError } from '../errors.ts'
import { type JWK, type VerifyFault, verify } from '../jose.ts'

const SKEW_SECONDS = 10
const LIFETIME_MAX_SECONDS = 600

const FAULTS = {
  malformed: 'JWS.Malformed',
  header: 'JWS.InvalidHeader',
  'unknown-key': 'JWS.InvalidSignature',
  signature: 'JWS.InvalidSignature',
  payload: 'JWS.Malformed',
} as const satisfies Record<VerifyFault, ErrorCode>

export type Expected = {
  readonly sender: string
  readonly receiver: string
  readonly now: Instant
  readonly keyOf: (kid: string) => Promise<JWK | null> | JWK | null
}

/** @throws HubError JWS.* */
export async function openSignedMessage(jws: string, expected: Expected): Promise<unknown> {
  const verified = await verify(jws.trim(), expected.keyOf)
  if (!verified.ok)
    throw new HubError(FAULTS[verified.fault], {
      rule: 'message.form',
      reason: `The signed message is refused: ${verified.why}`,
    })
  checkClaims(verified.claims, expected)
  const { message } = verified.claims
  if (typeof message !== 'object' || message === null) throw invalidClaim('message', 'must be the body of the request')
  return message
}

function checkClaims(claims: Readonly<Record<string, unknown>>, { sender, receiver, now }: Expected): void {
  const { iss, aud, exp, nbf, iat } = claims
  if (iss !== sender) throw invalidClaim('iss', 'must be the client_id')
  if (aud !== undefined && aud !== receiver && !(Array.isArray(aud) && aud.includes(receiver))) {
    throw invalidClaim('aud', 'must name the issuer of this LFI')
  }
  const seconds = epochSeconds(now)
  if (typeof nbf !== 'number') throw invalidClaim('nbf', 'is required')
  if (typeof exp !== 'number') throw invalidClaim('exp', 'is required')
  if (nbf > seconds + SKEW_SECONDS) throw invalidClaim('nbf', 'is in the future')
  if (nbf < seconds - LIFETIME_MAX_SECONDS - SKEW_SECONDS) throw invalidClaim('nbf', 'is more than ten minutes ago')
  if (exp <= seconds - SKEW_SECONDS) throw invalidClaim('exp', 'has passed')
  if (iat !== undefined && (typeof iat !== 'number' || iat > seconds + SKEW_SECONDS)) {
    throw invalidClaim('iat', 'is no moment in the past')
  }
  if (exp > nbf + LIFETIME_MAX_SECONDS) throw invalidClaim('exp', 'must be within ten minutes of nbf')
}

const invalidClaim = (claim: string, must: string): HubError =>
  new HubError('JWS.InvalidClaim', { rule: 'message.claims', reason: `The claim ${claim} ${must}`, path: claim })
