/** How the hub proves itself to the LFI beyond its certificate (lfi-api 4.2, 4.3). */
import { X509Certificate } from 'node:crypto'
import { type Clock, epochSeconds } from '../clock.ts'
import type { LfiAuthentication, TenantConfig } from '../config.ts'
import type { FetchGuard } from '../fetch-guard.ts'
import { never } from '../ids.ts'
import { loadKey, sign } from '../jose.ts'
import { describeCertificate } from '../tls.ts'
import type { LfiAuthorization } from './authorization.ts'
import { createClientCredentials } from './client-credentials.ts'

/** `guard`: of the connection to the LFI's authorization server, where there is one. */
export function createLfiAuthorization(
  lfi: TenantConfig['lfi'],
  { clock, guard }: { readonly clock: Clock; readonly guard: FetchGuard | null },
): LfiAuthorization {
  const { authentication } = lfi
  const fixed = (value: () => Promise<string> | string | null): LfiAuthorization => ({
    value,
    refused: () => false,
    close: async () => {},
  })
  switch (authentication.type) {
    case 'none':
      return fixed(() => null)
    case 'api-key':
      return fixed(() => authentication.key.reveal())
    case 'jwt':
      return fixed(createJwtAuth(authentication, lfi.certificate, clock))
    case 'client-credentials':
      return createClientCredentials(authentication, lfi, { clock, guard })
    default:
      return never(authentication)
  }
}

/** One token per call: an LFI refuses a `jti` that it has seen, so a token cannot be kept. */
function createJwtAuth(
  authentication: Extract<LfiAuthentication, { type: 'jwt' }>,
  certificate: string,
  clock: Clock,
): () => Promise<string> {
  const key = loadKey(authentication)
  const { organisation, organisationId } = describeCertificate(new X509Certificate(certificate), false)
  // Such a configuration is refused (config/rules.ts).
  if (organisation === null || organisationId === null) throw new Error('the certificate names no O and OU')
  return async () => {
    const iat = epochSeconds(clock.now())
    const claims = {
      iss: organisation,
      sub: organisationId,
      aud: authentication.audience,
      iat,
      exp: iat + authentication.lifetimeSeconds,
      jti: crypto.randomUUID(),
    }
    return `Bearer ${await sign(key, claims, { typ: 'JOSE', cty: 'json' })}`
  }
}
