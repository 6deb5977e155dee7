/**
 * Payments, quotes and openings are kept as long as the policy of the LFI says, and then destroyed with their history, a
 * few at a time. Kept for as long as it takes is whatever somebody may still have to settle (a payment without an answer,
 * or that the LFI says is pending; a quote or opening that has not ended), and every payment of a consent that is in
 * force. The audit log says how many of which went, and up to when; it is itself not touched.
 */
import { type Instant, iso, plus, toMilliseconds } from '../clock.ts'
import { inTransaction, query, type Tx } from '../db.ts'
import { LIFECYCLES } from './request.ts'
import type { Unit } from './traces.ts'

export type DestroyedResources = {
  readonly before: string
  readonly payments: number
  readonly requests: number
}

const DAY_MS = 86_400_000

/** A consent without a moment at which it is due has ended (consent-store). What others hold at this moment waits. */
const PAYMENTS = `
  delete from payment_log where id in (
    select p.id from payment_log as p join consent on consent.id = p.consent_id
    where p.created_at < ? and p.updated_at < ? and p.state <> 'open' and p.status is distinct from 'Pending'
      and consent.due_at is null
    limit ? for update of p skip locked)
  returning id, consent_id`
const REQUESTS = `
  delete from service_request where id in (
    select id from service_request
    where created_at < ? and updated_at < ? and kind || ' ' || status = any(?::text[])
    limit ? for update skip locked)
  returning id`
const ENDS = Object.entries(LIFECYCLES).flatMap(([kind, { ends }]) => ends.map((status) => `${kind} ${status}`))
const TRAIL = `delete from resource_trail where resource = any(?::text[]) and log_id = any(?::bigint[])`
/** What was counted is of no use to a consent that has ended, once its last payment is gone. */
const TALLY = `
  delete from payment_tally as t where consent_id = any(?::text[])
    and not exists (select from payment_log where consent_id = t.consent_id)`

/** Up to `limit` of each kind, all or none; null where there was nothing to destroy: then nothing is recorded either. */
export function destroyExpired(unit: Unit, days: number, limit: number): Promise<DestroyedResources | null> {
  const now = unit.clock.now()
  const before = startOfDayBefore(now, days)
  return inTransaction(unit.db, async (tx) => {
    const payments = await destroyPayments(tx, before, limit)
    const requests = await destroyRequests(tx, before, limit)
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

async function destroyPayments(tx: Tx, before: Instant, limit: number): Promise<number> {
  const at = new Date(before)
  const { rows } = await query<{ id: string; consent_id: string }>(tx, PAYMENTS, [at, at, limit])
  if (rows.length === 0) return 0
  await query(tx, TRAIL, [['payment'], rows.map(({ id }) => id)])
  await query(tx, TALLY, [rows.map(({ consent_id }) => consent_id)])
  return rows.length
}

async function destroyRequests(tx: Tx, before: Instant, limit: number): Promise<number> {
  const at = new Date(before)
  const { rows } = await query<{ id: string }>(tx, REQUESTS, [at, at, ENDS, limit])
  if (rows.length > 0) await query(tx, TRAIL, [Object.keys(LIFECYCLES), rows.map(({ id }) => id)])
  return rows.length
}

/** A whole day of UTC is either kept or not. */
function startOfDayBefore(now: Instant, days: number): Instant {
  const then = plus(now, toMilliseconds(-days * DAY_MS))
  return (then - (then % DAY_MS)) as Instant
}
