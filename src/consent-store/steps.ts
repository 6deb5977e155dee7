/** What each kind of request makes of a consent: amendments and at most one move. Pure. */
import type { Instant } from '../clock.ts'
import type { AccountId, InteractionId } from '../ids.ts'
import {
  type Ask,
  type AuthorizationChannel,
  atClock,
  type CallerKind,
  type Consent,
  type ConsentStatus,
  decide,
  due,
  isTerminal,
  type JsonObject,
  type LiveConsent,
  type Move,
  type NonEmpty,
  type Psu,
  type Refusal,
  type RevokedBy,
  type Subscription,
} from './consent.ts'
import type { ChangeName } from './trail.ts'

export type PatchableStatus = Exclude<ConsentStatus, 'AwaitingAuthorization'>

/** PATCH of the consent manager (lfi-api 2.4), parsed; null is "not in the patch". */
export type LfiPatch = {
  readonly channel: AuthorizationChannel
  readonly status: PatchableStatus | null
  readonly revokedBy: RevokedBy | null
  readonly psu: Psu | null
  readonly accountIds: NonEmpty<AccountId> | null
  readonly supplementaryInformation: JsonObject | null
  readonly isLargeCorporate: boolean | null
  readonly lastDataSharedAt: Instant | null
  readonly lastServiceInitiationAt: Instant | null
}

/** PATCH by the TPP (tpp-api 4.4). */
export type TppPatch = {
  readonly status?: 'Revoked'
  readonly revokedBy?: 'TPP' | 'TPP.InitiatedByUser'
  readonly subscription?: Subscription
}

/** null: the consent already is what was asked for. */
export type Step =
  | { readonly ok: true; readonly change: ChangeName; readonly next: Consent }
  | { readonly ok: false; readonly refusal: Refusal }
  | null

/** The move that leads to a status, by name; from Suspended back to Authorized it is called resume. */
const MOVE_TO = {
  Authorized: 'authorize',
  Rejected: 'reject',
  Suspended: 'suspend',
  Revoked: 'revoke',
  Expired: 'expire',
  Consumed: 'consume',
} as const satisfies Record<PatchableStatus, Move>

export function lfiStep(consent: Consent, patch: LfiPatch, now: Instant): Step {
  if (isTerminal(consent)) return refuse('terminal')
  if (patch.revokedBy !== null && patch.status !== 'Revoked') return refuse('not-revoked')
  const ask = patch.status === null ? null : askFor(consent, patch.status, patch.revokedBy)
  // Once the clock has ended a consent nothing of it changes any more, except that this is written down.
  const ended = due(consent, now)
  if (ended !== null) return ask === null ? refuse(endOf(ended)) : move(consent, ask, now)
  if (consent.authorizedAt !== null && patch.psu !== null && patch.psu.userId !== consent.psu.userId)
    return refuse('psu-changed')
  const amended = amend(consent, patch)
  return ask === null ? { ok: true, change: 'patched', next: amended } : move(amended, ask, now)
}

/** A repeated PATCH to the status that the consent has is no move: its first answer may have been lost on the way. */
function askFor(consent: LiveConsent, status: PatchableStatus, revokedBy: RevokedBy | null): Ask | null {
  if (consent.status === status) return null
  const name = status === 'Authorized' && consent.status === 'Suspended' ? 'resume' : MOVE_TO[status]
  return name === 'revoke' ? { move: name, by: 'lfi', revokedBy: revokedBy ?? 'LFI' } : { move: name, by: 'lfi' }
}

function amend(consent: LiveConsent, patch: LfiPatch): LiveConsent {
  const members = {
    supplementaryInformation: patch.supplementaryInformation ?? consent.supplementaryInformation,
    isLargeCorporate: patch.isLargeCorporate ?? consent.isLargeCorporate,
    lastDataSharedAt: later(consent.lastDataSharedAt, patch.lastDataSharedAt),
    lastServiceInitiationAt: later(consent.lastServiceInitiationAt, patch.lastServiceInitiationAt),
  }
  // The channel is where the user authorized: a back-office patch must send one and does not replace it (lfi-api 2.4).
  return consent.status === 'AwaitingAuthorization'
    ? {
        ...consent,
        ...members,
        psu: patch.psu ?? consent.psu,
        accountIds: patch.accountIds ?? consent.accountIds,
        channel: consent.channel ?? patch.channel,
      }
    : {
        ...consent,
        ...members,
        psu: patch.psu ?? consent.psu,
        accountIds: patch.accountIds ?? consent.accountIds,
      }
}

export function tppStep(consent: Consent, patch: TppPatch, now: Instant): Step {
  if (isTerminal(consent)) return refuse('terminal')
  const ended = due(consent, now)
  if (ended !== null) return refuse(endOf(ended))
  const amended = patch.subscription === undefined ? consent : { ...consent, subscription: patch.subscription }
  if (patch.status === undefined) {
    return patch.revokedBy === undefined ? { ok: true, change: 'subscription', next: amended } : refuse('not-revoked')
  }
  return move(amended, { move: 'revoke', by: 'tpp', revokedBy: patch.revokedBy ?? 'TPP' }, now)
}

/** Revoking what has ended already changes nothing and is no error (lfi-api 2.5). */
export function revokeStep(consent: Consent, revokedBy: RevokedBy, by: CallerKind, now: Instant): Step {
  const current = atClock(consent, now)
  return isTerminal(current) ? null : move(current, { move: 'revoke', by, revokedBy }, now)
}

/** The latest getAuth wins, until one journey has been completed (tpp-api appendix C: a page may be reloaded). */
export function linkStep(consent: Consent, interactionId: InteractionId, now: Instant): Step {
  if (isTerminal(consent)) return refuse('terminal')
  const ended = due(consent, now)
  if (ended !== null) return refuse(endOf(ended))
  if (consent.status !== 'AwaitingAuthorization') return refuse('not-from-here')
  if (consent.completedAt !== null) return refuse('completed')
  return { ok: true, change: 'linked', next: { ...consent, interactionId } }
}

/** What the clock has decided, to be written down. */
export function clockStep(consent: Consent, now: Instant): Step {
  const ended = due(consent, now)
  return ended === null ? null : move(consent, { move: ended, by: 'hub' }, now)
}

function move(consent: Consent, ask: Ask, now: Instant): Step {
  const decision = decide(consent, ask, now)
  return decision.ok ? { ok: true, change: ask.move, next: decision.next } : decision
}

const endOf = (move: 'lapse' | 'expire'): Refusal => (move === 'lapse' ? 'lapsed' : 'expired')
const later = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null || b === null ? (a ?? b) : a > b ? a : b
const refuse = (refusal: Refusal): Step => ({ ok: false, refusal })
