/** How the operations on consents name and find one. */
import type { Consent } from '../consent-store/index.ts'
import { HubError } from '../errors.ts'
import { type ClientId, type ConsentId, toConsentId } from '../ids.ts'
import type { ConsentRoute } from './routes.ts'
import type { Services } from './services.ts'

export function requireConsentId(raw: string | undefined, name: string): ConsentId {
  const id = toConsentId(raw)
  if (id === null)
    throw new HubError('Resource.InvalidFormat', {
      rule: 'resource.form',
      reason: `${name} must be a UUID`,
      path: name,
    })
  return id
}

/**
 * Absent, of another client, of another family: all told alike (tpp-api 4.4).
 * @throws HubError Consent.Invalid or NotFound, as the operation declares
 */
export async function requireOwned(
  { consents }: Services,
  id: ConsentId,
  clientId: ClientId,
  route: Pick<ConsentRoute, 'rarType' | 'absent'>,
): Promise<Consent> {
  const consent = await consents.findOwned(id, clientId)
  if (consent === null || !isOfFamily(consent, route)) {
    throw new HubError(route.absent, { rule: 'consent.known', reason: 'There is no such consent' })
  }
  return consent
}

export const isOfFamily = (consent: Consent, route: { readonly rarType: string }): boolean =>
  consent.rarType === route.rarType
