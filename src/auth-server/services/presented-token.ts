/** Access tokens as an endpoint of the authorization server takes them, and what it says to others (RFC 6750, RFC 9449). */
import type { IncomingMessage } from 'node:http'
import type { Dpop, DpopError } from '../../dpop.ts'
import { DPOP_ALGORITHMS } from '../../dpop-proof.ts'
import type { HubContext } from '../../listener.ts'
import { answerOAuthError, printable } from '../oauth-answer.ts'

export type PresentedToken = {
  readonly scheme: 'bearer' | 'dpop'
  readonly token: string
  /** The DPoP header; undefined when there is none. */
  readonly proof: string | undefined
}

/** RFC 6750 3.1, RFC 9449 7.1. */
export type TokenError = 'invalid_request' | 'invalid_token' | 'insufficient_scope' | DpopError

const STATUS = {
  invalid_request: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  invalid_dpop_proof: 401,
  use_dpop_nonce: 401,
} as const satisfies Record<TokenError, number>

export class TokenFault extends Error {
  /** Null where the request says nothing of who is asking, so nothing is said of what was wrong. */
  readonly error: TokenError | null

  constructor(error: TokenError | null, reason: string) {
    super(reason)
    this.name = 'TokenFault'
    this.error = error
  }
}

const CREDENTIALS = /^(bearer|dpop) +([A-Za-z0-9._~+/-]+=*)$/i

/** FAPI 2.0 SP 5.3.4: in the Authorization header and nowhere else. @throws TokenFault */
export function presentedToken(request: IncomingMessage): PresentedToken {
  const [header, second] = request.headersDistinct['authorization'] ?? []
  const query = request.url?.split('?', 2)[1]
  if (new URLSearchParams(query).has('access_token') || second !== undefined) {
    throw new TokenFault('invalid_request', 'send one access token, in the Authorization header')
  }
  if (header === undefined || !/^(bearer|dpop)\b/i.test(header)) {
    throw new TokenFault(null, 'send an access token in the Authorization header')
  }
  const [, scheme = '', token] = CREDENTIALS.exec(header) ?? []
  if (token === undefined) {
    throw new TokenFault('invalid_request', 'the Authorization header must be the scheme and the access token')
  }
  const { dpop } = request.headers
  return {
    scheme: scheme.toLowerCase() === 'dpop' ? 'dpop' : 'bearer',
    token,
    proof: typeof dpop === 'string' ? dpop : undefined,
  }
}

/** RFC 9449 8.2: with every answer to who uses DPoP; null for everybody else. */
export const nonceFor = ({ headers }: IncomingMessage, dpop: Dpop | null): string | null =>
  dpop !== null && /^dpop /i.test(headers.authorization ?? '') ? dpop.nonce() : null

export function answerTokenFault(ctx: HubContext, { error, message }: TokenFault, nonce: string | null): void {
  const told = error === null ? [] : [`error="${error}"`, `error_description="${printable(message)}"`]
  const scope = error === 'insufficient_scope' ? ['scope="openid"'] : []
  const algorithms = nonce === null ? [] : [`algs="${DPOP_ALGORITHMS.join(' ')}"`]
  const parameters = [...told, ...scope, ...algorithms].join(', ')
  ctx.set('www-authenticate', `${nonce === null ? 'Bearer' : 'DPoP'} ${parameters}`.trim())
  if (nonce !== null) ctx.set('dpop-nonce', nonce)
  answerOAuthError(ctx, error === null ? 401 : STATUS[error], error ?? 'invalid_token', message)
}
