import type { Client, Participants } from '../../participants/index.ts'
import { isRevoked } from '../../revoked-tokens.ts'
import type { PeerCertificate } from '../../tls.ts'
import { unauthorized } from '../access-token.ts'
import { stage } from '../stage.ts'

/**
 * RFC 8705 3: the token works with the certificate it was issued over, held by the client it was issued to. A token
 * that is bound to a key may come over any certificate of that client (check-proof).
 */
export const checkBinding = stage({
  name: 'check-binding',
  needs: ['token', 'shown'],
  adds: ['client'],
  fails: ['Unauthorized', 'GenericRecoverableError'],
  async run({ token, shown }, { participants }) {
    if (token.binding.kind === 'mtls' && shown?.thumbprint !== token.binding.thumbprint) {
      throw unauthorized('token.binding', 'the access token is bound to another client certificate')
    }
    const client = await participants.client(token.clientId)
    if (client?.status !== 'active') throw unauthorized('client.active', 'the client is not active at this LFI')
    if (shown !== null) assertOwn(participants, client, shown)
    // A client's own token; one of a user is revoked at its consent (load-consent).
    if (isRevoked(client, token.jti)) throw unauthorized('token.revoked', 'the access token was revoked')
    if (token.grant === 'user' && token.organisationId !== client.organisationId) {
      throw unauthorized('token.organisation', 'the access token is of another organisation')
    }
    return { client }
  },
})

function assertOwn(participants: Participants, client: Client, shown: PeerCertificate): void {
  if (shown.commonName !== client.clientId || shown.organisationId !== client.organisationId) {
    throw unauthorized('certificate.own', 'the client certificate is not of the client of the access token')
  }
  if (participants.certificateStatus(client, shown.thumbprint) !== 'active') {
    throw unauthorized('certificate.listed', 'the trust framework does not list the client certificate as active')
  }
}
