import { usable } from '../../consent-store/index.ts'
import { HubError } from '../../errors.ts'
import { isRevoked } from '../../revoked-tokens.ts'
import { unauthorized } from '../access-token.ts'
import { isOfFamily } from '../consent-access.ts'
import { stage } from '../stage.ts'

const REASONS = {
  AwaitingAuthorization: 'The consent awaits authorization',
  Suspended: 'The consent is suspended',
  Rejected: 'The consent was rejected',
  Revoked: 'The consent was revoked',
  Expired: 'The consent has expired',
  Consumed: 'The consent is consumed',
} as const

/** tpp-api 4.9. Read anew on every call, so that a revocation acts on the next one. */
export const loadConsent = stage({
  name: 'load-consent',
  needs: ['route', 'client', 'userToken'],
  adds: ['consent'],
  fails: ['Unauthorized', 'Consent.Invalid'],
  async run({ route, client, userToken }, { consents, clock }) {
    const { consentId } = userToken
    // A payment changes its consent: what is remembered of it is out of date each time.
    const consent = await (route.follows === 'make-payment'
      ? consents.findOwned(consentId, client.clientId)
      : consents.find(consentId))
    if (consent === null || consent.clientId !== client.clientId) {
      throw new HubError('Consent.Invalid', { rule: 'consent.known', reason: 'There is no such consent' })
    }
    const judged = usable(consent, clock.now())
    if (!judged.ok) {
      const { status } = judged
      throw new HubError('Consent.Invalid', { rule: 'consent.usable', seen: status, reason: REASONS[status] })
    }
    // A consent authorized anew has a new grant, and tokens of the former one are no longer its own.
    if (judged.consent.grantId !== userToken.grantId) {
      throw unauthorized('token.consent', 'the access token is no longer valid for its consent')
    }
    if (isRevoked(judged.consent, userToken.jti)) throw unauthorized('token.revoked', 'the access token was revoked')
    const isAlsoOpen = route.follows === 'read-resource' && consent.rarType === route.alsoUnder
    if (!('rarType' in route && isOfFamily(consent, route)) && !isAlsoOpen) {
      throw new HubError('Consent.Invalid', {
        rule: 'consent.type',
        reason: 'The consent is of another type or version than the path',
      })
    }
    return { consent: judged.consent }
  },
})
