import { type Consent, type TppConsentView, tppView } from '../../consent-store/index.ts'
import { Answer } from '../answer.ts'
import { isOfFamily, requireConsentId, requireOwned } from '../consent-access.ts'
import type { ConsentListRoute } from '../routes.ts'
import type { Services } from '../services.ts'
import { stage } from '../stage.ts'

export const showConsent = stage({
  name: 'show-consent',
  needs: ['client', 'pathValues', 'consentRoute'],
  adds: [],
  fails: ['Resource.InvalidFormat', 'Consent.Invalid', 'NotFound'],
  async run({ client, pathValues, consentRoute }, services) {
    const id = requireConsentId(pathValues['ConsentId'], 'ConsentId')
    const consent = await requireOwned(services, id, client.clientId, consentRoute)
    return new Answer(200, await view(consent, services), 1)
  },
})

/** The caller's consents of one chain; none is an empty list. */
export const listConsents = stage({
  name: 'list-consents',
  needs: ['client', 'query', 'listRoute'],
  adds: [],
  fails: ['Resource.InvalidFormat'],
  async run({ client, query, listRoute }, services) {
    const id = requireConsentId(query[listRoute.base], listRoute.base)
    const group = await services.consents.listGroup(id, client.clientId)
    const own = group.filter((consent) => isOfFamily(consent, listRoute))
    const views = await Promise.all(own.map((consent) => view(consent, services)))
    return new Answer(
      200,
      listRoute.list === 'consents' ? views : envelope(views, listRoute, id, services),
      views.length,
    )
  },
})

async function view(consent: Consent, { tenant, resources }: Services): Promise<TppConsentView> {
  const paymentIds = consent.type === 'service-initiation' ? await resources.paymentIdsOf(consent.id) : []
  return tppView(consent, tenant.listeners.rs.origin, paymentIds)
}

/** Insurance has what the consents say in one list, and no envelope for each (tpp-api 5.5). */
function envelope(
  views: readonly TppConsentView[],
  route: ConsentListRoute,
  id: string,
  { tenant, routes }: Services,
): unknown {
  return {
    Data: views.map(({ Data }) => Data),
    Links: { Self: `${tenant.listeners.rs.origin}${routes.template(route)}?${route.base}=${id}` },
    Meta: { TotalPages: views.length === 0 ? 0 : 1 },
  }
}
