/** What a change of a payment, quote or opening leaves behind, in the transaction that makes it. */
import type { Audit, BilledFacts } from '../audit/index.ts'
import type { Clock, Instant } from '../clock.ts'
import {
  type Caller,
  type ConsentStore,
  enqueueResource,
  type JsonObject,
  type ResourceKind,
} from '../consent-store/index.ts'
import type { Db, Tx } from '../db.ts'
import type { ClientId, ConsentId, TenantId } from '../ids.ts'

export type Unit = {
  readonly db: Db
  readonly tenantId: TenantId
  readonly clock: Clock
  readonly audit: Audit
  readonly consents: Pick<ConsentStore, 'lock' | 'notePayment'>
}

export type ResourceChange = 'asked' | 'resumed' | 'answered' | 'unanswered' | 'patched' | 'moved' | 'subscription'

export type Traces = {
  readonly resource: ResourceKind
  readonly logId: string
  readonly consentId: ConsentId | null
  readonly clientId: ClientId
  readonly at: Instant
  readonly change: ResourceChange
  readonly from: string | null
  readonly to: string
  readonly revision: number
  /** Names of the members that changed, never their values. */
  readonly changed: readonly string[]
  /** What reports count by. */
  readonly facts: BilledFacts
  /** What the TPP is told, where it wants to be. */
  readonly notice: { readonly resourceId: string; readonly url: string; readonly body: JsonObject } | null
}

export async function leaveTraces(tx: Tx, unit: Unit, traces: Traces, caller: Caller): Promise<void> {
  await unit.audit.append(tx, auditEntryOf(unit, traces, caller))
  await tx('resource_trail').insert(trailRow(traces, caller))
  await enqueueNotice(tx, traces, caller)
}

export function auditEntryOf(unit: Unit, traces: Traces, caller: Caller) {
  const { resource, logId, consentId, clientId, at, change, from, to, revision, changed, facts } = traces
  return {
    kind: 'resource-changed',
    at,
    tenantId: unit.tenantId,
    interactionId: caller.interactionId,
    resource,
    logId,
    consentId,
    clientId,
    change,
    from,
    to,
    revision,
    by: caller.by,
    callerOrganisationId: caller.organisationId,
    callerClientId: caller.clientId,
    changed,
    ...facts,
  } as const
}

export function trailRow({ resource, logId, at, change, from, to, revision, changed }: Traces, caller: Caller) {
  return {
    resource,
    log_id: logId,
    revision,
    at: new Date(at),
    change,
    status_from: from,
    status_to: to,
    changed: [...changed],
    caller_kind: caller.by,
    caller_organisation_id: caller.organisationId,
    caller_client_id: caller.clientId,
    interaction_id: caller.interactionId,
  }
}

export async function enqueueNotice(tx: Tx, traces: Traces, caller: Caller): Promise<void> {
  const { resource, consentId, clientId, at, revision, notice } = traces
  if (notice === null) return
  const { resourceId, url, body } = notice
  await enqueueResource(tx, { resource, resourceId, consentId, clientId, revision, at, url, body, caller })
}

export type ResourceTrailRow = {
  readonly revision: number
  readonly at: Date
  readonly change: ResourceChange
  readonly status_from: string | null
  readonly status_to: string
  readonly changed: readonly string[]
  readonly caller_kind: Caller['by']
  readonly caller_client_id: string | null
  readonly interaction_id: string | null
}

/** Oldest first. */
export async function readTrail(db: Db, resource: ResourceKind, logId: string): Promise<readonly ResourceTrailRow[]> {
  return (await db('resource_trail')
    .where({ resource, log_id: logId })
    .orderBy('revision')
    .select(
      'revision',
      'at',
      'change',
      'status_from',
      'status_to',
      'changed',
      'caller_kind',
      'caller_client_id',
      'interaction_id',
    )) as ResourceTrailRow[]
}
