/** Discovery (tpp-api 1): the engine's document, with the addresses of the listeners that really serve. */
import type { TenantConfig } from '../config.ts'
import { SIGNING_ALGORITHM } from '../jose.ts'
import { profileMetadata } from './profile-metadata.ts'
import { TPP_OPERATIONS } from './tpp-operations.ts'

export const DISCOVERY_PATH = '/.well-known/openid-configuration'
export const DISCOVERY_MAX_AGE_SECONDS = 900

/** Members that describe features which are off, or hosts that are not ours. */
const DROPPED = [
  'end_session_endpoint',
  'claims_parameter_supported',
  'authorization_encryption_alg_values_supported',
  'authorization_encryption_enc_values_supported',
] as const

/** What the engine does not say of endpoints that the hub answers itself (RFC 8414 2, RFC 9701 7, OIDC Discovery 3). */
const SERVICES = {
  introspection_signing_alg_values_supported: [SIGNING_ALGORITHM],
  userinfo_signing_alg_values_supported: [SIGNING_ALGORITHM],
} as const

export function publish(document: Readonly<Record<string, unknown>>, tenant: TenantConfig): Record<string, unknown> {
  const as = tenant.listeners.as.origin
  const endpoints = Object.fromEntries(TPP_OPERATIONS.map(({ metadata, path }) => [metadata, `${as}${path}`]))
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
    ...profileMetadata(tenant),
    request_parameter_supported: true,
    request_uri_parameter_supported: true,
    require_request_uri_registration: true,
    claims_parameter_supported: false,
    ...SERVICES,
  }
}
