/**
 * Rows that every call reads and hardly any changes: taken apart once, and read again only when they have changed.
 * Whether they have is asked of the database each time, by the version that PostgreSQL itself gives a row with every
 * update (`xmin`, with `ctid` against its wrapping around). So nothing here is ever older than the last commit.
 *
 * Calls that arrive while a question is on its way share the next one.
 */
import { LRUCache } from 'lru-cache'
import { type Db, prepared } from './db.ts'

export type Versioned<Value> = { readonly version: string; readonly value: Value }
/** Versions by key; a key that is absent has no row. */
export type Versions = ReadonlyMap<string, string>

export type Remembered<Value> = { get(key: string): Promise<Value | null> }

/** SQL for the version of a row of a table or alias. */
export const versionOf = (alias: string): string => `${alias}.xmin::text || ${alias}.ctid::text`

/** Versions by one statement with the columns `key` and `version` and one parameter, the keys. */
export async function versions(db: Db, name: string, sql: string, keys: readonly string[]): Promise<Versions> {
  const found = await prepared<{ key: string; version: string }>(db, name, sql, [keys])
  return new Map(found.rows.map((row) => [row.key, row.version]))
}

export function createRemembered<Value extends object>(source: {
  readonly max: number
  versions(keys: readonly string[]): Promise<Versions>
  load(key: string): Promise<Versioned<Value> | null>
}): Remembered<Value> {
  const known = new LRUCache<string, Versioned<Value>>({ max: source.max })
  const versions = createShared(source.versions)
  return {
    get: async (key) => {
      const held = known.get(key)
      if (held !== undefined && held.version === (await versions.ask(key))) return held.value
      const loaded = await source.load(key)
      if (loaded === null) known.delete(key)
      else known.set(key, loaded)
      return loaded?.value ?? null
    },
  }
}

type Waiting = {
  readonly promise: Promise<string | undefined>
  resolve(found: string | undefined): void
  reject(error: unknown): void
}

/**
 * One question at a time, for all who wait. Nobody joins a question that is already on its way: its answer could be
 * older than the call.
 */
function createShared(ask: (keys: readonly string[]) => Promise<Versions>) {
  let waiting = new Map<string, Waiting>()
  let asking = false
  const run = async (): Promise<void> => {
    asking = true
    while (waiting.size > 0) {
      const batch = waiting
      waiting = new Map()
      try {
        const found = await ask([...batch.keys()])
        for (const [key, each] of batch) each.resolve(found.get(key))
      } catch (error) {
        for (const each of batch.values()) each.reject(error)
      }
    }
    asking = false
  }
  return {
    ask: (key: string): Promise<string | undefined> => {
      const joined = waiting.get(key)
      if (joined !== undefined) return joined.promise
      const mine: Waiting = Promise.withResolvers<string | undefined>()
      waiting.set(key, mine)
      if (!asking) void run()
      return mine.promise
    },
  }
}
