/** The audit entries of one call: what the TPP asked and got, and what the LFI was asked for it. */
import type { AuditEntry } from '../audit/index.ts'
import { receivedDigest } from '../body.ts'
import { HubError } from '../errors.ts'
import { type ConsentId, type CorrelationId, toClientId, toConsentId } from '../ids.ts'
import { billingOf, type Explained, resourceOf, UNEXPLAINED } from '../measure.ts'
import { apiSetOf } from './api-sets.ts'
import type { Facts } from './facts.ts'
import type { Services } from './services.ts'
import type { Timing } from './stage.ts'

export type Outcome = {
  readonly status: number
  readonly errorCode: string | null
  readonly records: number | null
  /** Of the body as it is sent. */
  readonly responseDigest: string | null
  readonly why: Explained
}

/** In milliseconds. Recording and sending come after: a record cannot hold its own duration. */
export type Segments = {
  readonly totalMs: number
  readonly hubInMs: number | null
  readonly lfiMs: number | null
  readonly hubOutMs: number | null
}

/** The time of a call between the hub and the LFI (lfi-api 8: who answers for which part of the 500 ms). */
export function segmentsOf(
  startedAt: number,
  now: number,
  exchange: Facts['exchange'] | undefined,
  timings: readonly Timing[],
): Segments {
  const totalMs = now - startedAt
  const asked = timings.findLast((timing) => timing.asked)
  if (exchange === undefined || asked === undefined) return { totalMs, hubInMs: null, lfiMs: null, hubOutMs: null }
  const { lfiMs } = exchange
  const hubInMs = Math.max(0, asked.endedAt - lfiMs - startedAt)
  return { totalMs, hubInMs, lfiMs, hubOutMs: Math.max(0, totalMs - hubInMs - lfiMs) }
}

/** No answer was sent because the caller had gone: a status of the log only. */
export const CALLER_GONE: Outcome = {
  status: 499,
  errorCode: 'Cancelled',
  records: null,
  responseDigest: null,
  why: UNEXPLAINED,
}

export function entriesOf(
  facts: Partial<Facts> & Pick<Facts, 'arrival'>,
  outcome: Outcome,
  segments: Segments,
  { tenant, routes }: Services,
): readonly AuditEntry[] {
  const { arrival, route, exchange } = facts
  const common = { at: arrival.receivedAt, interactionId: arrival.correlationId, tenantId: tenant.id }
  const clientId = facts.client?.clientId ?? certified(facts)
  const consentId = consentOf(facts)
  const { why, ...answered } = outcome
  const template = route === undefined ? null : routes.template(route)
  const call: AuditEntry = {
    kind: 'tpp-call',
    ...common,
    clientId,
    organisationId:
      facts.client?.organisationId ?? (arrival.peer?.trusted === true ? arrival.peer.organisationId : null),
    surface: 'rs',
    operationId: route?.operationId ?? null,
    method: arrival.method,
    route: template,
    ...answered,
    consentId,
    attended: arrival.headers['x-fapi-customer-ip-address'] !== undefined,
    hubMs: segments.totalMs - (exchange?.lfiMs ?? 0),
    lfiMs: exchange?.lfiMs ?? null,
    lfiStatus: exchange?.attempt.status ?? null,
    softwareStatementId: facts.client?.softwareStatementId ?? null,
    apiSet: route === undefined ? null : apiSetOf(route),
    hubInMs: segments.hubInMs,
    hubOutMs: segments.hubOutMs,
    lfiOutcome: exchange === undefined ? null : lfiOutcomeOf(exchange, facts, answered.status),
    ...billingOf(facts.body),
    resource: resourceOf(template),
    ...why,
    requestDigest: receivedDigest(arrival.request),
    parentInteractionId: firstAsked(facts),
  }
  if (exchange === undefined) return [call]
  const { operationId, method, lfiMs, attempt, requestDigest } = exchange
  const lfiCall: AuditEntry = {
    kind: 'lfi-call',
    ...common,
    clientId,
    consentId,
    operationId,
    method,
    route: exchange.route,
    status: attempt.status,
    outcome: lfiOutcomeOf(exchange, facts, answered.status),
    lfiMs,
    requestDigest,
    parentInteractionId: null,
  }
  return [call, lfiCall]
}

/** A payment that is asked for again goes on, or is answered, as it was under the first request (tpp-api 5.3). */
function firstAsked({ first, reserved, arrival }: Partial<Facts> & Pick<Facts, 'arrival'>): CorrelationId | null {
  const id = (reserved?.payment ?? first)?.interactionId ?? null
  return id === arrival.correlationId ? null : id
}

/** An answer with data that could not be made into ours broke the contract. */
const lfiOutcomeOf = (
  { attempt }: Facts['exchange'],
  facts: Partial<Facts>,
  status: number,
): Facts['exchange']['attempt']['outcome'] =>
  isData(attempt.status) && attempt.outcome === 'answered' && !isUnderstood(facts, status)
    ? 'invalid-response'
    : attempt.outcome

/** Whether the answer was fit to pass on, whatever came of that. */
function isUnderstood({ translation, verdict }: Partial<Facts>, status: number): boolean {
  if (verdict !== undefined) return !(verdict instanceof HubError)
  return translation !== undefined || status < 500
}

/** Whose certificate it was, where the request did not get as far as its client. */
const certified = ({ arrival: { peer } }: Pick<Facts, 'arrival'>) =>
  peer?.trusted === true ? toClientId(peer.commonName) : null

/** The consent that the call is about, once the caller is known. */
function consentOf(facts: Partial<Facts>): ConsentId | null {
  if (facts.client === undefined) return null
  return facts.userToken?.consentId ?? facts.entry?.consentId ?? toConsentId(facts.pathValues?.['ConsentId'])
}

const isData = (status: number | null): boolean => status !== null && status >= 200 && status < 300
