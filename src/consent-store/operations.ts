/** Changes asked for by callers, each one transaction (change.ts). */
import { inTransaction, type Tx } from '../db.ts'
import type { ClientId, ConsentId, InteractionId } from '../ids.ts'
import {
  change,
  changeIn,
  type Outcome,
  type Recorder,
  record,
  refused,
  retryingOnce,
  type Unit,
  unknownConsent,
} from './change.ts'
import type { JsonObject, RevokedBy } from './consent.ts'
import {
  type LfiPatch,
  lfiStep,
  linkStep,
  type PaymentNote,
  paymentStep,
  revokeStep,
  type TppPatch,
  tppStep,
} from './steps.ts'
import { type LockedConsent, readGroup } from './store.ts'
import type { Caller } from './trail.ts'

export type Revocation = {
  readonly revokedBy: RevokedBy
  /** Which user asked; matters where an account has several (lfi-api 2.5). */
  readonly psuUserId?: string
}

export function linkInteraction(unit: Unit, id: ConsentId, interactionId: InteractionId, caller: Caller) {
  return change(unit, { id, caller, step: (consent, now) => linkStep(consent, interactionId, now) })
}

export function patchByTpp(unit: Unit, id: ConsentId, clientId: ClientId, patch: TppPatch, caller: Caller) {
  return change(unit, {
    id,
    caller,
    mayTouch: (consent) => consent.clientId === clientId,
    step: (consent, now) => tppStep(consent, patch, now),
  })
}

export function patchByLfi(unit: Unit, id: ConsentId, patch: LfiPatch, caller: Caller) {
  return change(unit, { id, caller, step: (consent, now, chainUser) => lfiStep(consent, patch, now, chainUser) })
}

/** In the transaction that records the payment. */
export async function notePayment(
  tx: Tx,
  unit: Unit,
  consent: LockedConsent,
  note: PaymentNote,
  by: Recorder,
): Promise<Outcome> {
  const step = paymentStep(consent, note, unit.clock.now())
  if (!step.ok) throw refused(step.refusal, by.caller)
  return record(tx, unit, consent, step, by)
}

export function revoke(unit: Unit, id: ConsentId, ask: Revocation, caller: Caller) {
  return change(unit, revocation(id, ask, caller))
}

/** All live consents of the group, or none: one transaction, locked in the order of their ids. */
export function revokeGroup(unit: Unit, groupId: string, ask: Revocation, caller: Caller): Promise<readonly Outcome[]> {
  return retryingOnce(() =>
    inTransaction(unit.db, async (tx) => {
      const group = await readGroup(tx, groupId, null)
      if (group.length === 0) throw unknownConsent()
      const outcomes: Outcome[] = []
      for (const id of group.map((consent) => consent.id).sort()) {
        outcomes.push(await changeIn(tx, unit, revocation(id, ask, caller)))
      }
      return outcomes
    }),
  )
}

function revocation(id: ConsentId, ask: Revocation, caller: Caller) {
  const remark: JsonObject = ask.psuUserId === undefined ? {} : { revokedByPsu: { userId: ask.psuUserId } }
  return {
    id,
    caller,
    remark,
    step: (consent: Parameters<typeof revokeStep>[0], now: Parameters<typeof revokeStep>[3]) =>
      revokeStep(consent, ask.revokedBy, caller.by, now),
  }
}
