/** Profiles that contradict themselves: each fault says which client and why it would be unsafe. */
import type { Fapi2Client, TenantConfig } from './shape.ts'

export function profileFaults({ id, profiles }: TenantConfig): readonly string[] {
  if (profiles === undefined) return []
  const clients = Object.entries(profiles.clients ?? {})
  const servesFapi2 = profiles.serves.includes('fapi2')
  return [
    ...(clients.length > 0 && !servesFapi2
      ? [`tenant ${id}: profiles.clients names clients of fapi2, which profiles.serves does not list`]
      : []),
    ...(servesFapi2 && clients.length === 0
      ? [`tenant ${id}: profiles.serves lists fapi2 and profiles.clients names no client of it`]
      : []),
    ...clients.flatMap(([clientId, client]) =>
      contradictions(client).map((fault) => `tenant ${id}: profiles.clients.${clientId}: ${fault}`),
    ),
  ]
}

function contradictions(client: Fapi2Client): readonly string[] {
  if (client.transportCertificate !== 'optional') return []
  return [
    ...(client.senderConstraint === 'mtls'
      ? ['tokens cannot be bound to a certificate that is optional (senderConstraint mtls)']
      : []),
    ...(client.authentication === 'tls_client_auth'
      ? ['a client cannot authenticate with a certificate that is optional (authentication tls_client_auth)']
      : []),
  ]
}
