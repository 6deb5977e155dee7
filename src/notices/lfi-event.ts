/** One event to the LFI: sent once, whatever comes of it (lfi-api 5.2). */
import type { Audit } from '../audit/index.ts'
import type { Clock } from '../clock.ts'
import type { ConsentStore } from '../consent-store/index.ts'
import { newCorrelationId, type TenantId } from '../ids.ts'
import type { ConsentActions } from '../lfi/index.ts'
import { newTrace } from '../trace.ts'
import type { LfiEvent, Settled } from './queue.ts'

export type LfiEventDeps = {
  readonly tenantId: TenantId
  readonly consents: Pick<ConsentStore, 'find'>
  readonly consentActions: ConsentActions
  readonly audit: Audit
  readonly clock: Clock
}

/** The LFI is told what the consent is now, not what it was. */
export async function tellLfi(
  deps: LfiEventDeps,
  notice: LfiEvent,
): Promise<{ readonly state: Settled; readonly outcome: string }> {
  const consent = await deps.consents.find(notice.consentId)
  if (consent === null) return { state: 'dropped', outcome: 'the consent is gone' }
  const correlationId = notice.interactionId ?? newCorrelationId()
  const interaction = { correlationId, correlationGiven: false, trace: newTrace() }
  const exchange = await deps.consentActions.tell(notice.event, consent, interaction)
  const { attempt, operationId, method, route, lfiMs, requestDigest } = exchange
  await deps.audit.record({
    kind: 'lfi-call',
    at: deps.clock.now(),
    interactionId: correlationId,
    tenantId: deps.tenantId,
    clientId: consent.clientId,
    consentId: consent.id,
    operationId,
    method,
    route,
    status: attempt.status,
    outcome: attempt.outcome,
    lfiMs,
    requestDigest,
    // It goes out under the interaction that made the change.
    parentInteractionId: null,
  })
  if (attempt.outcome !== 'answered') return { state: 'failed', outcome: attempt.outcome }
  const taken = attempt.status >= 200 && attempt.status < 300
  return { state: taken ? 'delivered' : 'failed', outcome: `answered ${attempt.status}` }
}
