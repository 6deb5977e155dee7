/** What the discovery document says of the profiles that a tenant serves: what some client of it may do, no more. */
import type { TenantConfig } from '../config.ts'
import { DPOP_ALGORITHMS } from '../dpop-proof.ts'
import { capabilitiesOf } from '../profiles.ts'

export function profileMetadata(tenant: Pick<TenantConfig, 'profiles'>): Readonly<Record<string, unknown>> {
  const { authentication, signingAlgorithms, mtls, dpop, jarm } = capabilitiesOf(tenant)
  return {
    token_endpoint_auth_methods_supported: authentication,
    // RFC 8414 2: there is one where assertions are, and only then.
    ...(authentication.includes('private_key_jwt')
      ? { token_endpoint_auth_signing_alg_values_supported: signingAlgorithms }
      : {}),
    request_object_signing_alg_values_supported: signingAlgorithms,
    response_modes_supported: jarm ? ['query', 'query.jwt', 'jwt'] : ['query'],
    tls_client_certificate_bound_access_tokens: mtls,
    ...(dpop ? { dpop_signing_alg_values_supported: DPOP_ALGORITHMS } : {}),
  }
}
