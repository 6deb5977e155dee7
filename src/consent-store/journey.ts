/** What the authorization server keeps at a consent while it is being authorized. No part of the record's history. */
import type { Clock } from '../clock.ts'
import type { Tx } from '../db.ts'
import type { ConsentId, InteractionId } from '../ids.ts'
import { unknownConsent } from './change.ts'

export async function attachPar(tx: Tx, id: ConsentId, parId: string): Promise<void> {
  const count = await tx('consent').where({ id, par_id: null }).update({ par_id: parId })
  if (count !== 1) throw new Error('attachPar: no consent without a request_uri has this id')
}

/** True for one caller ever: of doConfirm and doFail, repeated or at once, the first ends the journey. */
export async function claimCompletion(
  tx: Tx,
  clock: Clock,
  id: ConsentId,
  interactionId: InteractionId,
): Promise<boolean> {
  const count = await tx('consent')
    .where({ id, interaction_id: interactionId, completed_at: null })
    .update({ completed_at: new Date(clock.now()) })
  return count === 1
}

/** @throws HubError Consent.Invalid when the consent has ended meanwhile or has a grant already */
export async function attachGrant(tx: Tx, clock: Clock, id: ConsentId, grantId: string): Promise<void> {
  const count = await tx('consent')
    .where({ id })
    .andWhere('due_at', '>', new Date(clock.now()))
    .andWhere((either) => either.whereNull('grant_id').orWhere('grant_id', grantId))
    .update({ grant_id: grantId })
  if (count !== 1) throw unknownConsent()
}
