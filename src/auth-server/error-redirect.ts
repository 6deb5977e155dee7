/** Sending the customer's browser back to the TPP with an error (RFC 6749 4.1.2.1, RFC 9207). */
import type { Provider } from 'oidc-provider'
import type { TenantConfig } from '../config.ts'
import { toHubError } from '../errors.ts'
import type { HubContext } from '../listener.ts'
import { asksForJarm, errorIn, responseIn, signResponse } from './jarm.ts'
import { authorizationCode, printable } from './oauth-answer.ts'

export type RedirectDeps = { readonly provider: Provider; readonly tenant: TenantConfig }
export type ErrorRedirect = {
  /** Checked against the client's registration by whoever calls this. */
  readonly redirectUri: string
  readonly issuer: string
  readonly error: string
  readonly description: string
  readonly state: unknown
}

/** For whom, and how it asked to be answered. */
export type Recipient = { readonly clientId: string; readonly responseMode: unknown }

export const errorLocation = (redirect: ErrorRedirect): string => locationOf(redirect, parametersOf(redirect))

/** The same, signed where the TPP asked for that. */
export async function errorLocationFor(
  provider: Provider,
  { clientId, responseMode }: Recipient,
  redirect: ErrorRedirect,
): Promise<string> {
  if (!asksForJarm(responseMode)) return errorLocation(redirect)
  return locationOf(redirect, { response: await signResponse(provider, clientId, parametersOf(redirect)) })
}

const parametersOf = ({ error, description, state, issuer }: ErrorRedirect): Readonly<Record<string, string>> => ({
  error,
  error_description: printable(description),
  ...(typeof state === 'string' ? { state } : {}),
  iss: issuer,
})

function locationOf({ redirectUri }: ErrorRedirect, parameters: Readonly<Record<string, string>>): string {
  const location = new URL(redirectUri)
  for (const [name, value] of Object.entries(parameters)) location.searchParams.set(name, value)
  return location.href
}

/** 303 and nothing else: the LFI passes the address on without looking at it. */
export function redirectTo(ctx: HubContext, location: string): void {
  // With a JSON type left over, Koa would write an empty body as `null`.
  ctx.remove('content-type')
  ctx.body = null
  ctx.status = 303
  ctx.set('location', location)
}

/** Back to the TPP of a journey, whose parameters the engine has checked. */
export async function returnFault(
  ctx: HubContext,
  { provider, tenant }: RedirectDeps,
  params: Readonly<Record<string, unknown>>,
  thrown: unknown,
): Promise<void> {
  const fault = toHubError(thrown)
  const isOurs = fault.status >= 500
  if (isOurs) ctx.state.log.error({ err: fault.options.cause ?? fault }, 'headless authorization failed')
  const recipient = { clientId: String(params['client_id']), responseMode: params['response_mode'] }
  const location = await errorLocationFor(provider, recipient, {
    redirectUri: String(params['redirect_uri']),
    issuer: tenant.listeners.auth.origin,
    error: isOurs ? 'server_error' : 'invalid_request',
    description: fault.reason,
    state: params['state'],
  })
  redirectTo(ctx, location)
}

/** An answer of the engine, with its error in the words of the contract. */
export async function withPublishedError(provider: Provider, location: string): Promise<string> {
  const url = new URL(location)
  const signed = responseIn(location)
  const error = errorIn(location)
  if (error === null) return url.href
  const told = { error: authorizationCode(error) }
  if (signed === null) {
    const description = url.searchParams.get('error_description')
    url.searchParams.set('error', told.error)
    if (description !== null) url.searchParams.set('error_description', printable(description))
  } else if (told.error !== error) {
    const { aud, exp: _, ...parameters } = signed as Readonly<Record<string, string>>
    url.searchParams.set('response', await signResponse(provider, String(aud), { ...parameters, ...told }))
  }
  return url.href
}
