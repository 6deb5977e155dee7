/** The consent store of one tenant: the agreement behind every request for data, and the history of that agreement. */
import type { Instant } from '../clock.ts'
import type { Migration, Tx } from '../db.ts'
import type { ClientId, ConsentId, CorrelationId, InteractionId } from '../ids.ts'
import { addRevokedToken, type RevokedToken } from '../revoked-tokens.ts'
import type { Outcome, Recorder, Unit } from './change.ts'
import { atClock, type Consent, type ConsentStatus, STATUSES } from './consent.ts'
import { attachGrant, attachPar, claimCompletion, detachGrant } from './journey.ts'
import { type ConsentFilter, type ConsentPage, createLists } from './list.ts'
import { type LodgeAsk, type Lodged, lodge } from './lodge.ts'
import { consentTables } from './migrations/0010-consent.ts'
import { consentRevokedTokens } from './migrations/0011-consent-revoked-tokens.ts'
import { paymentConsents } from './migrations/0012-payment-consents.ts'
import { outboxResources } from './migrations/0014-outbox-resources.ts'
import { consentVersions } from './migrations/0015-consent-version.ts'
import { consentLists } from './migrations/0016-consent-lists.ts'
import { consentSlots } from './migrations/0017-consent-slots.ts'
import { paymentIdsElsewhere } from './migrations/0017-payment-ids-elsewhere.ts'
import { consentsOfClient } from './migrations/0018-consents-of-client.ts'
import { consentListsByClock } from './migrations/0019-consent-lists-by-clock.ts'
import { consentMoves } from './migrations/0020-consent-moves.ts'
import { consentsAhead } from './migrations/0020-consents-ahead.ts'
import {
  linkInteraction,
  notePayment,
  patchByLfi,
  patchByTpp,
  type Revocation,
  revoke,
  revokeGroup,
} from './operations.ts'
import { type Past, readPast } from './past.ts'
import { type ConsentSearch, search } from './search.ts'
import type { LfiPatch, PaymentNote, TppPatch } from './steps.ts'
import { type LockedConsent, lock, read, readGroup, readOwned, rememberedConsents } from './store.ts'
import { sweep } from './sweeper.ts'
import { tallyAt } from './tally.ts'
import { type Caller, readLodging, readTrail, type TrailRow } from './trail.ts'
import { createUsage } from './usage.ts'

export { CHANNEL as CONSENT_CHANNEL, type Outcome, type Recorder } from './change.ts'
export {
  type AskFrom,
  type AuthorizationChannel,
  type Authorized,
  atClock,
  type CallerKind,
  type Consent,
  type ConsentStatus,
  type ConsentType,
  isNonEmpty,
  isTerminal,
  type JsonObject,
  type LiveConsent,
  type NonEmpty,
  type PaymentConsent,
  type Psu,
  type RarElement,
  type RevokedBy,
  STATUSES as CONSENT_STATUSES,
  type Subscription,
  type Usability,
  type Usable,
  usable,
} from './consent.ts'
export {
  amountsIn,
  type ControlParameters,
  controlParametersOf,
  type FilePayment,
  type MultiPayment,
  type Parsed as ParsedControlParameters,
  type Period as PaymentPeriod,
  type PeriodicSchedule,
  type PeriodLimits,
  type PeriodType,
  parseControlParameters,
  type ScheduleType,
  type SinglePayment,
} from './control-parameters.ts'
export { isExhausted, type Spending } from './exhausted.ts'
export {
  type Asked,
  consumptionOf,
  LIMIT_FAULTS,
  type LimitFault,
  limitFault,
  type Paid,
  spendingOf,
} from './limits.ts'
export type { ConsentFilter, ConsentPage } from './list.ts'
export { awaiting, isRepeated, type LodgeAsk, type Lodged } from './lodge.ts'
export type { Revocation } from './operations.ts'
export { enqueueResource, type ResourceKind } from './outbox.ts'
export { agreementOf, type Past } from './past.ts'
export {
  type Charge,
  chargesOf,
  type ExchangeRate,
  isCoherent,
  type MultipleAuthorizers,
  type PaymentConsumption,
  type PaymentTerms,
} from './payment.ts'
export type { ConsentSearch } from './search.ts'
export type { LfiPatch, PatchableStatus, PaymentNote, PaymentPatch, TppPatch } from './steps.ts'
export type { LockedConsent } from './store.ts'
export type { Caller, ChangeName, TrailRow } from './trail.ts'
export { CONSENT_TYPE_NAMES, lfiRecord, type TppConsentView, tppData, tppView } from './views.ts'

