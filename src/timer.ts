/** Work done again and again: never two runs at once, a failure is logged and the next run comes all the same. */
import type { Log } from './log.ts'

export type Timer = { stop(): Promise<void> }

export function every(intervalMs: number, what: string, log: Log, work: () => Promise<unknown>): Timer {
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let next: NodeJS.Timeout
  const run = async (): Promise<void> => {
    try {
      await work()
    } catch (error) {
      log.error({ err: error }, `${what} failed`)
    }
    schedule()
  }
  const schedule = (): void => {
    if (stopped) return
    next = setTimeout(() => {
      running = run()
    }, intervalMs)
    next.unref()
  }
  schedule()
  return {
    stop: async () => {
      stopped = true
      clearTimeout(next)
      await running
    },
  }
}
