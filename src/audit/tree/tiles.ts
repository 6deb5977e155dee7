/** Names and sizes of C2SP tlog-tiles: 256 hashes to a tile, eight levels of the tree to a level of tiles. */
import { HASH_BYTES } from './hash.ts'

export const TILE_WIDTH = 256
export const TILE_HEIGHT = 8
export const TILE_BYTES = TILE_WIDTH * HASH_BYTES

export type TileId = { readonly level: number; readonly n: number }
/** 1 to 256 hashes; fewer than 256 only at the right edge. */
export type TileSpan = TileId & { readonly width: number }

/** 1234067 is x001/x234/067: no folder holds more than a thousand names, and none is also a file. */
export function indexPath(n: number): string {
  const groups = [String(n % 1000).padStart(3, '0')]
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${String(rest % 1000).padStart(3, '0')}`)
  }
  return groups.join('/')
}

const named = (folder: string, n: number, width: number): string =>
  `tile/${folder}/${indexPath(n)}${width === TILE_WIDTH ? '' : `.p/${width}`}`

export const tilePath = ({ level, n, width }: TileSpan): string => named(String(level), n, width)
export const bundlePath = (n: number, width: number): string => named('entries', n, width)

/** Every tile of a tree of this size, level by level, from the left. */
export function* tilesOf(size: number): Generator<TileSpan> {
  for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / TILE_WIDTH)) {
    for (let n = 0; n * TILE_WIDTH < hashes; n += 1) {
      yield { level, n, width: Math.min(TILE_WIDTH, hashes - n * TILE_WIDTH) }
    }
  }
}

export function splitHashes(tile: Buffer): Buffer[] {
  const hashes: Buffer[] = []
  for (let at = 0; at < tile.length; at += HASH_BYTES) hashes.push(tile.subarray(at, at + HASH_BYTES))
  return hashes
}
