/**
 * What the hub knows of a request_uri that begins no journey. The engine says «invalid» of all of them; the contract
 * tells apart whose it is and whether the customer may be sent back (lfi-api 1.3.2).
 */
import { decodeJwt } from 'jose'
import type { Provider } from 'oidc-provider'
import type { TenantConfig } from '../config.ts'
import { errorLocationFor } from './error-redirect.ts'

/** A request_uri is this and the id of the pushed request. */
export const REQUEST_URN = 'urn:ietf:params:oauth:request_uri:'

export type PushedFate =
  /** Never pushed, or long gone. */
  | { readonly kind: 'unknown' }
  /** Pushed by another client than the one that the query names. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'usable' }
  /** Expired or used: back to the TPP that pushed it. */
  | { readonly kind: 'spent'; readonly location: string }

export async function fateOf(
  deps: { readonly provider: Provider; readonly tenant: TenantConfig },
  query: Readonly<Record<string, unknown>>,
): Promise<PushedFate> {
  const { request_uri: uri, client_id: clientId } = query
  if (typeof uri !== 'string' || !uri.startsWith(REQUEST_URN)) return { kind: 'unknown' }
  if (typeof clientId !== 'string' || clientId === '') return { kind: 'unknown' }
  const pushed = await deps.provider.PushedAuthorizationRequest.find(uri.slice(REQUEST_URN.length), {
    ignoreExpiration: true,
  })
  if (pushed === undefined) return { kind: 'unknown' }
  const { client_id: pusher, redirect_uri: redirectUri, response_mode: responseMode, state } = decodeJwt(pushed.request)
  if (pusher !== clientId) return { kind: 'foreign' }
  if (pushed.isValid) return { kind: 'usable' }
  const client = await deps.provider.Client.find(clientId)
  // Registered when it was pushed; checked again, because it may have gone since.
  if (typeof redirectUri !== 'string' || client?.redirectUriAllowed(redirectUri) !== true) return { kind: 'unknown' }
  return {
    kind: 'spent',
    location: await errorLocationFor(
      deps.provider,
      { clientId, responseMode },
      {
        redirectUri,
        issuer: deps.tenant.listeners.auth.origin,
        error: 'invalid_request',
        description: 'the authorization request has expired or was already used',
        state,
      },
    ),
  }
}
