/** Where to send the customer whose request_uri has run out or was used: back to the TPP that pushed it. */
import { decodeJwt } from 'jose'
import type { Provider } from 'oidc-provider'
import type { TenantConfig } from '../config.ts'

const URN = 'urn:ietf:params:oauth:request-uri:'

/**
 * null unless the query names a pushed request of this very client that is past use. The redirect_uri inside was
 * checked against the client's registration when it was pushed, and is checked again, because it may have gone since.
 */
export async function spentRequest(
  deps: { readonly provider: Provider; readonly tenant: TenantConfig },
  query: Readonly<Record<string, unknown>>,
): Promise<string | null> {
  const { request_uri: uri, client_id: clientId } = query
  if (typeof uri !== 'string' || typeof clientId !== 'string' || !uri.startsWith(URN)) return null
  const pushed = await deps.provider.PushedAuthorizationRequest.find(uri.slice(URN.length), { ignoreExpiration: true })
  if (pushed === undefined || pushed.isValid) return null
  const client = await deps.provider.Client.find(clientId)
  const claims = readable(pushed.request)
  const redirectUri = claims?.['redirect_uri']
  if (client === undefined || claims?.['client_id'] !== clientId || typeof redirectUri !== 'string') return null
  if (!client.redirectUriAllowed(redirectUri)) return null
  const location = new URL(redirectUri)
  location.searchParams.set('error', 'invalid_request')
  location.searchParams.set('error_description', 'the authorization request has expired or was already used')
  if (typeof claims['state'] === 'string') location.searchParams.set('state', claims['state'])
  location.searchParams.set('iss', deps.tenant.listeners.auth.origin)
  return location.href
}

/** An encrypted request object says nothing here; its customer sees the error page. */
function readable(request: string): Readonly<Record<string, unknown>> | null {
  return request.split('.').length === 3 ? decodeJwt(request) : null
}
