/**
 * Security profiles: `uae`, which every client follows unless the operator says otherwise, and plain FAPI 2.0 for the
 * clients that the tenant's configuration names. What a client must and may do is all here; the rooms only ask.
 */
import type { Fapi2Client, ProfileName, SignatureAlgorithm, TenantConfig } from './config.ts'

export type ClientProfile = {
  readonly profile: ProfileName
  readonly authentication: Fapi2Client['authentication']
  /** What its tokens are bound to (FAPI 2.0 SP 5.3.2.1-4); a token that is bound to anything else is not its. */
  readonly senderConstraint: Fapi2Client['senderConstraint']
  readonly signingAlgorithms: readonly SignatureAlgorithm[]
  readonly requestObject: Fapi2Client['requestObject']
  readonly jarm: boolean
  readonly transportCertificate: 'required' | 'optional'
}

export const UAE: ClientProfile = {
  profile: 'uae',
  authentication: 'private_key_jwt',
  senderConstraint: 'mtls',
  signingAlgorithms: ['PS256'],
  requestObject: 'signed',
  jarm: false,
  transportCertificate: 'required',
}

type Profiled = Pick<TenantConfig, 'profiles'>
export type ProfileOf = (clientId: string) => ClientProfile | null

/** Null: the client follows a profile that this tenant does not serve. */
export function profileOf({ profiles }: Profiled, clientId: string): ClientProfile | null {
  const clients = profiles?.clients ?? {}
  const named = Object.hasOwn(clients, clientId) ? clients[clientId] : undefined
  if (named !== undefined) return complete(named)
  return profiles === undefined || profiles.serves.includes('uae') ? UAE : null
}

function complete(client: Fapi2Client): ClientProfile {
  return { ...client, transportCertificate: client.transportCertificate ?? impliedCertificate(client) }
}

/** Who neither authenticates with its certificate nor has its tokens bound to it can do without. */
export const impliedCertificate = ({
  authentication,
  senderConstraint,
}: Pick<Fapi2Client, 'authentication' | 'senderConstraint'>): 'required' | 'optional' =>
  authentication === 'private_key_jwt' && senderConstraint === 'dpop' ? 'optional' : 'required'

/** Everything that some client of the tenant may do: as wide as the engine has to be, and what discovery promises. */
export type Capabilities = {
  readonly authentication: readonly ClientProfile['authentication'][]
  readonly signingAlgorithms: readonly SignatureAlgorithm[]
  readonly mtls: boolean
  readonly dpop: boolean
  readonly unsignedRequests: boolean
  readonly jarm: boolean
  /** Some client may come without a certificate. */
  readonly withoutCertificate: boolean
}

export function capabilitiesOf({ profiles }: Profiled): Capabilities {
  const named = Object.values(profiles?.clients ?? {}).map(complete)
  const all = profiles === undefined || profiles.serves.includes('uae') ? [UAE, ...named] : named
  return {
    authentication: unique(all.map((each) => each.authentication)),
    signingAlgorithms: unique(all.flatMap((each) => each.signingAlgorithms)),
    mtls: all.some((each) => each.senderConstraint === 'mtls'),
    dpop: all.some((each) => each.senderConstraint === 'dpop'),
    unsignedRequests: all.some((each) => each.requestObject === 'unsigned-allowed'),
    jarm: all.some((each) => each.jarm),
    withoutCertificate: all.some((each) => each.transportCertificate === 'optional'),
  }
}

const unique = <T>(values: readonly T[]): readonly T[] => [...new Set(values)]
