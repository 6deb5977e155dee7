/** What the authorization server keeps at a consent while it is being authorized. No part of the record's history. */
import type { Clock } from '../clock.ts'
import { query, type Tx } from '../db.ts'
import type { ConsentId, InteractionId } from '../ids.ts'
import { unknownConsent } from './change.ts'

/** The request_uri that this one takes the place of; null: there was none. None is replaced once a journey has begun. */
export async function attachPar(tx: Tx, id: ConsentId, parId: string): Promise<string | null> {
  const [attached] = (
    await query<{ superseded: string | null }>(
      tx,
      `with before as (select id, par_id from consent where id = ? and interaction_id is null for update)
       update consent set par_id = ? from before where consent.id = before.id returning before.par_id as superseded`,
      [id, parId],
    )
  ).rows
  if (attached === undefined) throw new Error('attachPar: no consent whose journey has not begun has this id')
  return attached.superseded
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

/** Nothing can be had any more under this grant: its access tokens are compared with the one at the consent. */
export async function detachGrant(tx: Tx, grantId: string): Promise<void> {
  await tx('consent').where({ grant_id: grantId }).update({ grant_id: null })
}
