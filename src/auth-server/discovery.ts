/** Discovery (tpp-api 1): the engine's document, with the addresses of the listeners that really serve. */
import type { TenantConfig } from '../config.ts'

export const DISCOVERY_PATH = '/.well-known/openid-configuration'
export const DISCOVERY_MAX_AGE_SECONDS = 900

/** Members that describe features which are off, or hosts that are not ours. */
const DROPPED = [
  'end_session_endpoint',
  'userinfo_endpoint',
  'claims_parameter_supported',
  'dpop_signing_alg_values_supported',
] as const

export function publish(document: Readonly<Record<string, unknown>>, tenant: TenantConfig): Record<string, unknown> {
  const as = tenant.listeners.as.origin
  const endpoints = { token_endpoint: `${as}/token`, pushed_authorization_request_endpoint: `${as}/par` }
  const kept = Object.fromEntries(
    Object.entries(document).filter(([name]) => !(DROPPED as readonly string[]).includes(name)),
  )
  return {
    ...kept,
    issuer: tenant.listeners.auth.origin,
    authorization_endpoint: tenant.authorizationEndpoint,
    ...endpoints,
    mtls_endpoint_aliases: endpoints,
    jwks_uri: tenant.jwksUrl,
    registration_endpoint: `${tenant.listeners.rs.origin}/tpp-registration`,
    tls_client_certificate_bound_access_tokens: true,
    response_modes_supported: ['query'],
    request_parameter_supported: true,
    request_uri_parameter_supported: true,
    require_request_uri_registration: true,
    claims_parameter_supported: false,
  }
}