export const migrations: readonly Migration[] = [
  consentTables,
  consentRevokedTokens,
  paymentConsents,
  outboxResources,
  consentVersions,
  consentLists,
  consentSlots,
  paymentIdsElsewhere,
  consentsOfClient,
  consentListsByClock,
  consentMoves,
  consentsAhead,
]

/**
 * What is read is the consent as it stands by the clock: past its end it is Expired (or Rejected, when it lapsed),
 * whether or not the sweeper has been there. Reads write nothing. A change that cannot be made is a HubError:
 * Consent.Invalid for an unknown consent and for every refusal to a TPP, Consent.BusinessRuleViolation for a refusal
 * to anybody else, GenericRecoverableError when others changed the consent at the same time, twice.
 */
export type ConsentStore = {
  /** Joins the caller's transaction: a pushed request that fails later leaves no consent behind. */
  lodge(tx: Tx, ask: LodgeAsk, caller: Caller): Promise<Lodged>
  /** After `lodge`, in its transaction. Answers with the request_uri whose place it takes, if there was one. */
  attachPar(tx: Tx, id: ConsentId, parId: string): Promise<string | null>
  find(id: ConsentId): Promise<Consent | null>
  /** The same answer for a consent that is absent and for another client's. */
  findOwned(id: ConsentId, clientId: ClientId): Promise<Consent | null>
  /** The root and the consents that name it as BaseConsentId; the caller's only. Oldest first. */
  listGroup(baseConsentId: ConsentId, clientId: ClientId): Promise<readonly Consent[]>
  /** The latest wins, while the consent awaits authorization and no journey has been completed. */
  linkInteraction(id: ConsentId, interactionId: InteractionId, caller: Caller): Promise<Outcome>
  byInteraction(interactionId: InteractionId): Promise<Consent | null>
  /** True for exactly one caller, ever. */
  claimCompletion(tx: Tx, id: ConsentId, interactionId: InteractionId): Promise<boolean>
  attachGrant(tx: Tx, id: ConsentId, grantId: string): Promise<void>
  /** The consent stays as it is; its tokens open nothing from now on. */
  detachGrant(tx: Tx, grantId: string): Promise<void>
  /** An access token under the consent is refused from now on; false when as many are already as can be kept. */
  revokeToken(tx: Tx, id: ConsentId, token: RevokedToken): Promise<boolean>
  patchByTpp(id: ConsentId, clientId: ClientId, patch: TppPatch, caller: Caller): Promise<Outcome>
  patchByLfi(id: ConsentId, patch: LfiPatch, caller: Caller): Promise<Outcome>
  /** Within the transaction that records a payment: what is used up now; the consent is consumed when all of it is. */
  notePayment(tx: Tx, consent: LockedConsent, note: PaymentNote, by: Recorder): Promise<Outcome>
  /** A consent that has ended stays as it is. */
  revoke(id: ConsentId, ask: Revocation, caller: Caller): Promise<Outcome>
  revokeGroup(groupId: string, ask: Revocation, caller: Caller): Promise<readonly Outcome[]>
  /** The total of a page that continues one of the last minute is the one of then. */
  listForLfi(filter: ConsentFilter): Promise<ConsentPage>
  /** The newest that are all of what is asked for, and no count: for whoever looks for one. */
  search(asked: ConsentSearch): Promise<readonly Consent[]>
  /** How many there are of each, by the clock. */
  countByStatus(): Promise<Readonly<Record<ConsentStatus, number>>>
  /**
   * What the consent was at a moment, by the clock of the hub that changed it; null for an unknown one. A change is
   * as old as its decision, which its commit follows within the same transaction.
   */
  findAt(id: ConsentId, at: Instant): Promise<Past | null>
  /** Oldest first; empty for an unknown consent. */
  trail(id: ConsentId): Promise<readonly TrailRow[]>
  /** The interaction that lodged it; null for an unknown consent. */
  lodgedBy(id: ConsentId): Promise<CorrelationId | null>
  /** At most once a minute for a consent; counts as no change of it. */
  touchUsage(id: ConsentId, at: Instant): Promise<void>
  /**
   * As it is stored, whatever the clock says of it, and so it stays until the transaction ends; whoever locks anything
   * else as well locks this first, and once.
   */
  lock(tx: Tx, id: ConsentId): Promise<LockedConsent | null>
  /** Ends up to `limit` consents that the clock has ended, for a few seconds at most; how many it did. */
  sweep(limit: number): Promise<number>
}

