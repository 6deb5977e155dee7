/**
 * The headers that the LFI receives (lfi-api 3.2). They are built from facts and nothing is copied from the request,
 * so whatever a TPP sends as `o3-…`, in any spelling, has no way through.
 */
import type { Usable } from '../consent-store/index.ts'
import type { CorrelationId, TenantId } from '../ids.ts'
import type { Client } from '../participants/index.ts'

export type Headers = Readonly<Record<string, string>>

export function lfiHeaders(facts: {
  readonly tenantId: TenantId
  readonly client: Client
  readonly consent: Usable
  /** The URL that the TPP called, as documented. */
  readonly apiUri: string
  readonly method: string
  readonly correlationId: CorrelationId
  readonly correlationGiven: boolean
  readonly fxOnly: boolean
}): Headers {
  const { tenantId, client, consent, correlationId } = facts
  return {
    accept: 'application/json',
    'o3-provider-id': tenantId,
    'o3-aspsp-id': tenantId,
    'o3-caller-org-id': client.organisationId,
    'o3-caller-client-id': client.clientId,
    'o3-caller-software-statement-id': client.softwareStatementId,
    'o3-api-uri': facts.apiUri,
    'o3-api-operation': facts.method,
    'o3-consent-id': consent.id,
    'o3-psu-identifier': Buffer.from(JSON.stringify(consent.psu)).toString('base64'),
    'o3-ozone-interaction-id': correlationId,
    ...(facts.correlationGiven ? { 'o3-caller-interaction-id': correlationId } : {}),
    ...(facts.fxOnly ? { 'o3-fx-transactions': 'true' } : {}),
  }
}
