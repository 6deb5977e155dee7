import { type PeerCertificate, whyDistrusted } from '../../tls.ts'
import { unauthorized } from '../access-token.ts'
import type { Arrival } from '../facts.ts'
import { stage } from '../stage.ts'

/** Whether the handshake showed a certificate that leads to the trust framework, and that is still in time. */
export const checkCertificate = stage({
  name: 'check-certificate',
  needs: ['arrival'],
  adds: ['peer'],
  fails: ['Unauthorized'],
  run: ({ arrival }) => ({ peer: goodCertificate(arrival) }),
})

/** @throws HubError Unauthorized */
export function goodCertificate({ peer, receivedAt }: Pick<Arrival, 'peer' | 'receivedAt'>): PeerCertificate {
  if (peer === null) throw unauthorized('certificate.shown', 'a client certificate is required')
  if (!peer.trusted) throw unauthorized('certificate.trusted', `the client certificate ${whyDistrusted(peer)}`)
  // A connection may outlive the certificate that opened it.
  if (peer.expiresAt <= receivedAt) throw unauthorized('certificate.lifetime', 'the client certificate has expired')
  return peer
}
