/** What each kind of request makes of a consent: amendments and at most one move. Pure. */
import { isDeepStrictEqual } from 'node:util'
import type { Instant } from '../clock.ts'
import type { AccountId, InteractionId } from '../ids.ts'
import type { SealedToken } from '../sealed-token.ts'
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
import {
  authorizersOf,
  type Charge,
  decisionDeadline,
  type ExchangeRate,
  isCoherent,
  type MultipleAuthorizers,
  type PaymentConsumption,
  type PaymentTerms,
  verdictOf,
} from './payment.ts'
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
  /** Of a payment consent only. */
  readonly payment?: PaymentPatch
}
export type PaymentPatch = {
  readonly authorizers: MultipleAuthorizers | null
  readonly charges: readonly Charge[] | null
  readonly exchangeRate: ExchangeRate | null
  readonly connectToken: SealedToken | null
}

/** What a payment leaves at its consent. */
export type PaymentNote = {
  readonly consumption: PaymentConsumption
  /** Nothing of what was agreed on is left (`isExhausted`). */
  readonly isExhausted: boolean
  /** Of the attempt; null: an earlier one has come to its end. */
  readonly attemptedAt: Instant | null
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

/** @param chainUser who authorized the consents that this one continues (tpp-api 4.5); null: nobody has */
export function lfiStep(consent: Consent, patch: LfiPatch, now: Instant, chainUser: string | null = null): Step {
  if (isTerminal(consent)) return refuse('terminal')
  if (patch.revokedBy !== null && patch.status !== 'Revoked') return refuse('not-revoked')
  const ask = patch.status === null ? null : askFor(consent, patch.status, patch.revokedBy)
  // Once the clock has ended a consent nothing of it changes any more, except that this is written down.
  const ended = due(consent, now)
  if (ended !== null) return ask === null ? refuse(endOf(ended)) : move(consent, ask, now)
  const refusal = userRefusal(consent, patch, chainUser) ?? paymentRefusal(consent, patch)
  if (refusal !== null) return refuse(refusal)
  const amended = amend(consent, patch)
  const next = ask ?? decided(amended, patch)
  return next === null ? { ok: true, change: 'patched', next: amended } : move(amended, next, now)
}

/** A repeated PATCH to the status that the consent has is no move: its first answer may have been lost on the way. */
function askFor(consent: LiveConsent, status: PatchableStatus, revokedBy: RevokedBy | null): Ask | null {
  if (consent.status === status) return null
  const name = status === 'Authorized' && consent.status === 'Suspended' ? 'resume' : MOVE_TO[status]
  return name === 'revoke' ? { move: name, by: 'lfi', revokedBy: revokedBy ?? 'LFI' } : { move: name, by: 'lfi' }
}

/** The last of several authorizers decides, and the first who rejects (tpp-api 4.8). */
function decided(consent: LiveConsent, { payment }: LfiPatch): Ask | null {
  if (consent.status !== 'AwaitingAuthorization' || !payment?.authorizers) return null
  const verdict = verdictOf(payment.authorizers)
  if (verdict === 'pending') return null
  return { move: verdict === 'approved' ? 'authorize' : 'reject', by: 'lfi' }
}

function userRefusal(consent: LiveConsent, { psu, status }: LfiPatch, chainUser: string | null): Refusal | null {
  if (psu === null) return null
  if (consent.authorizedAt !== null) return psu.userId === consent.psu.userId ? null : 'psu-changed'
  // It may well be because of that user that the LFI turns the consent down.
  const ends = status === 'Rejected' || status === 'Revoked'
  return chainUser === null || ends || psu.userId === chainUser ? null : 'psu-of-chain'
}

function paymentRefusal(consent: LiveConsent, { accountIds, payment }: LfiPatch): Refusal | null {
  if (consent.type !== 'service-initiation') return null
  if (accountIds !== null && accountIds.length > 1) return 'one-account'
  const authorizers = payment?.authorizers ?? null
  if (authorizers === null) return null
  if (consent.payment.authorization.by === 'one') return 'one-authorizer'
  if (!isCoherent(authorizers)) return 'authorizers-incoherent'
  const isDecided = consent.status !== 'AwaitingAuthorization'
  return isDecided && !isDeepStrictEqual(authorizers, authorizersOf(consent.payment)) ? 'authorizers-decided' : null
}

function amend(consent: LiveConsent, patch: LfiPatch): LiveConsent {
  const members = {
    supplementaryInformation: patch.supplementaryInformation ?? consent.supplementaryInformation,
    isLargeCorporate: patch.isLargeCorporate ?? consent.isLargeCorporate,
    lastDataSharedAt: later(consent.lastDataSharedAt, patch.lastDataSharedAt),
    lastServiceInitiationAt: later(consent.lastServiceInitiationAt, patch.lastServiceInitiationAt),
  }
  return withTerms(withUser({ ...consent, ...members }, patch), patch)
}

// The channel is where the user authorized: a back-office patch must send one and does not replace it (lfi-api 2.4).
function withUser(consent: LiveConsent, { psu, accountIds, channel }: LfiPatch): LiveConsent {
  if (consent.type === 'service-initiation') {
    const debtor = accountIds === null ? null : ([accountIds[0]] as const)
    return consent.status === 'AwaitingAuthorization'
      ? {
          ...consent,
          psu: psu ?? consent.psu,
          accountIds: debtor ?? consent.accountIds,
          channel: consent.channel ?? channel,
        }
      : { ...consent, psu: psu ?? consent.psu, accountIds: debtor ?? consent.accountIds }
  }
  return consent.status === 'AwaitingAuthorization'
    ? {
        ...consent,
        psu: psu ?? consent.psu,
        accountIds: accountIds ?? consent.accountIds,
        channel: consent.channel ?? channel,
      }
    : { ...consent, psu: psu ?? consent.psu, accountIds: accountIds ?? consent.accountIds }
}

function withTerms(consent: LiveConsent, { payment: patch }: LfiPatch): LiveConsent {
  if (consent.type !== 'service-initiation' || patch === undefined) return consent
  const { payment } = consent
  const amended: PaymentTerms = {
    ...payment,
    charges: patch.charges ?? payment.charges,
    exchangeRate: patch.exchangeRate ?? payment.exchangeRate,
    connectToken: patch.connectToken ?? payment.connectToken,
    ...(patch.authorizers === null
      ? {}
      : { authorization: { by: 'several', authorizers: patch.authorizers } as const }),
  }
  // The first authorizer had to come soon after the push; the others have until the deadline that was asked for.
  const isFirst = patch.authorizers !== null && authorizersOf(payment) === null
  const authorizeBy = isFirst
    ? decisionDeadline(consent.request, consent.createdAt, consent.expiresAt)
    : consent.authorizeBy
  return { ...consent, payment: amended, authorizeBy }
}

/**
 * A payment was made, or has come to its end. It is noted whatever has become of the consent meanwhile; only a consent
 * that could still be paid under is consumed.
 */
export function paymentStep(consent: Consent, note: PaymentNote, now: Instant): NonNullable<Step> {
  if (consent.type !== 'service-initiation') return refuse('never-consumed')
  const noted = {
    ...consent,
    payment: { ...consent.payment, consumption: note.consumption },
    lastServiceInitiationAt: later(consent.lastServiceInitiationAt, note.attemptedAt),
  }
  const isConsumed = note.isExhausted && noted.status === 'Authorized' && due(noted, now) === null
  return isConsumed ? move(noted, { move: 'consume', by: 'hub' }, now) : { ok: true, change: 'patched', next: noted }
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

function move(consent: Consent, ask: Ask, now: Instant): NonNullable<Step> {
  const decision = decide(consent, ask, now)
  return decision.ok ? { ok: true, change: ask.move, next: decision.next } : decision
}

const endOf = (move: 'lapse' | 'expire'): Refusal => (move === 'lapse' ? 'lapsed' : 'expired')
const later = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null || b === null ? (a ?? b) : a > b ? a : b
const refuse = (refusal: Refusal): NonNullable<Step> => ({ ok: false, refusal })
