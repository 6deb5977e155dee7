/**
 * Addresses of the LFI, each a line of the tenant's configuration. These three and no others can be set while hubs run:
 * consent actions, events and health are operations of Ozone Connect, below its address.
 */
import type { Instant } from '../clock.ts'
import { type TenantConfig, tenantSchema } from '../config.ts'

export const ENDPOINT_NAMES = ['ozone-connect', 'authorization', 'token'] as const
export type EndpointName = (typeof ENDPOINT_NAMES)[number]

export type Endpoint = {
  readonly name: EndpointName
  /** Its line in the tenant's file. */
  readonly key: string
  /** In force. */
  readonly url: string
  /** `stored`: it was set while hubs ran, and wins over the file. */
  readonly from: 'file' | 'stored'
  readonly inFile: string
  /** How often it was changed; 0: never. */
  readonly version: number
  readonly setAt: Instant | null
}

const LINES: Readonly<Record<EndpointName, string>> = {
  'ozone-connect': 'lfi.ozoneConnectUrl',
  authorization: 'authorizationEndpoint',
  token: 'lfi.authentication.tokenUrl',
}

export const toEndpointName = (text: string): EndpointName | null =>
  ENDPOINT_NAMES.find((each) => each === text) ?? null

/** As the configuration has it. */
const HTTPS = new RegExp(tenantSchema.$defs.httpsUrl.pattern)
/** An entry of the audit log holds it whole, with what was there before. */
const URL_LENGTH_MAX = 200

/** What is wrong with an address before anybody connects to it; null: nothing. */
export function faultOfUrl(url: string): string | null {
  if (!HTTPS.test(url) || URL.parse(url)?.protocol !== 'https:') {
    return 'an address of the LFI is an https URL without a user, a query, a fragment or a slash at its end'
  }
  return url.length > URL_LENGTH_MAX ? `an address of the LFI has ${URL_LENGTH_MAX} characters at most` : null
}

/** As the file has them. A token endpoint is there only where the hub asks the LFI for tokens. */
export function endpointsIn(tenant: TenantConfig): readonly Endpoint[] {
  const { authentication, ozoneConnectUrl } = tenant.lfi
  const urls: Readonly<Record<EndpointName, string | null>> = {
    'ozone-connect': ozoneConnectUrl,
    authorization: tenant.authorizationEndpoint,
    token: authentication.type === 'client-credentials' ? authentication.tokenUrl : null,
  }
  return ENDPOINT_NAMES.flatMap((name) => {
    const url = urls[name]
    if (url === null) return []
    return [{ name, key: LINES[name], url, from: 'file', inFile: url, version: 0, setAt: null }] as const
  })
}

/** The tenant with the addresses that are in force, for whoever calls them. */
export function withEndpoints(tenant: TenantConfig, inForce: readonly Endpoint[]): TenantConfig {
  const urlOf = (name: EndpointName): string | undefined => inForce.find((each) => each.name === name)?.url
  const { authentication, ozoneConnectUrl } = tenant.lfi
  return {
    ...tenant,
    authorizationEndpoint: urlOf('authorization') ?? tenant.authorizationEndpoint,
    lfi: {
      ...tenant.lfi,
      ozoneConnectUrl: urlOf('ozone-connect') ?? ozoneConnectUrl,
      authentication:
        authentication.type === 'client-credentials'
          ? { ...authentication, tokenUrl: urlOf('token') ?? authentication.tokenUrl }
          : authentication,
    },
  }
}
