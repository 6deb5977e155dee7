/**
 * Entries are accepted no faster than they are sealed. Once the oldest entry without a place in the log has waited for
 * `restAfterMs` although a sealer is at work, writers rest before their next batch: fewer calls are answered, and the
 * sealer gets the time that it lacks. Where nobody seals, resting would help nobody: entries are accepted and wait, and
 * `falaj_audit_pending_seconds` tells of it.
 *
 * Entries in the transaction of a change are not held up, as they would hold their locks. A call that makes changes has
 * an entry of its own before its answer, so that those under way, a limited number, add some entries each and no more.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Db, query } from '../db.ts'

/** Both as the database knows them, in one moment. */
export type Backlog = {
  /** Of the newest checkpoint; it grows while somebody seals. */
  readonly size: number
  /** Of the oldest entry that has no place in the log; 0 where there is none. */
  readonly waitedMs: number
}

export type BackPressure = {
  /** Begins to learn how the log stands, if that is due. For beside a batch, which does not wait for it. */
  look(): void
  /** Until the next batch may be written. */
  rest(): Promise<void>
  /** Since the start. */
  restedMs(): number
  /** When what it began to learn has come. */
  close(): Promise<void>
}

/**
 * What is accepted until the oldest entry has waited so long, or a look longer, may take the sealer as long again: twice
 * that is to stay within two seconds. A pass begins every half second, so that entries wait for less as a rule.
 */
export const REST_AFTER_MS = 750
const LOOK_EVERY_MS = 250
/** No new checkpoint for so long, although entries wait: nobody seals. */
const ALIVE_MS = 3_000
/** Whatever the sealer does, one batch goes through then: a call waits for no more than that and its own batch. */
const REST_MAX_MS = 1_000

type Deps = {
  readonly backlog: () => Promise<Backlog>
  readonly restAfterMs?: number
  readonly monotonic?: () => number
  readonly pause?: (ms: number) => Promise<unknown>
}

export function createBackPressure(deps: Deps): BackPressure {
  const { backlog, restAfterMs = REST_AFTER_MS, monotonic = () => performance.now(), pause = sleep } = deps
  let lookedAt = Number.NEGATIVE_INFINITY
  let grewAt = Number.NEGATIVE_INFINITY
  let size: number | null = null
  let isBehind = false
  let rested = 0
  let looking: Promise<void> | null = null

  const learn = async (): Promise<void> => {
    const now = monotonic()
    const isRecent = now - lookedAt < ALIVE_MS
    lookedAt = now
    // A database that does not answer will say so to the batch itself.
    const found = await backlog().catch(() => null)
    // What was signed while nobody looked may have been signed long ago.
    if (size !== null && isRecent && (found?.size ?? 0) > size) grewAt = now
    size = found?.size ?? size
    isBehind = found !== null && found.waitedMs > restAfterMs && now - grewAt < ALIVE_MS
  }
  /** One at a time. */
  const look = (): Promise<void> => {
    looking ??= learn().finally(() => {
      looking = null
    })
    return looking
  }
  const isDue = (): boolean => monotonic() - lookedAt >= LOOK_EVERY_MS
  return {
    look: () => {
      if (isDue()) void look()
    },
    rest: async () => {
      // What was seen beside an earlier batch may be over.
      if (isBehind && isDue()) await look()
      if (!isBehind) return
      const began = monotonic()
      while (isBehind && monotonic() - began < REST_MAX_MS) {
        await pause(LOOK_EVERY_MS)
        await look()
      }
      rested += monotonic() - began
    },
    restedMs: () => rested,
    close: async () => {
      await looking
    },
  }
}

/**
 * The queue is entered behind what was sealed last: from its beginning, the index leads through all that is left of rows
 * sealed before. What was accepted late under an earlier id is sealed with the next batch anyhow.
 */
const BACKLOG = `
  select coalesce((select size from audit_checkpoint order by size desc limit 1), 0) as size,
    coalesce(extract(epoch from clock_timestamp() - (
      select accepted_at from audit_entry where id = (
        select entry_id from audit_pending
        where entry_id > coalesce((select entry_id from audit_leaf order by index desc limit 1), 0)
        order by entry_id limit 1
      )
    )) * 1000, 0) as waited_ms`

export async function backlogOf(db: Db): Promise<Backlog> {
  const { rows } = await query<{ readonly size: string; readonly waited_ms: string }>(db, BACKLOG)
  return { size: Number(rows[0]?.size), waitedMs: Number(rows[0]?.waited_ms) }
}
