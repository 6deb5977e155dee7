/** One call as the gateway would make it; tests of refusals leave out or change a header of it. */
import { randomUUID } from 'node:crypto'
import type { TenantConfig } from '../config.ts'
import type { ClientId, OrganisationId } from '../ids.ts'
import { newCorrelationId, toClientId, toConsentId } from '../ids.ts'
import { type Connector, type Exchange, lfiHeaders, lfiServiceHeaders } from '../lfi/index.ts'
import { newTrace } from '../trace.ts'
import type { ProbeCall } from './calls.ts'
import type { ProbeTarget, PsuId } from './report.ts'

export type Bend = {
  /** Other values; null leaves the header out. */
  readonly headers?: Readonly<Record<string, string | null>>
  readonly psu?: PsuId
  readonly target?: string
  readonly through?: Connector
}
export type Caller = {
  /** Whom the bank is told of as the TPP. */
  readonly client: {
    readonly clientId: ClientId
    readonly organisationId: OrganisationId
    readonly softwareStatementId: string
  }
  call(asked: ProbeCall, bend?: Bend): Promise<Exchange>
}

export function createCaller(deps: {
  readonly tenant: TenantConfig
  readonly connector: Connector
  readonly target: ProbeTarget
}): Caller {
  const { tenant, connector, target } = deps
  const id = randomUUID()
  const clientId = toClientId(id)
  const consentId = toConsentId(randomUUID())
  if (clientId === null || consentId === null) throw new Error('a random id is none')
  const client = { clientId, organisationId: randomUUID() as OrganisationId, softwareStatementId: id }
  return {
    client,
    call(asked, bend = {}) {
      const facts = {
        tenantId: tenant.id,
        client,
        apiUri: asked.apiUri,
        method: asked.method,
        correlationId: newCorrelationId(),
        correlationGiven: false,
      }
      const built =
        asked.sends === 'consent'
          ? lfiHeaders({
              ...facts,
              consent: { id: toConsentId(asked.consentId ?? '') ?? consentId, psu: bend.psu ?? target.psu },
              fxOnly: false,
            })
          : lfiServiceHeaders({ ...facts, sends: asked.sends, customerIp: '192.0.2.1' })
      const changed = Object.entries({ ...built, ...bend.headers }).filter(([, value]) => value !== null)
      const { operationId, method, path, body, file } = asked
      const call = {
        operationId,
        method,
        route: path,
        target: bend.target ?? asked.target,
        under: null,
        trace: newTrace(),
        headers: Object.fromEntries(changed) as Record<string, string>,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(file === undefined ? {} : { body: file, contentType: 'application/octet-stream' }),
      }
      return (bend.through ?? connector).ask(call, null)
    },
  }
}
