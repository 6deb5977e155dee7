/** Participants as the engine wants them. Keys are inline: the engine never fetches anything. */
import { decodeProtectedHeader } from 'jose'
import { type AdapterPayload, Provider } from 'oidc-provider'
import { peerCertificate } from '../caller.ts'
import type { SignatureAlgorithm } from '../config.ts'
import { type ClientId, toClientId } from '../ids.ts'
import type { JWK } from '../jose.ts'
import type { Client, Participants } from '../participants/index.ts'
import { type ClientProfile, type ProfileOf, UAE } from '../profiles.ts'
import { assertListed, senderMetadata } from './sender-rule.ts'
import { isServed, SERVED_SCOPES } from './served.ts'

/** Without a profile it is `uae` that the client follows. */
export function toMetadata(client: Client, profile: ClientProfile = UAE): AdapterPayload {
  const algorithms = new Set<string>(profile.signingAlgorithms)
  // With one algorithm the engine names the fault; with several, the client has keys for these only.
  const [only, another] = profile.signingAlgorithms
  const signed = another === undefined
  return {
    client_id: client.clientId,
    client_name: client.clientName,
    redirect_uris: [...client.redirectUris],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    token_endpoint_auth_method: profile.authentication,
    ...(signed && profile.authentication === 'private_key_jwt' ? { token_endpoint_auth_signing_alg: only } : {}),
    ...(signed ? { request_object_signing_alg: only } : {}),
    require_signed_request_object: profile.requestObject === 'signed',
    id_token_signed_response_alg: 'PS256',
    ...(profile.jarm ? { response_modes: ['query', 'query.jwt', 'jwt'] } : {}),
    authorization_details_types: client.rarTypes.filter(isServed),
    scope: client.scopes.filter((scope) => SERVED_SCOPES.includes(scope)).join(' '),
    ...senderMetadata(client, profile),
    jwks: {
      keys: client.jwks.keys
        .filter((key) => key.use !== 'enc')
        .flatMap((key) => publicMembers(key) ?? [])
        .filter(({ alg }) => algorithms.has(alg ?? '')),
    },
  }
}

/** Public members of a key, and the one algorithm that goes with its kind; null: no kind that is accepted. */
function publicMembers(key: JWK): JWK | null {
  const kind = KINDS.find(({ kty, crv }) => key.kty === kty && (crv === null || key.crv === crv))
  if (kind === undefined) return null
  const members = ['kid', ...kind.members] as const
  return {
    kty: kind.kty,
    ...Object.fromEntries(members.flatMap((name) => (key[name] === undefined ? [] : [[name, key[name]]]))),
    use: 'sig',
    alg: kind.alg,
  }
}

type Kind = {
  readonly kty: 'RSA' | 'EC' | 'OKP'
  readonly crv: string | null
  readonly alg: SignatureAlgorithm
  readonly members: readonly ('n' | 'e' | 'crv' | 'x' | 'y')[]
}
/** FAPI 2.0 SP 5.4.1. */
const KINDS: readonly Kind[] = [
  { kty: 'RSA', crv: null, alg: 'PS256', members: ['n', 'e'] },
  { kty: 'EC', crv: 'P-256', alg: 'ES256', members: ['crv', 'x', 'y'] },
  { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', members: ['crv', 'x'] },
]

/**
 * Only an active client exists for the engine; why another does not is told by `clientFault`. A key id that is not
 * among the known ones may be of a new key: the directory is asked, at most once in a while (tpp-api 9.4).
 */
export function findClient(
  participants: Participants,
  announced: (clientId: ClientId) => readonly string[],
  profileFor: ProfileOf = () => UAE,
) {
  return async (id: string): Promise<AdapterPayload | undefined> => {
    const clientId = toClientId(id)
    const profile = profileFor(id)
    const known = clientId === null ? null : await participants.client(clientId)
    if (clientId === null || profile === null || known?.status !== 'active') return undefined
    const isKnown = (kid: string): boolean => known.jwks.keys.some((key) => key.kid === kid)
    const client = announced(clientId).every(isKnown) ? known : await participants.refresh(clientId)
    if (client?.status !== 'active') return undefined
    await assertListed(participants, client, profile)
    return toMetadata(client, profile)
  }
}

/**
 * Key ids in the JWTs of the request that the engine is at work on; none unless it came over the client's own
 * certificate, or anybody could keep the directory busy in the client's name.
 */
export function announcedKids(clientId: ClientId): readonly string[] {
  const { ctx } = Provider
  const peer = ctx === undefined ? null : peerCertificate(ctx.req)
  if (peer === null || !peer.trusted || peer.commonName !== clientId) return []
  const { client_assertion: assertion, request } = (ctx?.oidc.body ?? {}) as Readonly<Record<string, unknown>>
  return [assertion, request].flatMap((jwt) => kidOf(jwt) ?? [])
}

function kidOf(jwt: unknown): string | null {
  if (typeof jwt !== 'string' || jwt.split('.').length !== 3) return null
  try {
    return decodeProtectedHeader(jwt).kid ?? null
  } catch {
    return null
  }
}

/** What its own TPP may be told when the engine does not know a client; null when the client is fine. */
export async function clientFault(participants: Participants, id: string): Promise<string | null> {
  const clientId = toClientId(id)
  const client = clientId === null ? null : await participants.client(clientId)
  if (client === null) return 'the client is not registered at this LFI: call the registration_endpoint first'
  if (client.status === 'inactive') return 'the client is registered and waits for activation by the LFI'
  return client.status === 'blocked' ? 'the client is blocked at this LFI or inactive in the trust framework' : null
}
