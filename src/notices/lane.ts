/**
 * Work that is fetched piece by piece and done side by side: so many pieces at once, and of one party no more than its
 * share. A piece that takes its time keeps a place of its party's, and of nobody else's.
 */
import type { Log } from '../log.ts'
import { every, type Timer } from '../timer.ts'

export type Lane = {
  start(): void
  /** Fetches nothing more, and waits for what is under way. */
  stop(): Promise<void>
}

export type LaneDeps<T> = {
  readonly what: string
  readonly log: Log
  readonly everyMs: number
  readonly together: number
  readonly perParty: number
  readonly partyOf: (item: T) => string
  /** What is to be done now, at most `limit` and none for the parties named. */
  readonly fetch: (limit: number, busy: readonly string[]) => Promise<readonly T[]>
  readonly work: (item: T) => Promise<void>
}

export function createLane<T>(deps: LaneDeps<T>): Lane {
  const { what, log, partyOf } = deps
  const running = new Set<Promise<void>>()
  const places = new Map<string, number>()
  let timer: Timer | null = null
  let stopped = false
  let filling: Promise<void> | null = null
  let wanted = false

  const begin = (item: T): void => {
    const party = partyOf(item)
    places.set(party, (places.get(party) ?? 0) + 1)
    const done = deps
      .work(item)
      .catch((error: unknown) => log.error({ err: error }, `${what} failed`))
      .finally(() => {
        running.delete(done)
        const left = (places.get(party) ?? 1) - 1
        if (left === 0) places.delete(party)
        else places.set(party, left)
        // There may be more of this party's, and its place is free now.
        void fill().catch((error: unknown) => log.error({ err: error }, `${what} failed`))
      })
    running.add(done)
  }

  const fetchAll = async (): Promise<void> => {
    while (!stopped && running.size < deps.together) {
      wanted = false
      const busy = [...places].filter(([, taken]) => taken >= deps.perParty).map(([party]) => party)
      const items = await deps.fetch(deps.together - running.size, busy)
      for (const item of items) begin(item)
      if (items.length === 0 && !wanted) return
    }
  }

  /** One fetch at a time; who comes meanwhile has it look once more. */
  const fill = (): Promise<void> => {
    wanted = true
    filling ??= fetchAll().finally(() => {
      filling = null
    })
    return filling
  }

  return {
    start: () => {
      timer = every(deps.everyMs, what, log, fill)
    },
    stop: async () => {
      stopped = true
      await timer?.stop()
      await filling?.catch(() => {})
      await Promise.all(running)
    },
  }
}
