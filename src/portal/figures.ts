/** How the hub is doing, in figures: for the dashboard, and for the command line. Of the last day, the present hour included. */
import type { ConsentStatus } from '../consent-store/index.ts'
import type { LevelName } from '../metrics.ts'
import type { HourOfTraffic, OperationFigures } from '../reports/index.ts'
import type { ActRooms } from './rooms.ts'

const HOUR_MS = 3_600_000
const HOURS = 24
/** lfi-api 8: 95 of 100 calls of an operation within it. */
export const LIMIT_MS = 500
const WITHIN = 0.95

/** Each is a queue that should be short; the limit is where somebody should look. */
const QUEUES = [
  { level: 'falaj_outbox_waiting', name: 'outbox', limit: 1_000 },
  { level: 'falaj_webhooks_dead', name: 'dead', limit: 0 },
  { level: 'falaj_audit_pending', name: 'audit', limit: 5_000 },
  { level: 'falaj_reports_behind', name: 'reports', limit: 20_000 },
  { level: 'falaj_database_waiting', name: 'database', limit: 10 },
  { level: 'falaj_outages_open', name: 'outages', limit: 0 },
] as const satisfies readonly { readonly level: LevelName; readonly name: string; readonly limit: number }[]

export type Queue = {
  readonly name: (typeof QUEUES)[number]['name']
  /** null: it could not be had. */
  readonly value: number | null
  readonly isHigh: boolean
}
export type Figures = {
  readonly queues: readonly Queue[]
  readonly traffic: readonly HourOfTraffic[]
  readonly operations: readonly OperationFigures[]
  readonly consents: Readonly<Record<ConsentStatus, number>>
}

export async function figuresOf({ reports, clock, levels, consents }: ActRooms): Promise<Figures> {
  const to = Math.floor(clock.now() / HOUR_MS) * HOUR_MS + HOUR_MS
  const span = { from: to - HOURS * HOUR_MS, to }
  const [traffic, operations, known, counts] = await Promise.all([
    reports.watch.traffic(span),
    reports.watch.operations(span),
    levels(),
    consents.countByStatus(),
  ])
  const queues = QUEUES.map(({ level, name, limit }) => {
    const value = known[level]
    return { name, value, isHigh: value === null || value > limit }
  })
  return { queues, traffic, operations, consents: counts }
}

/** Which share of the calls was within the contract's limit, and whether that is enough. */
export function withinOf(calls: number, overLimit: number): { readonly share: number; readonly isMet: boolean } {
  const share = calls === 0 ? 1 : (calls - overLimit) / calls
  return { share, isMet: share >= WITHIN }
}
