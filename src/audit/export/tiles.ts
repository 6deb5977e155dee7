/** The tree of an export: every tile of hashes, and the bundles of the entries that are wanted. */
import { type Db, query } from '../../db.ts'
import { HASH_BYTES } from '../tree/hash.ts'
import type { TileSource } from '../tree/proof.ts'
import { bundlePath, TILE_WIDTH, tilePath, tilesOf } from '../tree/tiles.ts'
import type { ExportFolder } from './folder.ts'

/** Bundles read by one statement: some two thousand entries. */
const BUNDLES_AT_ONCE = 8
const TILES_AT_ONCE = 128

export async function writeTiles(db: Db, folder: ExportFolder, size: number, source: TileSource): Promise<void> {
  const ahead = new Map<string, Buffer>()
  for (const tile of tilesOf(size)) {
    const name = tilePath(tile)
    const bytes = tile.width * HASH_BYTES
    if (await folder.has(name, bytes)) continue
    const { level, n } = tile
    if (!ahead.has(`${level}/${n}`)) {
      ahead.clear()
      for (const row of await completeTiles(db, level, n)) ahead.set(`${level}/${row.n}`, row.hashes)
    }
    const hashes = ahead.get(`${level}/${n}`) ?? (await source(tile))
    await folder.write(name, hashes.subarray(0, bytes))
  }
}

async function completeTiles(db: Db, level: number, from: number) {
  const { rows } = await query<{ readonly n: string; readonly hashes: Buffer }>(
    db,
    'select n, hashes from audit_tile where level = ? and n >= ? order by n limit ?',
    [level, from, TILES_AT_ONCE],
  )
  return rows
}

/** `bundles` in ascending order. */
export async function writeBundles(
  db: Db,
  folder: ExportFolder,
  size: number,
  bundles: Iterable<number>,
): Promise<void> {
  let ahead = new Map<number, Buffer>()
  for (const n of bundles) {
    const start = n * TILE_WIDTH
    const width = Math.min(TILE_WIDTH, size - start)
    const name = bundlePath(n, width)
    if (await folder.has(name)) continue
    if (!ahead.has(start)) ahead = await readEntries(db, start, Math.min(size, start + BUNDLES_AT_ONCE * TILE_WIDTH))
    const parts: Buffer[] = []
    for (let index = start; index < start + width; index += 1) {
      // An entry that is gone leaves its place empty: the verifier names it.
      const bytes = ahead.get(index) ?? Buffer.alloc(0)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(bytes.length)
      parts.push(length, bytes)
    }
    await folder.write(name, Buffer.concat(parts))
  }
}

async function readEntries(db: Db, start: number, end: number): Promise<Map<number, Buffer>> {
  const { rows } = await query<{ readonly index: string; readonly bytes: Buffer }>(
    db,
    `select l.index, e.bytes from audit_leaf l join audit_entry e on e.id = l.entry_id
     where l.index >= ? and l.index < ?`,
    [start, end],
  )
  return new Map(rows.map(({ index, bytes }) => [Number(index), bytes]))
}

export function* bundlesOf({ first, end }: { readonly first: number; readonly end: number }): Generator<number> {
  for (let n = Math.floor(first / TILE_WIDTH); n * TILE_WIDTH < end; n += 1) yield n
}

/** The entries of a bundle that was written. */
export function splitBundle(bundle: Buffer): readonly Buffer[] {
  const entries: Buffer[] = []
  for (let at = 0; at + 2 <= bundle.length; ) {
    const length = bundle.readUInt16BE(at)
    entries.push(bundle.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return entries
}
