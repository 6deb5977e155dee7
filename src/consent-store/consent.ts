/**
 * The consent state machine (tpp-api 4.1–4.3, lfi-api 2.6). Pure: time and caller are arguments, nothing is stored here.
 *
 *   lodge ──► AwaitingAuthorization ──authorize──► Authorized ◄──resume/suspend──► Suspended
 *                 │   │   │   │                      │  │  │                         │   │
 *               lapse reject revoke expire      revoke expire consume            revoke expire
 *                 └──┬──┘   │      │                 │     │      │                  │     │
 *                    ▼      ▼      ▼                 ▼     ▼      ▼                  ▼     ▼
 *                Rejected Revoked Expired        Revoked Expired Consumed        Revoked Expired
 *
 * The second row is terminal. `lapse` and `expire` belong to the clock: a read judges by it (`atClock`), only the
 * sweeper writes it down. `consume` exists for payment consents alone, and one that several must authorize is
 * authorized when all of them have (tpp-api 4.8).
 */
import type { Instant } from '../clock.ts'
import type { AccountId, ClientId, ConsentId, InteractionId, OrganisationId } from '../ids.ts'
import { never } from '../ids.ts'
import { authorizersOf, type PaymentTerms, termsAt, verdictOf } from './payment.ts'
import type { JsonObject, NonEmpty, RarElement, Subscription } from './shapes.ts'

export type { JsonObject, NonEmpty, RarElement, Subscription } from './shapes.ts'

export const STATUSES = [
  'AwaitingAuthorization',
  'Authorized',
  'Rejected',
  'Suspended',
  'Revoked',
  'Expired',
  'Consumed',
] as const
export type ConsentStatus = (typeof STATUSES)[number]
export const TYPES = ['account-access', 'service-initiation', 'insurance'] as const
export type ConsentType = (typeof TYPES)[number]
export type CallerKind = 'tpp' | 'lfi' | 'hub' | 'operator'
export type AuthorizationChannel = 'App' | 'Web'
export type RevokedBy = 'LFI' | 'TPP' | 'LFI.InitiatedByUser' | 'TPP.InitiatedByUser'
/** How the LFI names the user; members besides `userId` are its own (lfi-api 2.3). */
export type Psu = JsonObject & { readonly userId: string }

type Common = {
  readonly id: ConsentId
  readonly rarType: string
  readonly clientId: ClientId
  readonly organisationId: OrganisationId
  readonly baseConsentId: ConsentId | null
  readonly request: RarElement
  readonly requestHeaders: JsonObject
  readonly requestUrl: string
  readonly tpp: JsonObject
  readonly scope: string
  readonly permissions: readonly string[]
  readonly subscription: Subscription | null
  readonly isLargeCorporate: boolean | null
  readonly supplementaryInformation: JsonObject | null
  readonly parId: string | null
  readonly interactionId: InteractionId | null
  /** Set once, by whoever ends the authorization journey (doConfirm or doFail). */
  readonly completedAt: Instant | null
  readonly createdAt: Instant
  /** End of the authorization window; past it an awaiting consent lapses. The first of several authorizers moves it. */
  readonly authorizeBy: Instant
  readonly expiresAt: Instant
  readonly statusChangedAt: Instant
  readonly updatedAt: Instant
  readonly lastDataSharedAt: Instant | null
  readonly lastServiceInitiationAt: Instant | null
  /** Counts the changes; a write names the one it has read. */
  readonly revision: number
  /** `jti` of access tokens that the client gave back before their end. No part of the record. */
  readonly revokedTokens?: readonly string[]
}
/** What a type adds. Data sharing and insurance differ in what they name: of insurance, `accountIds` are the policies. */
type OfType = { readonly type: 'account-access' } | { readonly type: 'insurance' } | OfPayment
/** One account is debited. */
type OfPayment = {
  readonly type: 'service-initiation'
  readonly payment: PaymentTerms
  readonly accountIds: readonly [] | readonly [AccountId]
}
/** Before the decision the LFI may already have said who the user is, or not. */
type Proposed = {
  readonly psu: Psu | null
  readonly accountIds: readonly AccountId[]
  readonly channel: AuthorizationChannel | null
  readonly authorizedAt: null
}
type Granted = {
  readonly psu: Psu
  readonly accountIds: NonEmpty<AccountId>
  readonly channel: AuthorizationChannel
  readonly authorizedAt: Instant
}
/** `grantId` points at the authorization server's record behind the tokens; an ended consent has none. */
type Live = { readonly grantId: string | null }
type Ended = { readonly grantId: null }

export type Awaiting = Common & OfType & Proposed & Live & { readonly status: 'AwaitingAuthorization' }
export type Authorized = Common & OfType & Granted & Live & { readonly status: 'Authorized' }
export type Suspended = Common & OfType & Granted & Live & { readonly status: 'Suspended' }
export type Rejected = Common &
  OfType &
  Proposed &
  Ended & { readonly status: 'Rejected'; readonly rejectedFor: 'refused' | 'lapsed' }
