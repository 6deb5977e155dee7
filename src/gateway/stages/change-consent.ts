import type { Subscription, TppPatch } from '../../consent-store/index.ts'
import { HubError } from '../../errors.ts'
import type { Client } from '../../participants/index.ts'
import { Answer } from '../answer.ts'
import { requireConsentId, requireOwned } from '../consent-access.ts'
import { stage } from '../stage.ts'

/** The body as its schema lets it through. */
type Change = {
  readonly Data?: { readonly Status: 'Revoked'; readonly RevokedBy?: string }
  readonly Subscription?: Subscription
}

/** Revokes a consent, or changes where its events go; everything else of it is fixed (tpp-api 4.4). */
export const changeConsent = stage({
  name: 'change-consent',
  needs: ['arrival', 'route', 'client', 'pathValues', 'body'],
  adds: [],
  fails: ['Resource.InvalidFormat', 'Body.InvalidFormat', 'Consent.Invalid', 'GenericRecoverableError'],
  async run({ arrival, route, client, pathValues, body }, services) {
    const id = requireConsentId(pathValues['ConsentId'], 'ConsentId')
    const patch = readPatch((body ?? {}) as Change, client)
    await requireOwned(services, id, client.clientId, route)
    if (patch.status === undefined && patch.subscription === undefined) return new Answer(204)
    await services.consents.patchByTpp(id, client.clientId, patch, {
      by: 'tpp',
      organisationId: client.organisationId,
      clientId: client.clientId,
      softwareStatementId: client.softwareStatementId,
      interactionId: arrival.correlationId,
    })
    return new Answer(204)
  },
})

function readPatch({ Data, Subscription }: Change, client: Client): TppPatch {
  if (Subscription !== undefined) requireRegistered(Subscription.Webhook.Url, client)
  return {
    ...(Data === undefined ? {} : { status: 'Revoked', revokedBy: readRevokedBy(Data.RevokedBy) }),
    ...(Subscription === undefined ? {} : { subscription: Subscription }),
  }
}

/** A TPP cannot say that the LFI revoked. */
function readRevokedBy(raw: string | undefined): 'TPP' | 'TPP.InitiatedByUser' {
  if (raw === undefined || raw === 'TPP') return 'TPP'
  if (raw === 'TPP.InitiatedByUser') return raw
  throw new HubError('Body.InvalidFormat', {
    rule: 'patch.revoked-by',
    reason: 'RevokedBy must be TPP or TPP.InitiatedByUser',
    path: 'Data.RevokedBy',
  })
}

/** Events go to addresses that the trust framework lists for the client, over TLS. */
function requireRegistered(url: string, client: Client): void {
  if (url.startsWith('https://') && client.webhookUris.includes(url)) return
  throw new HubError('Body.InvalidFormat', {
    rule: 'patch.webhook',
    reason: 'The address is not an https webhook that the trust framework lists for the application',
    path: 'Subscription.Webhook.Url',
  })
}
