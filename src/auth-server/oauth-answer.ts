/** Errors of the OAuth endpoints: RFC 6749 5.2 in the words of the contract, with a reason its own TPP can act on. */
import type { errors } from 'oidc-provider'
import type { HubContext } from '../listener.ts'

export type OAuthError = { readonly error: string; readonly error_description?: string }

/** The engine's finer codes, in the closed list of the published documents (tpp-api 2.10). */
const PUBLISHED_CODE: ReadonlyMap<string, string> = new Map([
  ['invalid_request_object', 'invalid_request'],
  ['invalid_authorization_details', 'invalid_request'],
  ['invalid_request_uri', 'invalid_request'],
  ['invalid_redirect_uri', 'invalid_request'],
  ['invalid_target', 'invalid_request'],
  ['unsupported_response_type', 'invalid_request'],
])

export const publishedCode = (code: string): string => PUBLISHED_CODE.get(code) ?? code

export function answerOAuthError(ctx: HubContext, status: number, error: string, description: string): void {
  ctx.status = status
  ctx.set('cache-control', 'no-store')
  ctx.type = 'application/json'
  ctx.body = { error, error_description: description.slice(0, 500) } satisfies OAuthError
}

export function oauthErrorOf(ctx: HubContext): string | null {
  const body = ctx.body as { readonly error?: unknown } | undefined
  return ctx.status >= 400 && typeof body?.error === 'string' ? body.error : null
}

/**
 * The engine keeps the reason of a refused authentication or grant to itself. Over the client's own certificate
 * nobody else can read it, so there it is told.
 */
export function explain(ctx: HubContext, thrown: errors.OIDCProviderError | undefined, ownCertificate: boolean): void {
  const body = ctx.body as OAuthError
  const detail = ownCertificate && thrown?.error_detail !== undefined ? `: ${thrown.error_detail}` : ''
  answerOAuthError(
    ctx,
    ctx.status,
    publishedCode(body.error),
    `${body.error_description ?? 'the request was refused'}${detail}`,
  )
}
