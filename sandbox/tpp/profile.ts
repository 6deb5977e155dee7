/** The authorization server as its discovery document describes it, held against what the profile promises. */
import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { importPKCS8 } from 'jose'
import * as oidc from 'openid-client'
import type { Lfi } from './directory.ts'
import { LfiFault, untrusted } from './errors.ts'
import type { TppApplication, TppClientSettings } from './settings.ts'
import type { Transport } from './transport.ts'

/** Seconds of disagreement between clocks that are forgiven. */
export const CLOCK_TOLERANCE_SECONDS = 10
/** tpp-api 2.2 and 2.3: at most five minutes from issue to end. */
const ASSERTION_SECONDS = 120
export const REQUEST_OBJECT_SECONDS = 240

export type SigningKey = { readonly key: oidc.CryptoKey; readonly kid: string }

export async function loadSigningKey(application: TppApplication): Promise<SigningKey> {
  const pem = createPrivateKey(readFileSync(application.signing.keyFile)).export({ type: 'pkcs8', format: 'pem' })
  return { key: await importPKCS8(pem.toString(), 'PS256'), kid: application.signing.kid }
}

export type Server = {
  readonly config: oidc.Configuration
  readonly issuer: string
  readonly jwksUri: string
  readonly authorizationEndpoint: string
  readonly registrationEndpoint: string
}

export async function discover(
  lfi: Lfi,
  deps: { readonly settings: TppClientSettings; readonly transport: Transport; readonly signing: SigningKey },
): Promise<Server> {
  const { application } = deps.settings
  const config = await oidc
    .discovery(
      new URL(lfi.discoveryUrl),
      application.clientId,
      {
        use_mtls_endpoint_aliases: true,
        tls_client_certificate_bound_access_tokens: true,
        id_token_signed_response_alg: 'PS256',
        [oidc.clockTolerance]: CLOCK_TOLERANCE_SECONDS,
      },
      clientAuthentication(deps.signing, lfi.issuer),
      { [oidc.customFetch]: adapt(deps.transport), timeout: deps.settings.timeoutSeconds ?? 30 },
    )
    .catch((error: unknown) => {
      throw asDiscoveryFault(error)
    })
  // Without this the library trusts the TLS channel alone for the id_token.
  oidc.enableNonRepudiationChecks(config)
  return checkProfile(config.serverMetadata(), config, lfi)
}

/** tpp-api 2.2: `aud` is the issuer, as one string. */
function clientAuthentication(signing: SigningKey, issuer: string): oidc.ClientAuth {
  return oidc.PrivateKeyJwt(signing, {
    [oidc.modifyAssertion]: (_header, claims) => {
      claims['aud'] = issuer
      const now = Math.floor(Date.now() / 1000)
      claims['iat'] = now
      claims['nbf'] = now
      claims['exp'] = now + ASSERTION_SECONDS
    },
  })
}

/** A document that promises less than the profile could make this client skip a check: refuse it whole. */
function checkProfile(metadata: oidc.ServerMetadata, config: oidc.Configuration, lfi: Lfi): Server {
  if (metadata.issuer !== lfi.issuer) throw untrusted('discovery names another issuer than the trust framework does')
  const promises: readonly (readonly [string, boolean])[] = [
    ['iss in the callback', metadata.authorization_response_iss_parameter_supported === true],
    ['pushed requests', typeof metadata.pushed_authorization_request_endpoint === 'string'],
    ['private_key_jwt', offers(metadata.token_endpoint_auth_methods_supported, 'private_key_jwt')],
    ['PS256 request objects', offers(metadata.request_object_signing_alg_values_supported, 'PS256')],
    ['PS256 id tokens', offers(metadata.id_token_signing_alg_values_supported, 'PS256')],
    ['PKCE with S256', offers(metadata.code_challenge_methods_supported, 'S256')],
    ['certificate-bound tokens', metadata.tls_client_certificate_bound_access_tokens === true],
  ]
  const missing = promises.filter(([, kept]) => !kept).map(([name]) => name)
  if (missing.length > 0) throw untrusted(`discovery does not promise: ${missing.join(', ')}`)
  return {
    config,
    issuer: metadata.issuer,
    jwksUri: endpoint(metadata.jwks_uri, 'jwks_uri'),
    authorizationEndpoint: endpoint(metadata.authorization_endpoint, 'authorization_endpoint'),
    registrationEndpoint: endpoint(metadata.registration_endpoint, 'registration_endpoint'),
  }
}

const offers = (values: readonly string[] | undefined, value: string): boolean => values?.includes(value) === true

function endpoint(value: unknown, name: string): string {
  if (typeof value === 'string' && URL.canParse(value) && new URL(value).protocol === 'https:') return value
  throw untrusted(`discovery has no usable ${name}`)
}

/** The published PAR document says 200 where RFC 9126 and most servers say 201; the library knows only the latter. */
function adapt(transport: Transport): oidc.CustomFetch {
  return async (url, options) => {
    const body = options.body
    if (body !== null && body !== undefined && typeof body !== 'string' && !(body instanceof URLSearchParams)) {
      throw new TypeError('this transport sends text and forms only')
    }
    const response = await transport.fetch(url, {
      method: options.method,
      headers: options.headers,
      body: body ?? undefined,
      signal: options.signal,
    })
    const pushed = body instanceof URLSearchParams && body.has('request')
    if (!pushed || response.status !== 200) return response
    return new Response(response.body, { status: 201, headers: response.headers })
  }
}

function asDiscoveryFault(error: unknown): LfiFault {
  const known = findFault(error)
  return known ?? untrusted('the discovery document could not be read', error)
}

/** The library wraps what its transport throws. */
export function findFault(error: unknown): LfiFault | null {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof LfiFault) return at
  return null
}
