/**
 * The one way a stored consent changes: locked, judged, saved on the revision that was read, and in the same
 * transaction its audit entry, its trail row, its notices and, at its end, the end of its tokens. Either all of it
 * is there afterwards or nothing is.
 */
import type { Audit } from '../audit/index.ts'
import type { Clock, Instant } from '../clock.ts'
import { type Db, inTransaction, type Tx } from '../db.ts'
import { HubError } from '../errors.ts'
import type { ConsentId, TenantId } from '../ids.ts'
import {
  atClock,
  type Consent,
  type ConsentStatus,
  isTerminal,
  type JsonObject,
  REFUSALS,
  type Refusal,
} from './consent.ts'
import { enqueue } from './outbox.ts'
import type { Step } from './steps.ts'
import { lock, save } from './store.ts'
import { addTrail, type Caller, type ChangeName, difference } from './trail.ts'

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
  readonly step: (consent: Consent, now: Instant) => Step
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
  const step = request.step(before, now)
  if (step === null) return { consent: atClock(before, now), changed: [] }
  if (!step.ok) throw refused(step.refusal, request.caller)
  return record(tx, unit, before, step, request)
}

/** Saves a change that has been decided, with everything that belongs to it. */
export async function record(
  tx: Tx,
  unit: Unit,
  before: Consent,
  step: { readonly change: ChangeName; readonly next: Consent },
  request: Pick<ChangeRequest, 'caller' | 'remark'>,
): Promise<Outcome> {
  const { changed, patch } = difference(before, step.next)
  if (changed.length === 0) return { consent: before, changed }
  const now = unit.clock.now()
  // Strictly later than before, so that a reader of the change stream who saw the last change sees this one.
  const updatedAt = Math.max(now, before.updatedAt + 1) as Instant
  const consent: Consent = { ...step.next, updatedAt, revision: before.revision + 1 }
  if (!(await save(tx, consent, before.revision))) throw new Conflict()
  if (before.grantId !== null && isTerminal(consent)) await unit.onTerminal?.(tx, before.grantId)
  await leaveTraces(tx, unit, { before, consent, change: step.change, changed, now }, request.caller, {
    ...patch,
    ...request.remark,
  })
  return { consent, changed }
}

type Traces = {
  readonly before: Consent | null
  readonly consent: Consent
  readonly change: ChangeName
  readonly changed: readonly string[]
  readonly now: Instant
}

export async function leaveTraces(
  tx: Tx,
  unit: Unit,
  traces: Traces,
  caller: Caller,
  patch: JsonObject,
): Promise<void> {
  const { before, consent, change, changed, now } = traces
  const from: ConsentStatus | null = before?.status ?? null
  await unit.audit.append(tx, {
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
  })
  await addTrail(tx, { consent, from, change, patch, caller })
  await enqueue(tx, { before, consent, change, caller })
  await tx.raw('select pg_notify(?, ?)', [CHANNEL, consent.id])
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
