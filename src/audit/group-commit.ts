/**
 * Many callers, one insert: whoever comes while a batch is on its way to disk waits for the next one, and is told
 * when that one is durable. The busier the hub, the larger the batches; an idle hub waits for nothing.
 */
import { HubError } from '../errors.ts'

export type GroupCommit<T> = {
  /** Resolves once all of `items` are durable. They share the fate of their batch. */
  add(items: readonly T[]): Promise<void>
  /** Refuses what comes from now on, and resolves when everything already added has been settled. */
  close(): Promise<void>
}

type Waiting<T> = { readonly items: readonly T[]; readonly done: PromiseWithResolvers<void> }

export function createGroupCommit<T>(options: {
  readonly write: (batch: readonly T[]) => Promise<unknown>
  readonly batchMax: number
  readonly queueMax: number
}): GroupCommit<T> {
  const queue: Waiting<T>[] = []
  let queued = 0
  let closed = false
  let writer: Promise<void> | null = null

  const takeBatch = (): Waiting<T>[] => {
    let size = 0
    const end = queue.findIndex((waiting, index) => {
      size += waiting.items.length
      return index > 0 && size > options.batchMax
    })
    const batch = queue.splice(0, end < 0 ? queue.length : end)
    queued -= batch.reduce((sum, waiting) => sum + waiting.items.length, 0)
    return batch
  }

  const writeAll = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = takeBatch()
      try {
        await options.write(batch.flatMap((waiting) => waiting.items))
        for (const waiting of batch) waiting.done.resolve()
      } catch (cause) {
        // A lost connection leaves it unknown whether the batch was stored. Nobody may be answered as if it were.
        const failure = new HubError('GenericRecoverableError', { detail: 'audit entries were not recorded', cause })
        for (const waiting of batch) waiting.done.reject(failure)
      }
    }
    writer = null
  }

  return {
    add: async (items) => {
      if (items.length === 0) return
      if (closed) throw new HubError('GenericRecoverableError', { detail: 'the audit log is closed' })
      if (queued + items.length > options.queueMax)
        throw new HubError('GenericRecoverableError', { detail: `more than ${options.queueMax} audit entries waiting` })
      const done = Promise.withResolvers<void>()
      queue.push({ items, done })
      queued += items.length
      writer ??= writeAll()
      await done.promise
    },
    close: async () => {
      closed = true
      await writer
    },
  }
}
