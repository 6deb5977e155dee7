/** Errors of the OAuth endpoints: RFC 6749 5.2 in the words of the contract, with a reason its own TPP can act on. */
import type { errors } from 'oidc-provider'
import type { HubContext } from '../listener.ts'

export type OAuthError = { readonly error: string; readonly error_description?: string }

/** The closed list of the published documents (tpp-api 2.10); `server_error` goes with 500, which they leave open. */
export const PUBLISHED_CODES: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'server_error',
])

/** RFC 9449 5 and 8. Only who uses DPoP gets to see them, and it must be able to tell them from the others. */
const DPOP_CODES: ReadonlySet<string> = new Set(['invalid_dpop_proof', 'use_dpop_nonce'])

/** Codes that an authorization response may carry (RFC 6749 4.1.2.1, OIDC Core 3.1.2.6). */
export const AUTHORIZATION_CODES: ReadonlySet<string> = new Set([
  'access_denied',
  'invalid_request',
  'invalid_scope',
  'unauthorized_client',
  'unsupported_response_type',
  'server_error',
  'temporarily_unavailable',
  'login_required',
  'interaction_required',
  'account_selection_required',
  'consent_required',
])

/** The engine's finer codes are invalid requests in the words of the contract. */
export const publishedCode = (code: string): string => (PUBLISHED_CODES.has(code) ? code : 'invalid_request')
export const authorizationCode = (code: string): string => (AUTHORIZATION_CODES.has(code) ? code : 'invalid_request')

/** RFC 6749 4.1.2.1 and 5.2 allow these characters in error_description. */
export const printable = (text: string): string => text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "'").slice(0, 500)

export function answerOAuthError(ctx: HubContext, status: number, error: string, description: string): void {
  ctx.status = status
  ctx.set('cache-control', 'no-store')
  ctx.type = 'application/json'
  ctx.body = { error, error_description: printable(description) } satisfies OAuthError
}

export function oauthErrorOf(ctx: HubContext): string | null {
  const body = ctx.body as { readonly error?: unknown } | undefined
  return ctx.status >= 400 && typeof body?.error === 'string' ? body.error : null
}

/** The reason as it was told, for the audit entry: words of the hub and of the engine. */
export function oauthReasonOf(ctx: HubContext): string | null {
  const body = ctx.body as { readonly error_description?: unknown } | undefined
  return ctx.status >= 400 && typeof body?.error_description === 'string' ? body.error_description : null
}

/** Never there, and somebody else's: to who is not its owner a code or token is the same in both. */
const NOT_THEIRS: ReadonlySet<string> = new Set([
  'client mismatch',
  'authorization code not found',
  'refresh token not found',
])
const toldOf = (detail: string): string => (NOT_THEIRS.has(detail) ? 'no such code or token of this client' : detail)

/**
 * The engine keeps the reason of a refused authentication or grant to itself. Over the client's own certificate
 * nobody else can read it, so there it is told.
 */
export function explain(ctx: HubContext, thrown: errors.OIDCProviderError | undefined, ownCertificate: boolean): void {
  const body = ctx.body as OAuthError
  const detail = ownCertificate && thrown?.error_detail !== undefined ? `: ${toldOf(thrown.error_detail)}` : ''
  answerOAuthError(
    ctx,
    ctx.status,
    DPOP_CODES.has(body.error) ? body.error : publishedCode(body.error),
    `${body.error_description ?? body.error.replaceAll('_', ' ')}${detail}`,
  )
}
