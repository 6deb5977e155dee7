/**
 * The headers that the LFI receives (lfi-api 3.2). They are built from facts and nothing is copied from the request,
 * so whatever a TPP sends as `o3-…`, in any spelling, has no way through.
 */
import type { Consent, Psu, Usable } from '../consent-store/index.ts'
import type { CorrelationId, TenantId } from '../ids.ts'
import type { Client } from '../participants/index.ts'

export type Headers = Readonly<Record<string, string>>

type Call = {
  readonly tenantId: TenantId
  readonly correlationId: CorrelationId
  readonly correlationGiven: boolean
  /** The URL that the TPP called, as documented. */
  readonly apiUri: string
  readonly method: string
}

export function lfiHeaders(
  facts: Call & { readonly client: Client; readonly consent: Usable; readonly fxOnly: boolean },
): Headers {
  return {
    ...callHeaders(facts, facts.client, facts.consent.id, facts.consent.psu),
    ...(facts.fxOnly ? { 'o3-fx-transactions': 'true' } : {}),
  }
}

/** About the consent itself, which may have no user yet (lfi-api 5.1). */
export function consentHeaders(facts: Call & { readonly consent: Consent }): Headers {
  const { consent } = facts
  const caller = { ...consent, softwareStatementId: String(consent.tpp['softwareStatementId']) }
  return callHeaders(facts, caller, consent.id, consent.psu)
}

function callHeaders(
  { tenantId, correlationId, correlationGiven, apiUri, method }: Call,
  caller: Pick<Client, 'organisationId' | 'clientId' | 'softwareStatementId'>,
  consentId: string,
  psu: Psu | null,
): Headers {
  return {
    accept: 'application/json',
    'o3-provider-id': tenantId,
    'o3-aspsp-id': tenantId,
    'o3-caller-org-id': caller.organisationId,
    'o3-caller-client-id': caller.clientId,
    'o3-caller-software-statement-id': caller.softwareStatementId,
    'o3-api-uri': apiUri,
    'o3-api-operation': method,
    'o3-consent-id': consentId,
    ...(psu === null ? {} : { 'o3-psu-identifier': Buffer.from(JSON.stringify(psu)).toString('base64') }),
    'o3-ozone-interaction-id': correlationId,
    ...(correlationGiven ? { 'o3-caller-interaction-id': correlationId } : {}),
  }
}
