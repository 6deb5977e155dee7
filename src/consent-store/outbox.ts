/** Notices of a change, queued in the transaction that makes it. Delivery reads this table after commit. */
import type { Tx } from '../db.ts'
import type { Consent } from './consent.ts'
import type { Caller, ChangeName } from './trail.ts'
import { tppData } from './views.ts'

/**
 * The LFI hears of every stored change (lfi-api 5.2), told what the consent is at delivery; the TPP hears of every
 * change of status while its subscription is active (tpp-api 8.2, 8.3), told what the consent was at the change.
 */
export async function enqueue(
  tx: Tx,
  event: { readonly before: Consent | null; readonly consent: Consent } & {
    readonly change: ChangeName
    readonly caller: Caller
  },
): Promise<void> {
  const { before, consent, change, caller } = event
  // getAuth is the LFI's own call, made a moment ago: it needs no notice of it.
  if (change === 'linked') return
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
  await tx('outbox').insert(notified ? [lfiEvent, tppWebhook] : [lfiEvent])
}
