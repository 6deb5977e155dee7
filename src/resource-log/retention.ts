/**
 * Payments, quotes and openings are kept as long as the policy of the LFI says, and then destroyed with their history, a
 * few at a time. Kept for as long as it takes is whatever somebody may still have to settle (a payment without an answer,
 * or that the LFI says is pending; a quote or opening that has not ended), and every payment of a consent that is in
 * force. The audit log says how many of which went, and up to when; it is itself not touched.
 */
import { type Instant, iso, plus, toMilliseconds } from '../clock.ts'
import { inTransaction, query } from '../db.ts'
import { LIFECYCLES } from './request.ts'
import type { Unit } from './traces.ts'

export type DestroyedResources = {
  readonly before: string
  readonly payments: number
  readonly requests: number
}

const DAY_MS = 86_400_000

const DESTROY = 'select payments, requests from resource_destroy(?::timestamptz, ?::text[], ?::integer)'
/** Kinds and statuses of requests that have come to their end. */
export const ENDED_REQUESTS: readonly string[] = Object.entries(LIFECYCLES).flatMap(([kind, { ends }]) =>
  ends.map((status) => `${kind} ${status}`),
)

/** Up to `limit` of each kind, all or none; null where there was nothing to destroy: then nothing is recorded either. */
export function destroyExpired(unit: Unit, days: number, limit: number): Promise<DestroyedResources | null> {
  const now = unit.clock.now()
  const before = startOfDayBefore(now, days)
  return inTransaction(unit.db, async (tx) => {
    const { rows } = await query<Pick<DestroyedResources, 'payments' | 'requests'>>(tx, DESTROY, [
      new Date(before),
      ENDED_REQUESTS,
      limit,
    ])
    const { payments = 0, requests = 0 } = rows[0] ?? {}
    if (payments + requests === 0) return null
    const done = { before: iso(before), payments, requests }
    await unit.audit.append(tx, {
      kind: 'system',
      at: now,
      interactionId: null,
      tenantId: unit.tenantId,
      event: 'destroyed',
      detail: `before ${done.before}: payment_log ${payments}, service_request ${requests}`,
    })
    return done
  })
}

/** A whole day of UTC is either kept or not. */
function startOfDayBefore(now: Instant, days: number): Instant {
  const then = plus(now, toMilliseconds(-days * DAY_MS))
  return (then - (then % DAY_MS)) as Instant
}
