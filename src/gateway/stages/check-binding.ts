import { unauthorized } from '../access-token.ts'
import { stage } from '../stage.ts'

/** RFC 8705 3: the token works with the certificate it was issued over, held by the client it was issued to. */
export const checkBinding = stage({
  name: 'check-binding',
  needs: ['token', 'peer'],
  adds: ['client'],
  fails: ['Unauthorized', 'GenericRecoverableError'],
  async run({ token, peer }, { participants }) {
    if (peer.thumbprint !== token.thumbprint) {
      throw unauthorized('the access token is bound to another client certificate')
    }
    const client = await participants.client(token.clientId)
    if (client?.status !== 'active') throw unauthorized('the client is not active at this LFI')
    if (peer.commonName !== client.clientId || peer.organisationId !== client.organisationId) {
      throw unauthorized('the client certificate is not of the client of the access token')
    }
    if (participants.certificateStatus(client, peer.thumbprint) !== 'active') {
      throw unauthorized('the trust framework does not list the client certificate as active')
    }
    if (token.grant === 'user' && token.organisationId !== client.organisationId) {
      throw unauthorized('the access token is of another organisation')
    }
    return { client }
  },
})