export type ConsentStoreDeps = Unit

export function createConsentStore(deps: ConsentStoreDeps): ConsentStore {
  const { db, clock } = deps
  const remembered = rememberedConsents(db)
  const lists = createLists(db)
  const present = (consent: Consent | null) => (consent === null ? null : atClock(consent, clock.now()))
  const presentAll = (consents: readonly Consent[]) => {
    const now = clock.now()
    return consents.map((consent) => atClock(consent, now))
  }
  return {
    lodge: (tx, ask, caller) => lodge(tx, deps, ask, caller),
    attachPar,
    find: async (id) => present(await remembered.get(id)),
    findOwned: async (id, clientId) => present(await readOwned(db, id, clientId)),
    listGroup: async (baseConsentId, clientId) => presentAll(await readGroup(db, baseConsentId, clientId)),
    linkInteraction: (id, interactionId, caller) => linkInteraction(deps, id, interactionId, caller),
    byInteraction: async (interactionId) => present(await read(db, { interaction_id: interactionId })),
    claimCompletion: (tx, id, interactionId) => claimCompletion(tx, clock, id, interactionId),
    attachGrant: (tx, id, grantId) => attachGrant(tx, clock, id, grantId),
    detachGrant,
    revokeToken: (tx, id, token) => addRevokedToken(tx, clock, { of: 'consent', id }, token),
    patchByTpp: (id, clientId, patch, caller) => patchByTpp(deps, id, clientId, patch, caller),
    patchByLfi: (id, patch, caller) => patchByLfi(deps, id, patch, caller),
    notePayment: (tx, consent, note, by) => notePayment(tx, deps, consent, note, by),
    revoke: (id, ask, caller) => revoke(deps, id, ask, caller),
    revokeGroup: (groupId, ask, caller) => revokeGroup(deps, groupId, ask, caller),
    listForLfi: async (filter) => {
      const { rows, totalRecords } = await lists.page(filter, clock.now())
      return { rows: presentAll(rows), totalRecords }
    },
    search: async (asked) => presentAll(await search(db, lists, asked, clock.now())),
    countByStatus: async () => {
      const now = clock.now()
      const count = (status: ConsentStatus) => tallyAt(db, { type: undefined, status }, now)
      const counted = STATUSES.map(async (status) => [status, await count(status)] as const)
      return Object.fromEntries(await Promise.all(counted)) as Record<ConsentStatus, number>
    },
    findAt: (id, at) => readPast(db, id, at),
    trail: (id) => readTrail(db, id),
    lodgedBy: (id) => readLodging(db, id),
    touchUsage: createUsage(db),
    lock,
    sweep: (limit) => sweep(deps, limit),
  }
}
