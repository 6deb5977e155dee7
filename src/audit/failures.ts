/**
 * That recording failed is itself on record: as soon as it works again, the first entry says since when it had not, and
 * how many times. Whoever asked got an error; what a process had counted when it died is lost with it.
 */
import { type Instant, iso } from '../clock.ts'
import type { TenantId } from '../ids.ts'
import type { AuditEntry } from './kinds.ts'

export type Failed = { readonly since: Instant; readonly times: number }

export type Failures = {
  /** `telling`: what should have been told with the entries that were not recorded now. */
  note(at: Instant, telling: Failed | null): void
  /** Once; to be told with what is recorded next. */
  take(): Failed | null
}

export function createFailures(): Failures {
  let failed: Failed | null = null
  return {
    note: (at, telling) => {
      const times = (failed?.times ?? 0) + (telling?.times ?? 0) + 1
      failed = { since: telling?.since ?? failed?.since ?? at, times }
    },
    take: () => {
      const taken = failed
      failed = null
      return taken
    },
  }
}

export const failureEntry = (
  { since, times }: Failed,
  common: { readonly tenantId: TenantId; readonly at: Instant },
): AuditEntry => ({
  kind: 'system',
  ...common,
  interactionId: null,
  event: 'log-failed',
  detail: `${times} times since ${iso(since)}`,
})
