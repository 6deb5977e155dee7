/** Calls that a bank has to refuse, each bent in one place (lfi-api 3.2, 4, 6.4). */
import { randomUUID } from 'node:crypto'
import type { TenantConfig } from '../config.ts'
import type { Connector } from '../lfi/index.ts'
import type { SchemaRegistry } from '../schema-registry.ts'
import type { Bend, Caller } from './caller.ts'
import { type ProbeCall, readCalls } from './calls.ts'
import { judge, reportOf } from './judge.ts'
import { type Finding, finding, type OperationReport, type ProbeTarget } from './report.ts'

type Refusal = {
  readonly what: string
  readonly bend: Bend
  readonly statuses: readonly number[]
  /** Of the error body, where the contract names one. */
  readonly code?: string
  readonly check: Finding['check']
}

export async function probeRefusals(
  deps: { readonly tenant: TenantConfig; readonly registry: SchemaRegistry },
  { caller, unsigned, target }: { readonly caller: Caller; readonly unsigned: Connector; readonly target: ProbeTarget },
): Promise<readonly OperationReport[]> {
  const { tenant, registry } = deps
  const calls = readCalls(registry, target)
  const call = calls.find(({ path }) => path === '/accounts/{accountId}') ?? calls[0]
  if (call === undefined) return []
  const refusals: readonly Refusal[] = [
    ...(tenant.lfi.authentication.type === 'none'
      ? []
      : [
          {
            what: 'without what proves the hub',
            bend: { through: unsigned },
            statuses: [401, 403],
            check: 'auth' as const,
          },
          {
            what: 'with a forged proof',
            bend: { through: unsigned, headers: { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' } },
            statuses: [401, 403],
            check: 'auth' as const,
          },
        ]),
    {
      what: 'for another LFI',
      bend: { headers: { 'o3-provider-id': 'elsewhere' } },
      statuses: [400, 401, 403],
      check: 'headers',
    },
    { what: 'without o3-consent-id', bend: { headers: { 'o3-consent-id': null } }, statuses: [400], check: 'headers' },
    {
      what: 'for a customer whom nobody knows',
      bend: { psu: { userId: `nobody-${randomUUID()}` } },
      statuses: [400],
      code: 'Consent.InvalidUserIdentifier',
      check: 'status',
    },
    ...(call.accountId === null
      ? []
      : [
          {
            what: 'for an account that is not the customer’s',
            bend: { target: `/accounts/${randomUUID()}` },
            statuses: [403],
            check: 'account' as const,
          },
        ]),
  ]
  const reports: OperationReport[] = []
  for (const refusal of refusals) reports.push(await probeRefusal(registry, caller, call, refusal))
  return reports
}

async function probeRefusal(
  registry: SchemaRegistry,
  caller: Caller,
  call: ProbeCall,
  refusal: Refusal,
): Promise<OperationReport> {
  const { what, bend, statuses, code, check } = refusal
  const exchange = await caller.call(call, bend)
  const { attempt } = exchange
  const judged = judge(registry, call, exchange, { statuses, withinMs: null })
  const findings = judged.findings.map((each) => (each.check === 'status' ? { ...each, check } : each))
  const said = (judged.body as { readonly errorCode?: unknown } | undefined)?.errorCode
  const isWrongCode = code !== undefined && attempt.status === 400 && said !== code
  return reportOf(`${call.method} ${call.path} ${what}`, exchange, [
    ...findings,
    ...(isWrongCode ? [finding(check, code, 'another code', 'errorCode')] : []),
  ])
}
