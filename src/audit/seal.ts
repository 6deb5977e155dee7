/**
 * The sealer gives accepted entries their places in the log and signs the new root, a batch at a time. It may run on
 * every node with the role worker: whoever holds the lock seals, and the others find nothing left to do.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import { type Db, inTransaction, query } from '../db.ts'
import type { Log } from '../log.ts'
import { type ClockWatch, createClockWatch } from './clock-watch.ts'
import { type LogKeySource, openLogKeys } from './log-keys.ts'
import { BrokenLogError, HOUR_MS, sealBatch } from './seal-batch.ts'

export type Sealer = {
  start(): void
  /** Seals what is waiting, in as many batches as it takes; how many accepted entries were given a place. */
  sealNow(): Promise<number>
  /** Ends after the pass in progress. What still waits is sealed after the next start. */
  stop(): Promise<void>
}

export type SealerDeps = LogKeySource & {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  readonly watch?: ClockWatch
  /** What the operator says sets the clock; stands in every hour entry. */
  readonly clockSource?: string
  readonly intervalMs?: number
  readonly batchMax?: number
}

const DEFAULTS = { intervalMs: 500, batchMax: 8_192, clockSource: 'not said' } as const

export function createSealer(deps: SealerDeps): Sealer {
  const { db, clock, log } = deps
  const settings = { ...DEFAULTS, ...deps }
  const batch = {
    tenantId: deps.tenantId,
    keys: openLogKeys(deps),
    clock,
    watch: deps.watch ?? createClockWatch({ clock, monotonic: () => performance.now() }),
    clockSource: settings.clockSource,
    batchMax: settings.batchMax,
  }
  let loop: { readonly end: AbortController; readonly done: Promise<void> } | null = null
  let passes: Promise<unknown> = Promise.resolve()
  // A log that shrinks below what this process has seen was cut, even when its new end is properly signed.
  let sizeSeen = 0

  const pass = async (): Promise<number> => {
    for (let sealed = 0; ; ) {
      const done = await inTransaction(db, (tx) => sealBatch(tx, batch, sizeSeen))
      sizeSeen = done.size
      sealed += done.sealed
      if (!done.more) return sealed
    }
  }

  const sealNow = (): Promise<number> => {
    const result = passes.then(pass)
    passes = result.catch(() => undefined)
    return result
  }

  const run = async (end: AbortSignal): Promise<void> => {
    while (!end.aborted) {
      const began = performance.now()
      try {
        if (await isDue(db, clock)) await sealNow()
      } catch (thrown) {
        if (thrown instanceof BrokenLogError) return log.fatal({ err: thrown, sizeSeen }, 'sealing has ended')
        log.error({ err: thrown }, 'sealing failed and will be repeated')
      }
      // A rhythm and not a gap: what a pass takes, the next entries have waited already.
      const restMs = Math.max(0, settings.intervalMs - (performance.now() - began))
      await pause(restMs, undefined, { signal: end }).catch(() => undefined)
    }
  }

  return {
    start: () => {
      if (loop !== null) return
      const end = new AbortController()
      loop = { end, done: run(end.signal) }
    },
    sealNow,
    stop: async () => {
      loop?.end.abort()
      await loop?.done
      await passes
      loop = null
    },
  }
}

/** Cheap enough to ask twice a second; the lock is taken only when there is something to do. */
async function isDue(db: Db, clock: Clock): Promise<boolean> {
  const { rows } = await query<{ readonly due: boolean }>(
    db,
    `select exists (select from audit_pending)
         or coalesce((select max(hour) from audit_checkpoint), '-infinity') < ?::timestamptz as due`,
    [new Date(Math.floor(clock.now() / HOUR_MS) * HOUR_MS)],
  )
  return rows[0]?.due === true
}
