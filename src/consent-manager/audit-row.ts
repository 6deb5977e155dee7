import type { TrailRow } from '../consent-store/index.ts'
import type { TenantId } from '../ids.ts'

/** A row of a consent's trail as lfi-api 2.7 has it; the storage-level members show how the store writes. */
export function toAuditRow(row: TrailRow, tenantId: TenantId) {
  const { caller } = row
  return {
    providerId: tenantId,
    operation: row.operation,
    timestamp: row.at,
    fkMongoId: row.id,
    fkId: row.consentId,
    id: `${row.consentId}:${row.revision}`,
    // A change that the clock made has no call behind it.
    ozoneInteractionId: caller.interactionId ?? '',
    callerDetails: {
      ...(caller.organisationId === null ? {} : { callerOrgId: caller.organisationId }),
      ...(caller.clientId === null ? {} : { callerClientId: caller.clientId }),
      ...(caller.softwareStatementId === null ? {} : { callerSoftwareStatementId: caller.softwareStatementId }),
    },
    patchFilter: JSON.stringify({ id: row.consentId, revision: row.revision - 1 }),
    patch: JSON.stringify({ change: row.change, by: caller.by, from: row.from, to: row.to, set: row.patch }),
  }
}
