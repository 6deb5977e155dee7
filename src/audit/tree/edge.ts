/**
 * The right edge of a growing tree: the tiles that are not full yet, one per level. It is all that is needed to append
 * and to know the root, so a log of any length is extended without reading what is complete.
 */
import { EMPTY_ROOT, rootOf } from './hash.ts'
import { splitHashes, TILE_WIDTH, type TileId } from './tiles.ts'

export type FullTile = TileId & { readonly hashes: Buffer }

export type Edge = {
  size(): number
  root(): Buffer
  /** The tiles that this leaf completed: none, mostly. */
  append(leaf: Buffer): readonly FullTile[]
  /** One partial tile per level, possibly empty. */
  levels(): readonly Buffer[]
}

export function createEdge(size: number, levels: readonly Buffer[]): Edge {
  const partial = levels.map(splitHashes)
  let count = size
  return {
    size: () => count,
    root: () => {
      let right: readonly Buffer[] = []
      for (const hashes of partial) {
        const row = [...hashes, ...right]
        right = row.length === 0 ? [] : [rootOf(row)]
      }
      return right[0] ?? EMPTY_ROOT
    },
    append: (leaf) => {
      const full: FullTile[] = []
      let carried: Buffer | null = leaf
      for (let level = 0; carried !== null; level += 1) {
        const hashes: Buffer[] = partial[level] ?? []
        partial[level] = hashes
        hashes.push(carried)
        carried = null
        if (hashes.length === TILE_WIDTH) {
          const n = Math.floor(count / TILE_WIDTH ** (level + 1))
          full.push({ level, n, hashes: Buffer.concat(hashes) })
          carried = rootOf(hashes)
          partial[level] = []
        }
      }
      count += 1
      return full
    },
    levels: () => partial.map((hashes) => Buffer.concat(hashes)),
  }
}
