/**
 * Refusals before there was a request, added up: whoever reaches a socket can bring about any number of them, so an
 * entry for each would let anybody fill the log, and most of all while the hub is overloaded, which is one of the
 * reasons. What is written is one entry per door, status and reason for the minutes in which there was one.
 */
import { type Clock, type Instant, iso } from '../clock.ts'
import type { TenantId } from '../ids.ts'
import type { AuditEntry } from './kinds.ts'

/** As the listener tells of it (src/listener/refused.ts). */
type Refusal = { readonly door: string | null; readonly status: number; readonly reason: string }

export type EarlyRefusals = {
  count(refusal: Refusal): void
  /** What was counted since the last time; what cannot be written stays for the next time. */
  write(): Promise<void>
}

export function createEarlyRefusals(deps: {
  readonly audit: { record(...entries: readonly AuditEntry[]): Promise<void> }
  readonly tenantId: TenantId
  readonly clock: Clock
}): EarlyRefusals {
  const { audit, tenantId, clock } = deps
  const counted = new Map<string, Refusal & { readonly since: Instant; calls: number }>()
  const entryOf = (row: Refusal & { readonly since: Instant; readonly calls: number }) => ({
    kind: 'refused-early' as const,
    at: clock.now(),
    tenantId,
    interactionId: null,
    surface: row.door,
    status: row.status,
    reason: row.reason,
    calls: row.calls,
    since: iso(row.since),
  })
  return {
    count: ({ door, status, reason }) => {
      const key = `${door} ${status} ${reason}`
      const row = counted.get(key) ?? { door, status, reason, since: clock.now(), calls: 0 }
      row.calls += 1
      counted.set(key, row)
    },
    write: async () => {
      const rows = [...counted].map(([key, row]) => ({ key, row, calls: row.calls }))
      await audit.record(...rows.map(({ row }) => entryOf(row)))
      for (const { key, row, calls } of rows) {
        counted.delete(key)
        // While these were on their way, others came.
        if (row.calls > calls) counted.set(key, { ...row, since: clock.now(), calls: row.calls - calls })
      }
    },
  }
}
