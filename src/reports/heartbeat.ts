/**
 * Whether the LFI answers, asked by the worker again and again (lfi-api 4.4). A change is recorded, and what this
 * process found first: the log then says from when to when an LFI was out of reach, also where nobody called it.
 */
import type { Audit } from '../audit/index.ts'
import type { Clock } from '../clock.ts'
import type { TenantId } from '../ids.ts'

export function createHeartbeat(deps: {
  readonly hello: () => Promise<{ readonly ok: boolean; readonly detail: string | null }>
  readonly audit: Audit
  readonly tenantId: TenantId
  readonly clock: Clock
}): () => Promise<void> {
  const { hello, audit, tenantId, clock } = deps
  let last: boolean | null = null
  return async () => {
    const { ok, detail } = await hello()
    if (ok === last) return
    const event = ok ? 'lfi-up' : 'lfi-down'
    await audit.record({ kind: 'system', at: clock.now(), interactionId: null, tenantId, event, detail })
    // Only what was recorded is known: otherwise the change would never be told.
    last = ok
  }
}
