/** The audit entries of one call: what the TPP asked and got, and what the LFI was asked for it. */
import type { AuditEntry } from '../audit/index.ts'
import { type ConsentId, toClientId, toConsentId } from '../ids.ts'
import type { Facts } from './facts.ts'
import type { Services } from './services.ts'

export type Outcome = {
  readonly status: number
  readonly errorCode: string | null
  readonly records: number | null
}
/** No answer was sent because the caller had gone: a status of the log only. */
export const CALLER_GONE: Outcome = { status: 499, errorCode: 'Cancelled', records: null }

export function entriesOf(
  facts: Partial<Facts> & Pick<Facts, 'arrival'>,
  outcome: Outcome,
  totalMs: number,
  { tenant, routes }: Services,
): readonly AuditEntry[] {
  const { arrival, route, exchange } = facts
  const common = { at: arrival.receivedAt, interactionId: arrival.correlationId, tenantId: tenant.id }
  const clientId = facts.client?.clientId ?? certified(facts)
  const consentId = consentOf(facts)
  const call: AuditEntry = {
    kind: 'tpp-call',
    ...common,
    clientId,
    organisationId:
      facts.client?.organisationId ?? (arrival.peer?.trusted === true ? arrival.peer.organisationId : null),
    surface: 'rs',
    operationId: route?.operationId ?? null,
    method: arrival.method,
    route: route === undefined ? null : routes.template(route),
    ...outcome,
    consentId,
    attended: arrival.headers['x-fapi-customer-ip-address'] !== undefined,
    hubMs: totalMs - (exchange?.lfiMs ?? 0),
    lfiMs: exchange?.lfiMs ?? null,
    lfiStatus: exchange?.attempt.status ?? null,
  }
  if (exchange === undefined) return [call]
  const { operationId, method, lfiMs, attempt } = exchange
  const lfiCall: AuditEntry = {
    kind: 'lfi-call',
    ...common,
    clientId,
    consentId,
    operationId,
    method,
    route: exchange.route,
    status: attempt.status,
    outcome:
      isData(attempt.status) && facts.translation === undefined && attempt.outcome === 'answered'
        ? 'invalid-response'
        : attempt.outcome,
    lfiMs,
  }
  return [call, lfiCall]
}

/** Whose certificate it was, where the request did not get as far as its client. */
const certified = ({ arrival: { peer } }: Pick<Facts, 'arrival'>) =>
  peer?.trusted === true ? toClientId(peer.commonName) : null

/** The consent that the call is about, once the caller is known. */
function consentOf(facts: Partial<Facts>): ConsentId | null {
  if (facts.client === undefined) return null
  return facts.userToken?.consentId ?? toConsentId(facts.pathValues?.['ConsentId'])
}

const isData = (status: number | null): boolean => status !== null && status >= 200 && status < 300
