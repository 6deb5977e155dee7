import type { Consent, Subscription, TppPatch } from '../../consent-store/index.ts'
import { HubError } from '../../errors.ts'
import type { Client } from '../../participants/index.ts'
import { Answer } from '../answer.ts'
import { requireConsentId, requireOwned } from '../consent-access.ts'
import { stage } from '../stage.ts'

/** The body as its schema lets it through. */
type Change = {
  readonly Data?: { readonly Status: 'Revoked'; readonly RevokedBy?: string }
  readonly Subscription?: { readonly Webhook: Partial<Subscription['Webhook']> }
}

/** Revokes a consent, or changes where its events go; everything else of it is fixed (tpp-api 4.4). */
export const changeConsent = stage({
  name: 'change-consent',
  needs: ['arrival', 'consentRoute', 'client', 'pathValues', 'body'],
  adds: [],
  fails: ['Resource.InvalidFormat', 'Body.InvalidFormat', 'Consent.Invalid', 'NotFound', 'GenericRecoverableError'],
  async run({ arrival, consentRoute, client, pathValues, body }, services) {
    const id = requireConsentId(pathValues['ConsentId'], 'ConsentId')
    const change = (body ?? {}) as Change
    const revokedBy = readRevokedBy(change.Data?.RevokedBy)
    if (change.Subscription?.Webhook.Url !== undefined) requireRegistered(change.Subscription.Webhook.Url, client)
    const consent = await requireOwned(services, id, client.clientId, consentRoute)
    const patch: TppPatch = {
      ...(change.Data === undefined ? {} : { status: 'Revoked', revokedBy }),
      ...(change.Subscription === undefined ? {} : { subscription: completed(change.Subscription, consent) }),
    }
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

/** Documents of some families let half of it out: the other half stays what it was. */
function completed({ Webhook }: NonNullable<Change['Subscription']>, { subscription }: Consent): Subscription {
  const { Url, IsActive } = { ...subscription?.Webhook, ...Webhook }
  if (Url !== undefined && IsActive !== undefined) return { Webhook: { Url, IsActive } }
  const missing = Url === undefined ? 'Url' : 'IsActive'
  throw new HubError('Body.InvalidFormat', {
    rule: 'body.form',
    reason: `${missing} is required, since the consent has no subscription yet`,
    path: `Subscription.Webhook.${missing}`,
  })
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
