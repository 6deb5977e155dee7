import { HubError } from '../../errors.ts'
import { requireConsentId, requireOwned } from '../consent-access.ts'
import { stage } from '../stage.ts'

/** The consent in the path, for its own client (tpp-api 5.3). */
export const loadPaymentConsent = stage({
  name: 'load-payment-consent',
  needs: ['client', 'askingRoute', 'pathValues'],
  adds: ['owned'],
  fails: ['Resource.InvalidFormat', 'NotFound', 'Consent.Invalid'],
  async run({ client, askingRoute, pathValues }, services) {
    const id = requireConsentId(pathValues['ConsentId'], 'ConsentId')
    const owned = await requireOwned(services, id, client.clientId, askingRoute)
    if (owned.type !== 'service-initiation') throw new HubError(askingRoute.absent, { rule: 'consent.known' })
    return { owned }
  },
})
