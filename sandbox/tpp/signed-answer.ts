/** An answer signed by the hub (tpp-api 5.1): who said it, to whom, and that nobody changed it on the way. */
import { createRemoteJWKSet, customFetch, decodeProtectedHeader, jwtVerify } from 'jose'
import { untrusted } from './errors.ts'
import { CLOCK_TOLERANCE_SECONDS } from './profile.ts'
import type { Transport } from './transport.ts'

export type SignedAnswer = { readonly message: unknown; readonly kid: string }
export type AnswerVerifier = (jws: string) => Promise<SignedAnswer>

const LIFETIME_SECONDS_MAX = 600

export function createAnswerVerifier(
  server: { readonly issuer: string; readonly jwksUri: string },
  clientId: string,
  transport: Transport,
): AnswerVerifier {
  const keys = createRemoteJWKSet(new URL(server.jwksUri), {
    cooldownDuration: 30_000,
    cacheMaxAge: 15 * 60 * 1000,
    [customFetch]: (url: string, options: { readonly signal?: AbortSignal | undefined }) =>
      transport.fetch(url, { headers: { accept: 'application/json' }, signal: options.signal }),
  })
  return async (jws) => {
    try {
      const { payload } = await jwtVerify(jws, keys, {
        algorithms: ['PS256'],
        issuer: server.issuer,
        audience: clientId,
        requiredClaims: ['iss', 'aud', 'exp', 'nbf', 'message'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      })
      const { exp, nbf } = payload
      if (exp === undefined || nbf === undefined || exp - nbf > LIFETIME_SECONDS_MAX) {
        throw new Error('it lives longer than ten minutes')
      }
      return { message: payload['message'], kid: decodeProtectedHeader(jws).kid ?? '' }
    } catch (error) {
      throw untrusted(`the signed answer cannot be believed: ${error instanceof Error ? error.message : ''}`, error)
    }
  }
}
