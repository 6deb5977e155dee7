/**
 * The one way a stored consent changes: locked, judged, saved on the revision that was read, and in the same
 * transaction its audit entry, its trail row, its notices and, at its end, the end of its tokens. Either all of it
 * is there afterwards or nothing is.
 */
import type { Audit, AuditEntry } from '../audit/index.ts'
import type { Clock, Instant } from '../clock.ts'
import { type Db, inTransaction, type Tx } from '../db.ts'
import { HubError } from '../errors.ts'
import type { ConsentId, TenantId } from '../ids.ts'
import { agreedFactsOf } from './agreed-facts.ts'
import {
  atClock,
  type Consent,
  type ConsentStatus,
  isTerminal,
  type JsonObject,
  REFUSALS,
  type Refusal,
} from './consent.ts'
import { noticesOf } from './outbox.ts'
import { saveChange, saveTraces } from './save-change.ts'
import type { Step } from './steps.ts'
import { chainUserOf, lock, saveEnds } from './store.ts'
import { type Caller, type ChangeName, difference } from './trail.ts'

export type Unit = {
  readonly db: Db
  readonly tenantId: TenantId
  readonly clock: Clock
  readonly audit: Audit
  /** Ends the tokens behind a grant. Runs in the transaction that ends the consent. */
  readonly onTerminal?: (tx: Tx, grantId: string) => Promise<void>
}

/** `changed` names the members of the record that differ now; empty when there was nothing to do. */
export type Outcome = { readonly consent: Consent; readonly changed: readonly string[] }

export type ChangeRequest = {
  readonly id: ConsentId
  readonly caller: Caller
  /** Absent and foreign look the same to a caller: it is told that there is no such consent. */
  readonly mayTouch?: (consent: Consent) => boolean
  /** `chainUser`: who authorized the consents that this one continues; null where nobody has. */
  readonly step: (consent: Consent, now: Instant, chainUser: string | null) => Step
  /** Facts of this change for the trail that are no members of the consent. */
  readonly remark?: JsonObject
}

/** @throws HubError Consent.Invalid, Consent.BusinessRuleViolation (not to TPPs), GenericRecoverableError */
export function change(unit: Unit, request: ChangeRequest): Promise<Outcome> {
  return retryingOnce(() => inTransaction(unit.db, (tx) => changeIn(tx, unit, request)))
}

export async function changeIn(tx: Tx, unit: Unit, request: ChangeRequest): Promise<Outcome> {
  const before = await lock(tx, request.id)
  if (before === null || request.mayTouch?.(before) === false) throw unknownConsent()
  const now = unit.clock.now()
  const step = request.step(before, now, await chainUserOf(tx, before))
  if (step === null) return { consent: atClock(before, now), changed: [] }
  if (!step.ok) throw refused(step.refusal, request.caller)
  return record(tx, unit, before, step, request)
}

export type Recorder = Pick<ChangeRequest, 'caller' | 'remark'> & {
  /** Of what else has changed in the transaction: accepted with the entry of the consent, before it. */
  readonly beside?: readonly AuditEntry[]
}

/** Saves a change that has been decided, with everything that belongs to it. */
export async function record(
  tx: Tx,
  unit: Unit,
  before: Consent,
  step: { readonly change: ChangeName; readonly next: Consent },
  { caller, remark, beside = [] }: Recorder,
): Promise<Outcome> {
  const decided = following(unit, before, step)
  if (decided === null) {
    const [first, ...others] = beside
    if (first !== undefined) await unit.audit.append(tx, first, ...others)
    return { consent: before, changed: [] }
  }
  const { consent, patch } = decided
  const traces: Traces = { ...decided.traces, caller, patch: { ...patch, ...remark } }
  const trail = { ...traces, from: before.status }
  if (!(await saveChange(tx, { before, consent, trail, notices: noticesOf(traces), channel: CHANNEL }))) {
    throw new Conflict()
  }
  if (before.grantId !== null && isTerminal(consent)) await unit.onTerminal?.(tx, before.grantId)
  await unit.audit.append(tx, ...inOrder(beside, auditEntry(unit, traces)))
  return { consent, changed: traces.changed }
}

/** A list that has one at least. */
function inOrder(beside: readonly AuditEntry[], own: AuditEntry): readonly [AuditEntry, ...AuditEntry[]] {
  const [first, ...others] = beside
  return first === undefined ? [own] : [first, ...others, own]
}

