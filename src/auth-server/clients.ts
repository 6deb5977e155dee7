/** Participants as the engine wants them. Keys are inline: the engine never fetches anything. */
import type { TLSSocket } from 'node:tls'
import { decodeProtectedHeader } from 'jose'
import { type AdapterPayload, Provider } from 'oidc-provider'
import { type ClientId, toClientId } from '../ids.ts'
import type { JWK } from '../jose.ts'
import type { Client, Participants } from '../participants/index.ts'
import { peerCertificate } from '../tls.ts'
import { SERVED_RAR_TYPES, SERVED_SCOPES } from './served.ts'

export function toMetadata(client: Client): AdapterPayload {
  return {
    client_id: client.clientId,
    client_name: client.clientName,
    redirect_uris: [...client.redirectUris],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'PS256',
    request_object_signing_alg: 'PS256',
    id_token_signed_response_alg: 'PS256',
    authorization_details_types: client.rarTypes.filter((type) => SERVED_RAR_TYPES.includes(type)),
    scope: client.scopes.filter((scope) => SERVED_SCOPES.includes(scope)).join(' '),
    // With neither binding flag the engine would issue an unbound token, FAPI 2.0 or not (authorization-server 5).
    tls_client_certificate_bound_access_tokens: true,
    jwks: { keys: client.jwks.keys.filter((key) => key.kty === 'RSA' && key.use !== 'enc').map(publicMembers) },
  }
}

const publicMembers = ({ n, e, kid }: JWK): JWK => ({
  kty: 'RSA',
  ...(n === undefined ? {} : { n }),
  ...(e === undefined ? {} : { e }),
  ...(kid === undefined ? {} : { kid }),
  use: 'sig',
  alg: 'PS256',
})

/**
 * Only an active client exists for the engine; why another does not is told by `clientFault`. A key id that is not
 * among the known ones may be of a new key: the directory is asked, at most once in a while (tpp-api 9.4).
 */
export function findClient(participants: Participants, announced: (clientId: ClientId) => readonly string[]) {
  return async (id: string): Promise<AdapterPayload | undefined> => {
    const clientId = toClientId(id)
    const known = clientId === null ? null : await participants.client(clientId)
    if (clientId === null || known?.status !== 'active') return undefined
    const isKnown = (kid: string): boolean => known.jwks.keys.some((key) => key.kid === kid)
    const client = announced(clientId).every(isKnown) ? known : await participants.refresh(clientId)
    return client?.status === 'active' ? toMetadata(client) : undefined
  }
}

/**
 * Key ids in the JWTs of the request that the engine is at work on; none unless it came over the client's own
 * certificate, or anybody could keep the directory busy in the client's name.
 */
export function announcedKids(clientId: ClientId): readonly string[] {
  const { ctx } = Provider
  const peer = ctx === undefined ? null : peerCertificate(ctx.req.socket as TLSSocket)
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
