/** Participants as the engine wants them. Keys are inline: the engine never fetches anything. */
import type { AdapterPayload } from 'oidc-provider'
import { toClientId } from '../ids.ts'
import type { JWK } from '../jose.ts'
import type { Client, Participants } from '../participants/index.ts'
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

/** Only an active client exists for the engine; why another does not is told by `clientFault`. */
export function findClient(participants: Participants) {
  return async (id: string): Promise<AdapterPayload | undefined> => {
    const clientId = toClientId(id)
    const client = clientId === null ? null : await participants.client(clientId)
    return client?.status === 'active' ? toMetadata(client) : undefined
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
