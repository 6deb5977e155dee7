/**
 * Plays the hub against a bank: asks its Ozone Connect operations as the gateway would, bends some of the calls, and
 * says what breaks the contract, operation by operation. For the bank's engineers, before and after they go live.
 */
import type { Clock } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import { createConnector } from '../lfi/index.ts'
import type { SchemaRegistry } from '../schema-registry.ts'
import { probeAuthorization } from './authorization.ts'
import { createCaller } from './caller.ts'
import { probeConnection } from './connection.ts'
import { probeOperations } from './operations.ts'
import { probePayments } from './payments.ts'
import { probeRefusals } from './refusals.ts'
import type { OperationReport, ProbeReport, ProbeTarget } from './report.ts'

export type { Finding, OperationReport, PaymentTarget, ProbeReport, ProbeTarget, PsuId } from './report.ts'

export type ProbeDeps = {
  readonly tenant: TenantConfig
  readonly registry: SchemaRegistry
  readonly clock: Clock
}

export async function probe(deps: ProbeDeps, target: ProbeTarget): Promise<ProbeReport> {
  const connector = createConnector(deps)
  const unsigned = createConnector({
    ...deps,
    tenant: { ...deps.tenant, lfi: { ...deps.tenant.lfi, authentication: { type: 'none' } } },
  })
  const caller = createCaller({ tenant: deps.tenant, connector, target })
  try {
    const operations: OperationReport[] = []
    // One after another: what is measured is the bank, not how it bears a crowd.
    operations.push(...(await probeConnection(deps)))
    operations.push(...(await probeOperations(deps, caller, target)))
    operations.push(...(await probePayments(deps, caller, target)))
    operations.push(...(await probeRefusals(deps, { caller, unsigned, target })))
    operations.push(await probeAuthorization(deps.tenant))
    return { ok: operations.every(({ findings }) => findings.length === 0), operations }
  } finally {
    await Promise.all([connector.close(), unsigned.close()])
  }
}
