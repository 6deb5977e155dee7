/** The log as it is stored: tiles, checkpoints, and what witnesses have said to them. */
import { type Db, query, type Tx } from '../db.ts'
import type { TileSource } from './tree/proof.ts'
import { TILE_WIDTH } from './tree/tiles.ts'

/** One statement, hence one moment: a tile that is not complete now is found at the edge of now. */
const TILE = `
  select coalesce(
    (select hashes from audit_tile where level = ? and n = ?),
    (select edge[? + 1] from audit_head where floor(size / (?::numeric)) = ?)
  ) as hashes`

/** Partial tiles grow at their end only, so the tile of today holds those of every smaller tree. */
export const tileSource =
  (db: Db): TileSource =>
  async ({ level, n }) => {
    const { rows } = await query<{ readonly hashes: Buffer | null }>(db, TILE, [
      level,
      n,
      level,
      String(TILE_WIDTH ** (level + 1)),
      n,
    ])
    const hashes = rows[0]?.hashes ?? null
    if (hashes === null) throw new Error(`the log has no tile ${level}/${n}`)
    return hashes
  }

export type PublishedCheckpoint = {
  readonly id: string
  readonly size: number
  /** Signed by the log, without cosignatures. */
  readonly signed: string
  /** With the cosignatures so far. */
  readonly note: string
}

type Row = { readonly id: string; readonly size: string; readonly note: string; readonly lines: string | null }

const SELECT = `
  select c.id, c.size, c.note,
    (select string_agg(k.line, '' order by k.cosigned_at, k.witness)
     from audit_cosignature k where k.checkpoint_id = c.id) as lines
  from audit_checkpoint c`

const published = ({ id, size, note, lines }: Row): PublishedCheckpoint => ({
  id,
  size: Number(size),
  signed: note,
  note: note + (lines ?? ''),
})

export async function latestCheckpoint(db: Db | Tx): Promise<PublishedCheckpoint | null> {
  const [row] = (await query<Row>(db, `${SELECT} order by c.size desc limit 1`)).rows
  return row === undefined ? null : published(row)
}

/** How far back a checkpoint with more cosignatures is preferred to a newer one. */
const COSIGNATURES_LOOKED_AT = 200

/** Of the checkpoints over at least `size` entries the one that most witnesses have signed, and of those the latest. */
export async function bestCheckpoint(db: Db, size: number): Promise<PublishedCheckpoint | null> {
  const [row] = (
    await query<Row>(
      db,
      `${SELECT} where c.id = (
         select checkpoint_id from (
           select checkpoint_id from audit_cosignature order by checkpoint_id desc limit ?
         ) recent join audit_checkpoint s on s.id = checkpoint_id and s.size >= ?
         group by checkpoint_id order by count(*) desc, checkpoint_id desc limit 1)`,
      [COSIGNATURES_LOOKED_AT, size],
    )
  ).rows
  if (row !== undefined) return published(row)
  const latest = await latestCheckpoint(db)
  return latest !== null && latest.size >= size ? latest : null
}

export type HourCheckpoint = { readonly hour: Date; readonly size: number; readonly note: string }

export async function hourCheckpoints(
  db: Db,
  page: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<readonly HourCheckpoint[]> {
  const { rows } = await query<Row & { readonly hour: Date }>(
    db,
    `${SELECT.replace('c.note,', 'c.note, c.hour,')}
     where c.hour is not null and c.size > ? and c.size <= ? order by c.size limit ?`,
    [page.after, page.upTo, page.limit],
  )
  return rows.map((row) => ({ hour: row.hour, size: Number(row.size), note: published(row).note }))
}

export type KeyInForce = { readonly index: number; readonly publicKey: string }

/** Oldest first: each signs from its place on, until the next. */
export async function keyHistory(db: Db): Promise<readonly KeyInForce[]> {
  const { rows } = await query<{ readonly index: string; readonly public_key: string }>(
    db,
    'select index, public_key from audit_key order by index',
  )
  return rows.map((row) => ({ index: Number(row.index), publicKey: row.public_key }))
}
