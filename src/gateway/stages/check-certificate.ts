import { unauthorized } from '../access-token.ts'
import { stage } from '../stage.ts'

/** Whether the handshake showed a certificate that leads to the trust framework, and that is still in time. */
export const checkCertificate = stage({
  name: 'check-certificate',
  needs: ['arrival'],
  adds: ['peer'],
  fails: ['Unauthorized'],
  run({ arrival }) {
    const { peer } = arrival
    if (peer === null) throw unauthorized('a client certificate is required')
    if (!peer.trusted) throw unauthorized('the client certificate is not issued by the trust framework')
    // A connection may outlive the certificate that opened it.
    if (peer.expiresAt <= arrival.receivedAt) throw unauthorized('the client certificate has expired')
    return { peer }
  },
})
