/** How the hub proves itself to the LFI beyond its certificate (lfi-api 4.2, 4.3). */
import { X509Certificate } from 'node:crypto'
import { type Clock, epochSeconds } from '../clock.ts'
import type { LfiAuthentication, TenantConfig } from '../config.ts'
import { never } from '../ids.ts'
import { loadKey, sign } from '../jose.ts'
import type { LfiAuthorization } from './authorization.ts'
import { createClientCredentials } from './client-credentials.ts'

export function createLfiAuthorization(lfi: TenantConfig['lfi'], clock: Clock): LfiAuthorization {
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
      return createClientCredentials(authentication, lfi, clock)
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
  const { organisation, organisationId } = subjectOf(certificate)
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

/** From the parsed subject, never from its printed form: names may hold commas. */
function subjectOf(pem: string): { readonly organisation: string; readonly organisationId: string } {
  const subject = new X509Certificate(pem).toLegacyObject().subject as unknown as Record<string, unknown>
  const { O: organisation, OU: organisationId } = subject
  if (typeof organisation !== 'string' || typeof organisationId !== 'string') {
    throw new Error("the client certificate towards the LFI must name O and OU: they are JWT Auth's iss and sub")
  }
  return { organisation, organisationId }
}
