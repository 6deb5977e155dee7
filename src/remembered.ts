/**
 * Rows that every call reads and hardly any changes: taken apart once, and read again only when they have changed.
 * Whether they have is asked of the database each time, by the version that PostgreSQL itself gives a row with every
 * update (`xmin`, with `ctid` against its wrapping around). So nothing here is ever older than the last commit.
 */
import { LRUCache } from 'lru-cache'

export type Versioned<Value> = { readonly version: string; readonly value: Value }

export type Remembered<Value> = { get(key: string): Promise<Value | null> }

/** SQL for the version of a row of a table or alias. */
export const versionOf = (alias: string): string => `${alias}.xmin::text || ${alias}.ctid::text`

export function createRemembered<Value extends object>(source: {
  readonly max: number
  /** null: there is no such row. */
  version(key: string): Promise<string | null>
  load(key: string): Promise<Versioned<Value> | null>
}): Remembered<Value> {
  const known = new LRUCache<string, Versioned<Value>>({ max: source.max })
  return {
    get: async (key) => {
      const held = known.get(key)
      if (held !== undefined && held.version === (await source.version(key))) return held.value
      const loaded = await source.load(key)
      if (loaded === null) known.delete(key)
      else known.set(key, loaded)
      return loaded?.value ?? null
    },
  }
}
