import { type Consent, tppView } from '../../consent-store/index.ts'
import { Answer } from '../answer.ts'
import { isOfFamily, requireConsentId, requireOwned } from '../consent-access.ts'
import type { Services } from '../services.ts'
import { stage } from '../stage.ts'

export const showConsent = stage({
  name: 'show-consent',
  needs: ['client', 'pathValues', 'route'],
  adds: [],
  fails: ['Resource.InvalidFormat', 'Consent.Invalid'],
  async run({ client, pathValues, route }, services) {
    const id = requireConsentId(pathValues['ConsentId'], 'ConsentId')
    return new Answer(200, view(await requireOwned(services, id, client.clientId, route), services), 1)
  },
})

/** The caller's consents of one chain; none is an empty list. */
export const listConsents = stage({
  name: 'list-consents',
  needs: ['client', 'query', 'route'],
  adds: [],
  fails: ['Resource.InvalidFormat'],
  async run({ client, query, route }, services) {
    const id = requireConsentId(query['baseConsentId'], 'baseConsentId')
    const group = await services.consents.listGroup(id, client.clientId)
    const views = group.filter((consent) => isOfFamily(consent, route)).map((consent) => view(consent, services))
    return new Answer(200, views, views.length)
  },
})

const view = (consent: Consent, { tenant }: Services): unknown => tppView(consent, tenant.listeners.rs.origin)