export type Revoked = Common &
  OfType &
  (Proposed | Granted) &
  Ended & { readonly status: 'Revoked'; readonly revokedBy: RevokedBy }
export type Expired = Common & OfType & (Proposed | Granted) & Ended & { readonly status: 'Expired' }
export type Consumed = Common & OfPayment & Granted & Ended & { readonly status: 'Consumed' }
export type Consent = Awaiting | Authorized | Suspended | Rejected | Revoked | Expired | Consumed
export type LiveConsent = Awaiting | Authorized | Suspended
export type PaymentConsent = Extract<Consent, { readonly type: 'service-initiation' }>

export const MOVES = {
  AwaitingAuthorization: {
    authorize: 'Authorized',
    reject: 'Rejected',
    lapse: 'Rejected',
    revoke: 'Revoked',
    expire: 'Expired',
  },
  Authorized: { suspend: 'Suspended', revoke: 'Revoked', expire: 'Expired', consume: 'Consumed' },
  Suspended: { resume: 'Authorized', revoke: 'Revoked', expire: 'Expired' },
  Rejected: {},
  Revoked: {},
  Expired: {},
  Consumed: {},
} as const satisfies Record<ConsentStatus, Readonly<Record<string, ConsentStatus>>>

export type MoveFrom<S extends ConsentStatus> = S extends ConsentStatus ? keyof (typeof MOVES)[S] : never
export type Move = MoveFrom<ConsentStatus>

const OF_DATA = ['authorize', 'reject', 'suspend', 'resume', 'revoke', 'lapse', 'expire'] as const
/** tpp-api 4.1: only what is agreed to be done can be done with. */
export const MOVES_OF_TYPE = {
  'account-access': OF_DATA,
  insurance: OF_DATA,
  'service-initiation': [...OF_DATA, 'consume'],
} as const satisfies Record<ConsentType, readonly Move[]>
export type MoveOf<T extends ConsentType> = T extends ConsentType ? (typeof MOVES_OF_TYPE)[T][number] : never

/** tpp-api 4.2, column "who". An operator acts for the LFI and may only end a consent. */
export const MAY = {
  authorize: ['lfi'],
  reject: ['lfi'],
  suspend: ['lfi'],
  resume: ['lfi'],
  revoke: ['tpp', 'lfi', 'operator'],
  lapse: ['hub'],
  expire: ['lfi', 'hub'],
  consume: ['lfi', 'hub'],
} as const satisfies Record<Move, readonly CallerKind[]>

export type Ask =
  | { readonly move: Exclude<Move, 'revoke'>; readonly by: CallerKind }
  | { readonly move: 'revoke'; readonly by: CallerKind; readonly revokedBy: RevokedBy }
/** What may be asked of a consent of type T known to be in S: nothing at all once S is terminal. */
export type AskFrom<S extends ConsentStatus, T extends ConsentType = ConsentType> = [MoveFrom<S>] extends [never]
  ? never
  : Ask & { readonly move: MoveFrom<S> & MoveOf<T> }

export const REFUSALS = {
  terminal: 'The consent is in a terminal state',
  'not-from-here': 'The consent is not in a state that allows this',
  'not-by-caller': 'The caller may not make this change',
  lapsed: 'The authorization window of the consent has passed',
  expired: 'The consent has expired',
  'too-early': 'The consent has not reached its end',
  'psu-unknown': 'An authorized consent needs psuIdentifiers',
  'accounts-unknown': 'An authorized consent needs at least one account, or policy',
  'channel-unknown': 'An authorized consent needs an authorizationChannel',
  'psu-changed': 'An authorized consent cannot pass to another user',
  'psu-of-chain': 'The consent continues one of another user',
  'one-account': 'A payment consent has exactly one account',
  'one-authorizer': 'IsSingleAuthorization leaves no room for further authorizers',
  'authorizers-incoherent': 'MultipleAuthorizers names an authorizer twice, or no possible number of them',
  'authorizers-pending': 'Not every authorizer that is required has approved',
  'authorizers-refused': 'An authorizer has rejected the consent',
  'authorizers-decided': 'The authorizers of a decided consent do not change',
  'never-consumed': 'A consent of this type is never consumed',
  'not-revoked': 'RevokedBy belongs to a revocation',
  completed: 'The authorization of the consent has been completed',
} as const satisfies Record<string, string>
export type Refusal = keyof typeof REFUSALS

export type Decision = { readonly ok: true; readonly next: Consent } | { readonly ok: false; readonly refusal: Refusal }

/** Whether the move may be made, and what the consent is after it. `revision` and `updatedAt` are the store's. */
export function decide<C extends Consent>(consent: C, ask: AskFrom<C['status'], C['type']>, now: Instant): Decision {
  return judge(consent, ask, now)
}

