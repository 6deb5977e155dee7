/** How long a call may take and how many connections its class has, as the tenant has it (config/tenant.schema.json). */
import type { Milliseconds } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import { LFI_OPERATIONS, type LfiClass, type LfiOperation } from '../lfi-operations.ts'

type Lfi = TenantConfig['lfi']

/** From the connection to the last byte. */
export const timeoutOf = (lfi: Lfi, operation: LfiOperation): Milliseconds =>
  lfi.operationTimeoutsMs?.[operation] ?? lfi.budgets?.[LFI_OPERATIONS[operation]]?.timeoutMs ?? lfi.timeoutMs

/** Of a call with all that may belong to it: a token that is asked for, is refused, and is renewed for a second call. */
export const longestAttemptOf = (lfi: Lfi, operation: LfiOperation): number =>
  2 * (timeoutOf(lfi, operation) + (lfi.authentication.type === 'client-credentials' ? lfi.timeoutMs : 0))

export const connectionsOf = (lfi: Lfi, named: LfiClass): number => lfi.budgets?.[named]?.connections ?? lfi.connections

/** Of any call of the class. */
export const longestOf = (lfi: Lfi, named: LfiClass): number =>
  Math.max(
    ...(Object.keys(LFI_OPERATIONS) as LfiOperation[])
      .filter((operation) => LFI_OPERATIONS[operation] === named)
      .map((operation) => timeoutOf(lfi, operation)),
  )
