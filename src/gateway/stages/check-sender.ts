import { profileOf } from '../../profiles.ts'
import { unauthorized } from '../access-token.ts'
import { stage } from '../stage.ts'
import { goodCertificate } from './check-certificate.ts'

/**
 * Whether the caller shows what the profile of the token's client wants (FAPI 2.0 SP 5.3.4): tokens of its kind, and
 * its certificate. One that need not be shown is judged all the same when it is.
 */
export const checkSender = stage({
  name: 'check-sender',
  needs: ['arrival', 'token'],
  adds: ['shown'],
  fails: ['Unauthorized'],
  run({ arrival, token }, { tenant }) {
    const profile = profileOf(tenant, token.clientId)
    // Issued before the operator decided otherwise.
    if (profile?.senderConstraint !== token.binding.kind) {
      throw unauthorized('token.binding', 'the access token is not bound in the way that is set for this client')
    }
    if (arrival.peer === null && profile.transportCertificate === 'optional') return { shown: null }
    return { shown: goodCertificate(arrival) }
  },
})
