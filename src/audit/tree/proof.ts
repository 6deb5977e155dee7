/** Inclusion and consistency proofs (RFC 6962 2.1.1 and 2.1.2): which hashes they hold, made from tiles, and checked. */
import { HASH_BYTES, nodeHash, rootOf, splitOf } from './hash.ts'
import { splitHashes, TILE_HEIGHT, TILE_WIDTH, type TileId } from './tiles.ts'

/** The subtree over the leaves from `start` up to but not including `end`. */
export type Range = { readonly start: number; readonly end: number }

/** At least the hashes of the tile that a tree of the wanted size has. */
export type TileSource = (tile: TileId) => Promise<Buffer>

/** Asks for each tile once: a proof walks up through few of them, many times. */
export function remembered(tiles: TileSource): TileSource {
  const known = new Map<string, Promise<Buffer>>()
  return (tile) => {
    const name = `${tile.level}/${tile.n}`
    const found = known.get(name) ?? tiles(tile)
    known.set(name, found)
    return found
  }
}

/** From the sibling of the leaf up to the child of the root. */
export function inclusionRanges(index: number, size: number): readonly Range[] {
  const ranges: Range[] = []
  for (let start = 0, end = size; end - start > 1; ) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      ranges.push({ start: middle, end })
      end = middle
    } else {
      ranges.push({ start, end: middle })
      start = middle
    }
  }
  return ranges.reverse()
}

export function consistencyRanges(oldSize: number, size: number): readonly Range[] {
  if (oldSize === 0) return []
  const sub = (m: number, start: number, end: number, isWhole: boolean): readonly Range[] => {
    const n = end - start
    if (m === n) return isWhole ? [] : [{ start, end }]
    const k = splitOf(n)
    return m <= k
      ? [...sub(m, start, start + k, isWhole), { start: start + k, end }]
      : [...sub(m - k, start + k, end, false), { start, end: start + k }]
  }
  return sub(oldSize, 0, size, true)
}

export async function rangeHash({ start, end }: Range, tiles: TileSource): Promise<Buffer> {
  const width = end - start
  let height = 0
  while (2 ** height < width) height += 1
  if (2 ** height === width) return subtree(height, start / width, tiles)
  const middle = start + splitOf(width)
  return nodeHash(await rangeHash({ start, end: middle }, tiles), await rangeHash({ start: middle, end }, tiles))
}

/** The complete subtree of 2^height leaves at `place`, from the tile that holds its upper part. */
async function subtree(height: number, place: number, tiles: TileSource): Promise<Buffer> {
  const level = Math.floor(height / TILE_HEIGHT)
  const count = 2 ** (height % TILE_HEIGHT)
  const first = place * count
  const tile = await tiles({ level, n: Math.floor(first / TILE_WIDTH) })
  const from = (first % TILE_WIDTH) * HASH_BYTES
  const hashes = splitHashes(tile.subarray(from, from + count * HASH_BYTES))
  if (hashes.length !== count) throw new Error(`tile ${level}/${Math.floor(first / TILE_WIDTH)} is too short`)
  return rootOf(hashes)
}

export const proofOf = (ranges: readonly Range[], tiles: TileSource): Promise<readonly Buffer[]> =>
  Promise.all(ranges.map((range) => rangeHash(range, tiles)))

const isOdd = (n: number): boolean => n % 2 === 1
const half = (n: number): number => Math.floor(n / 2)

/** RFC 9162 2.1.4.2. An empty old tree is consistent with every tree, by an empty proof. */
export function isConsistent(
  older: { readonly size: number; readonly root: Buffer },
  newer: { readonly size: number; readonly root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (older.size > newer.size) return false
  if (older.size === 0) return proof.length === 0
  if (older.size === newer.size) return proof.length === 0 && older.root.equals(newer.root)
  const isPowerOfTwo = splitOf(older.size + 1) === older.size
  const [first, ...rest] = isPowerOfTwo ? [older.root, ...proof] : proof
  if (first === undefined) return false
  let [fn, sn] = [older.size - 1, newer.size - 1]
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)]
  let [fr, sr] = [first, first]
  for (const each of rest) {
    if (sn === 0) return false
    if (isOdd(fn) || fn === sn) {
      fr = nodeHash(each, fr)
      sr = nodeHash(each, sr)
      while (fn !== 0 && !isOdd(fn)) [fn, sn] = [half(fn), half(sn)]
    } else sr = nodeHash(sr, each)
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && fr.equals(older.root) && sr.equals(newer.root)
}
