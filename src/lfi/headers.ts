/**
 * The headers that the LFI receives (lfi-api 3.2). They are built from facts and nothing is copied from the request,
 * so whatever a TPP sends as `o3-…`, in any spelling, has no way through.
 */
import type { Usable } from '../consent-store/index.ts'
import type { CorrelationId, TenantId } from '../ids.ts'
import type { Client } from '../participants/index.ts'

export type Headers = Readonly<Record<string, string>>

/** Who calls, and for what; every operation of Ozone Connect is told (the three that follow add to it). */
type CallFacts = {
  readonly tenantId: TenantId
  readonly client: Pick<Client, 'organisationId' | 'clientId' | 'softwareStatementId'>
  /** The URL that the TPP called, as documented. */
  readonly apiUri: string
  readonly method: string
  readonly correlationId: CorrelationId
  readonly correlationGiven: boolean
}

function callHeaders(facts: CallFacts): Headers {
  const { tenantId, client, correlationId } = facts
  return {
    accept: 'application/json',
    'o3-provider-id': tenantId,
    'o3-caller-org-id': client.organisationId,
    'o3-caller-client-id': client.clientId,
    'o3-caller-software-statement-id': client.softwareStatementId,
    'o3-api-uri': facts.apiUri,
    'o3-api-operation': facts.method,
    'o3-ozone-interaction-id': correlationId,
    ...(facts.correlationGiven ? { 'o3-caller-interaction-id': correlationId } : {}),
  }
}

/** For a user, under a consent. */
export function lfiHeaders(
  facts: CallFacts & { readonly consent: Pick<Usable, 'id' | 'psu'>; readonly fxOnly: boolean },
): Headers {
  const { tenantId, consent } = facts
  return {
    ...callHeaders(facts),
    'o3-aspsp-id': tenantId,
    'o3-consent-id': consent.id,
    'o3-psu-identifier': Buffer.from(JSON.stringify(consent.psu)).toString('base64'),
    ...(facts.fxOnly ? { 'o3-fx-transactions': 'true' } : {}),
  }
}

/** For a client, without a consent: which of the further headers an operation is sent depends on its family. */
export function lfiServiceHeaders(
  facts: CallFacts & { readonly sends: readonly ServiceHeader[]; readonly customerIp: string | null },
): Headers {
  const { tenantId, sends, customerIp } = facts
  return {
    ...callHeaders(facts),
    ...(sends.includes('o3-aspsp-id') ? { 'o3-aspsp-id': tenantId } : {}),
    ...(sends.includes('x-fapi-customer-ip-address') && customerIp !== null
      ? { 'x-fapi-customer-ip-address': customerIp }
      : {}),
  }
}
export type ServiceHeader = 'o3-aspsp-id' | 'x-fapi-customer-ip-address'
