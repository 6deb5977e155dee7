/** Calls on record, as the gateway would have recorded them. */
import type { Audit, AuditEntry } from '../../../src/audit/index.ts'
import { plus, toMilliseconds } from '../../../src/clock.ts'
import { type ClientId, type CorrelationId, newCorrelationId, type OrganisationId } from '../../../src/ids.ts'
import type { PortalWorld } from './world.ts'

export type TppCall = Extract<AuditEntry, { kind: 'tpp-call' }>
export const CLIENT = 'a3f1c2d4-5b6e-4f70-8a91-b2c3d4e5f607' as ClientId

/** An answered call for accounts, unless it is said otherwise. */
export async function recordCall(
  world: Pick<PortalWorld, 'clock' | 'tenant'> & { readonly audit: Audit },
  changes: Partial<TppCall> = {},
): Promise<CorrelationId> {
  const interactionId = newCorrelationId()
  const [hubInMs, lfiMs, hubOutMs] = [4.2, 81.5, 2.1]
  const took = toMilliseconds(-(hubInMs + lfiMs + hubOutMs))
  const entry: TppCall = {
    kind: 'tpp-call',
    at: plus(world.clock.now(), took),
    tenantId: world.tenant.id,
    interactionId,
    clientId: CLIENT,
    organisationId: 'b4e2d3c5-6a7f-4081-9b02-c3d4e5f60718' as OrganisationId,
    softwareStatementId: 'ss-1',
    surface: 'rs',
    operationId: 'GetAccounts',
    method: 'GET',
    route: '/open-finance/account-information/v2.1/accounts',
    status: 200,
    errorCode: null,
    consentId: null,
    attended: true,
    hubMs: hubInMs + hubOutMs,
    lfiMs,
    lfiStatus: 200,
    lfiOutcome: 'answered',
    hubInMs,
    hubOutMs,
    records: 2,
    responseDigest: null,
    requestDigest: null,
    parentInteractionId: null,
    resource: 'accounts',
    rule: null,
    expected: null,
    seen: null,
    path: null,
    apiSet: 'BankDataSharing',
    paymentType: null,
    merchantId: null,
    ...changes,
  }
  await world.audit.record(entry)
  return interactionId
}

/** Refused because its consent was not usable; the LFI was not asked. */
export const recordRefusal = (world: Parameters<typeof recordCall>[0]): Promise<CorrelationId> =>
  recordCall(world, {
    status: 400,
    errorCode: 'Consent.Invalid',
    hubMs: 3,
    hubInMs: null,
    hubOutMs: null,
    lfiMs: null,
    lfiStatus: null,
    lfiOutcome: null,
    records: null,
    rule: 'consent.usable',
    expected: 'a consent in the state Authorized, before it expires',
    seen: 'a consent that is Suspended',
  })
