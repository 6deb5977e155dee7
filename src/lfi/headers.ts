/**
 * The headers that the LFI receives (lfi-api 3.2). They are built from facts and nothing is copied from the request,
 * so whatever a TPP sends as `o3-…`, in any spelling, has no way through.
 */
import type { Consent, Psu } from '../consent-store/index.ts'
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

type Caller = Pick<Client, 'organisationId' | 'clientId' | 'softwareStatementId'>

/** A consent that nobody has authorized has no user: the header is left out then (lfi-api 3.2). */
type Named = Pick<Consent, 'id' | 'psu'>

export function lfiHeaders(
  facts: Call & { readonly client: Caller; readonly consent: Named; readonly fxOnly: boolean },
): Headers {
  return {
    ...consentCallHeaders(facts, facts.client, facts.consent.id, facts.consent.psu),
    ...(facts.fxOnly ? { 'o3-fx-transactions': 'true' } : {}),
  }
}

/** The call of the TPP under which a consent comes to be. */
export const PUSHED = { apiUri: '/par', method: 'POST' } as const

/** About the consent itself, which may have no user yet (lfi-api 5.1). */
export function consentHeaders(facts: Call & { readonly consent: Consent }): Headers {
  const { consent } = facts
  const caller = { ...consent, softwareStatementId: String(consent.tpp['softwareStatementId']) }
  return consentCallHeaders(facts, caller, consent.id, consent.psu)
}

/** For a client, without a consent: which of the further headers an operation is sent depends on its family. */
export function lfiServiceHeaders(
  facts: Call & {
    readonly client: Caller
    readonly sends: readonly ServiceHeader[]
    readonly customerIp: string | null
  },
): Headers {
  const { tenantId, client, sends, customerIp } = facts
  return {
    ...callHeaders(facts, client),
    ...(sends.includes('o3-aspsp-id') ? { 'o3-aspsp-id': tenantId } : {}),
    ...(sends.includes('x-fapi-customer-ip-address') && customerIp !== null
      ? { 'x-fapi-customer-ip-address': customerIp }
      : {}),
  }
}
export type ServiceHeader = 'o3-aspsp-id' | 'x-fapi-customer-ip-address'

function consentCallHeaders(call: Call, caller: Caller, consentId: string, psu: Psu | null): Headers {
  return {
    ...callHeaders(call, caller),
    'o3-aspsp-id': call.tenantId,
    'o3-consent-id': consentId,
    ...(psu === null ? {} : { 'o3-psu-identifier': Buffer.from(JSON.stringify(psu)).toString('base64') }),
  }
}

/** What every operation is told. */
function callHeaders({ tenantId, correlationId, correlationGiven, apiUri, method }: Call, caller: Caller): Headers {
  return {
    accept: 'application/json',
    'o3-provider-id': tenantId,
    'o3-caller-org-id': caller.organisationId,
    'o3-caller-client-id': caller.clientId,
    'o3-caller-software-statement-id': caller.softwareStatementId,
    'o3-api-uri': apiUri,
    'o3-api-operation': method,
    'o3-ozone-interaction-id': correlationId,
    ...(correlationGiven ? { 'o3-caller-interaction-id': correlationId } : {}),
  }
}