type Decided = { readonly change: ChangeName; readonly next: Consent }

/** The consent that is stored after a step, and what is told of it; null when the step changes nothing. */
function following(unit: Unit, before: Consent, step: Decided) {
  const { changed, patch } = difference(before, step.next)
  if (changed.length === 0) return null
  const now = unit.clock.now()
  // Strictly later than before, so that a reader of the change stream who saw the last change sees this one.
  const updatedAt = Math.max(now, before.updatedAt + 1) as Instant
  const consent: Consent = { ...step.next, updatedAt, revision: before.revision + 1 }
  return { consent, patch, traces: { before, consent, change: step.change, changed, now } }
}

/**
 * Many consents that the clock has ended, all or none, in a handful of statements: a hundred thousand may end in the
 * same second. Whoever calls has locked them.
 */
export async function recordEnds(
  tx: Tx,
  unit: Unit,
  ends: readonly { readonly before: Consent; readonly step: Decided }[],
  caller: Caller,
): Promise<number> {
  const decided = ends.flatMap(({ before, step }) => following(unit, before, step) ?? [])
  if (decided.length === 0) return 0
  if (
    (await saveEnds(
      tx,
      decided.map(({ consent }) => consent),
    )) !== decided.length
  )
    throw new Conflict()
  for (const { traces } of decided) {
    if (traces.before.grantId !== null) await unit.onTerminal?.(tx, traces.before.grantId)
  }
  await leaveTraces(
    tx,
    unit,
    decided.map(({ traces, patch }) => ({ ...traces, caller, patch })),
  )
  return decided.length
}

type Traces = {
  readonly before: Consent | null
  readonly consent: Consent
  readonly change: ChangeName
  readonly changed: readonly string[]
  readonly now: Instant
  readonly caller: Caller
  readonly patch: JsonObject
}

export async function leaveTraces(tx: Tx, unit: Unit, all: readonly Traces[]): Promise<void> {
  const [first, ...others] = all.map((traces) => auditEntry(unit, traces))
  if (first === undefined) return
  await unit.audit.append(tx, first, ...others)
  const trail = all.map((traces) => ({ ...traces, from: traces.before?.status ?? null }))
  await saveTraces(tx, { trail, notices: all.flatMap(noticesOf), channel: CHANNEL })
}

function auditEntry(unit: Unit, { before, consent, change, changed, now, caller }: Traces) {
  const from: ConsentStatus | null = before?.status ?? null
  return {
    kind: 'consent-changed',
    at: now,
    tenantId: unit.tenantId,
    interactionId: caller.interactionId,
    consentId: consent.id,
    change,
    from,
    to: consent.status,
    revision: consent.revision,
    by: caller.by,
    callerOrganisationId: caller.organisationId,
    callerClientId: caller.clientId,
    changed: [...changed],
    ...agreedFactsOf(consent),
  } as const
}

/** PostgreSQL channel on which every stored change is announced with the consent's id, once it is committed. */
export const CHANNEL = 'falaj_consent'

export const unknownConsent = (): HubError =>
  new HubError('Consent.Invalid', { rule: 'consent.known', reason: 'There is no such consent' })

/** The LFI is told which rule it broke; to a TPP a consent that cannot do this is an invalid one (tpp-api 4.2). */
export function refused(refusal: Refusal, caller: Caller): HubError {
  const code = caller.by === 'tpp' ? 'Consent.Invalid' : 'Consent.BusinessRuleViolation'
  return new HubError(code, { rule: 'consent.move', reason: REFUSALS[refusal], detail: refusal })
}

/** Somebody else changed the consent between reading and saving. */
class Conflict extends Error {
  constructor() {
    super('the consent was changed meanwhile')
    this.name = 'Conflict'
  }
}

/** serialization_failure, deadlock_detected */
const TRANSIENT = new Set(['40001', '40P01'])
const isConflict = (thrown: unknown): boolean =>
  thrown instanceof Conflict || (thrown instanceof Error && 'code' in thrown && TRANSIENT.has(String(thrown.code)))

export async function retryingOnce<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (first) {
    if (!isConflict(first)) throw first
  }
  try {
    return await work()
  } catch (second) {
    if (!isConflict(second)) throw second
    throw new HubError('GenericRecoverableError', { detail: 'the consent was changed meanwhile, twice', cause: second })
  }
}
