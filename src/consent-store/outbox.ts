/** Notices of a change, queued in the transaction that makes it. Delivery reads this table after commit. */
import type { Instant } from '../clock.ts'
import type { Tx } from '../db.ts'
import type { ClientId, ConsentId } from '../ids.ts'
import type { Consent, JsonObject } from './consent.ts'
import type { Caller, ChangeName } from './trail.ts'
import { tppData } from './views.ts'

export type Notice = ReturnType<typeof noticesOf>[number]

type ConsentEvent = {
  readonly before: Consent | null
  readonly consent: Consent
  readonly change: ChangeName
  readonly caller: Caller
}

/**
 * The LFI hears of every stored change (lfi-api 5.2), told what the consent is at delivery; the TPP hears of every
 * change of status while its subscription is active (tpp-api 8.2, 8.3), told what the consent was at the change.
 */
export function noticesOf({ before, consent, change, caller }: ConsentEvent) {
  // getAuth is the LFI's own call, made a moment ago: it needs no notice of it.
  if (change === 'linked') return []
  const row = {
    at: new Date(consent.updatedAt),
    consent_id: consent.id,
    revision: consent.revision,
    interaction_id: caller.interactionId,
  }
  const lfiEvent = { ...row, kind: 'lfi-event', event: before === null ? 'post' : 'patch', url: null, body: null }
  const webhook = consent.subscription?.Webhook
  const notified = before !== null && before.status !== consent.status && webhook?.IsActive === true
  const tppWebhook = {
    ...row,
    kind: 'tpp-webhook',
    event: 'Resource.Updated',
    url: webhook?.Url ?? null,
    body: JSON.stringify(tppData(consent)),
  }
  return notified ? [lfiEvent, tppWebhook] : [lfiEvent]
}

/** What notices tell of besides consents; only TPPs hear of these. */
export type ResourceKind = 'payment' | 'account-opening' | 'fx-quote' | 'insurance-quote'

/** A change of a payment, quote or opening that its TPP wants to hear of; `body` is `Data` as it is to be told. */
export async function enqueueResource(
  tx: Tx,
  notice: {
    readonly resource: ResourceKind
    readonly resourceId: string
    /** Of payments alone. */
    readonly consentId: ConsentId | null
    readonly clientId: ClientId
    readonly revision: number
    readonly at: Instant
    readonly url: string
    readonly body: JsonObject
    readonly caller: Caller
  },
): Promise<void> {
  await tx('outbox').insert({
    at: new Date(notice.at),
    kind: 'tpp-webhook',
    event: 'Resource.Updated',
    resource: notice.resource,
    resource_id: notice.resourceId,
    consent_id: notice.consentId,
    client_id: notice.clientId,
    revision: notice.revision,
    url: notice.url,
    body: JSON.stringify(notice.body),
    interaction_id: notice.caller.interactionId,
  })
}