function judge(consent: Consent, ask: Ask, now: Instant): Decision {
  if (isTerminal(consent)) return refuse('terminal')
  if (!Object.hasOwn(MOVES[consent.status], ask.move)) return refuse('not-from-here')
  if (!(MAY[ask.move] as readonly CallerKind[]).includes(ask.by)) return refuse('not-by-caller')
  const due = dueMove(consent, now)
  // What the clock has already decided stands, whether or not the sweeper has been here.
  if (due !== null && due.move !== ask.move) return refuse(due.move === 'lapse' ? 'lapsed' : 'expired')
  switch (ask.move) {
    case 'authorize':
      return consent.status === 'AwaitingAuthorization' ? authorize(consent, now) : refuse('not-from-here')
    case 'reject':
      return consent.status === 'AwaitingAuthorization'
        ? to({ ...consent, status: 'Rejected', rejectedFor: 'refused', grantId: null, statusChangedAt: now })
        : refuse('not-from-here')
    case 'suspend':
      return consent.status === 'Authorized'
        ? to({ ...consent, status: 'Suspended', statusChangedAt: now })
        : refuse('not-from-here')
    case 'resume':
      return consent.status === 'Suspended'
        ? to({ ...consent, status: 'Authorized', statusChangedAt: now })
        : refuse('not-from-here')
    case 'revoke':
      return to({ ...consent, status: 'Revoked', revokedBy: ask.revokedBy, grantId: null, statusChangedAt: now })
    case 'consume':
      return consent.status === 'Authorized' && consent.type === 'service-initiation'
        ? to({ ...consent, status: 'Consumed', grantId: null, statusChangedAt: now })
        : refuse('never-consumed')
    case 'lapse':
    case 'expire':
      return due === null ? refuse('too-early') : to(due.next)
    default:
      return never(ask)
  }
}

function authorize(consent: Awaiting, now: Instant): Decision {
  const { psu, accountIds, channel } = consent
  if (psu === null) return refuse('psu-unknown')
  if (!isNonEmpty(accountIds)) return refuse('accounts-unknown')
  if (channel === null) return refuse('channel-unknown')
  const granted = { status: 'Authorized', psu, channel, authorizedAt: now, statusChangedAt: now } as const
  if (consent.type !== 'service-initiation') return to({ ...consent, ...granted, accountIds })
  const [debtor, ...others] = accountIds
  if (others.length > 0) return refuse('one-account')
  const authorizers = authorizersOf(consent.payment)
  const verdict = authorizers === null ? 'approved' : verdictOf(authorizers)
  if (verdict !== 'approved') return refuse(verdict === 'pending' ? 'authorizers-pending' : 'authorizers-refused')
  return to({ ...consent, ...granted, accountIds: [debtor] })
}

type Due = { readonly move: 'lapse' | 'expire'; readonly next: Rejected | Expired }

/** The move that the clock has made. Of two ends that have both passed, the earlier one counts. */
function dueMove(consent: LiveConsent, now: Instant): Due | null {
  const { authorizeBy, expiresAt } = consent
  if (consent.status === 'AwaitingAuthorization' && authorizeBy < expiresAt && now >= authorizeBy) {
    const next = { ...consent, status: 'Rejected', rejectedFor: 'lapsed', grantId: null } as const
    return { move: 'lapse', next: { ...next, statusChangedAt: authorizeBy } }
  }
  if (now < expiresAt) return null
  return { move: 'expire', next: { ...consent, status: 'Expired', grantId: null, statusChangedAt: expiresAt } }
}

/** The move that is due by the clock, if any. */
export function due(consent: Consent, now: Instant): Due['move'] | null {
  return isTerminal(consent) ? null : (dueMove(consent, now)?.move ?? null)
}

/** The consent as it stands at `now`, whether or not the sweeper has written it down yet. */
export function atClock(consent: Consent, now: Instant): Consent {
  const standing = isTerminal(consent) ? consent : (dueMove(consent, now)?.next ?? consent)
  if (standing.type !== 'service-initiation') return standing
  const payment = termsAt(standing.payment, now)
  return payment === standing.payment ? standing : { ...standing, payment }
}

declare const judged: unique symbol
/** An authorized consent whose end was checked against a clock. Only `usable` makes one. */
export type Usable = Authorized & { readonly [judged]: true }
export type Usability =
  | { readonly ok: true; readonly consent: Usable }
  | { readonly ok: false; readonly status: Exclude<ConsentStatus, 'Authorized'> }

/** tpp-api 4.9: data is served under an authorized consent whose end lies ahead, and under nothing else. */
export function usable(consent: Consent, now: Instant): Usability {
  const current = atClock(consent, now)
  if (current.status !== 'Authorized') return { ok: false, status: current.status }
  return { ok: true, consent: current as Usable }
}

export function isTerminal(consent: Consent): consent is Exclude<Consent, LiveConsent> {
  return Object.keys(MOVES[consent.status]).length === 0
}

export function isNonEmpty<T>(list: readonly T[]): list is NonEmpty<T> {
  return list.length > 0
}

const to = (next: Consent): Decision => ({ ok: true, next })
const refuse = (refusal: Refusal): Decision => ({ ok: false, refusal })
