/**
 * The newest entries of the live log against its signed checkpoint, inside a running hub: no files, a portion at a time,
 * with pauses, and never more entries than it is told. What lies before them is held by the tree alone: its hashes have
 * to lead to the same signed root. It shares code with the sealer, so it finds what has been changed in the tables, and
 * not a fault of the code that wrote them; that is for the verifier (`falaj audit verify`), which stands alone.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type Db, query } from '../db.ts'
import { commitmentOf } from './commitment.ts'
import { believed, type LogKeySource, openLogKeys } from './log-keys.ts'
import { hourCheckpoints, keyHistory, latestCheckpoint, tileSource } from './log-store.ts'
import { type OpenedCheckpoint, parseCheckpoint } from './note/checkpoint.ts'
import { isSignedBy, type VerifierKey } from './note/key.ts'
import { type Accepted, createAuditReader } from './store.ts'
import { decode, type StoredEntry } from './stored-entry.ts'
import { createEdge, type Edge } from './tree/edge.ts'
import { HASH_BYTES, leafHash } from './tree/hash.ts'
import type { TileSource } from './tree/proof.ts'
import { TILE_WIDTH } from './tree/tiles.ts'

export type RecentVerdict = {
  readonly ok: boolean
  /** Entries under the newest checkpoint. */
  readonly size: number
  /** The first one whose bytes were read. */
  readonly first: number
  readonly checked: number
  readonly checkpoints: number
  readonly openings: number
  /** The first thing that was wrong. */
  readonly fault: string | null
}

const PORTION = 1_000
const PAUSE_MS = 10
const HOURS_MAX = 1_000

class Fault extends Error {}

export async function verifyRecent(
  deps: LogKeySource & { readonly db: Db },
  { newest, signal }: { readonly newest: number; readonly signal: AbortSignal },
): Promise<RecentVerdict> {
  const counts = { size: 0, first: 0, checked: 0, checkpoints: 0, openings: 0 }
  try {
    await walk(deps, newest, counts, signal)
    return { ok: true, ...counts, fault: null }
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown
    return { ok: false, ...counts, fault: thrown.message }
  }
}

type Counts = { size: number; first: number; checked: number; checkpoints: number; openings: number }

async function walk(
  deps: LogKeySource & { readonly db: Db },
  newest: number,
  counts: Counts,
  signal: AbortSignal,
): Promise<void> {
  const { db } = deps
  const latest = await latestCheckpoint(db)
  if (latest === null) throw new Fault('nothing of this log is sealed yet')
  const keys = await believedKeys(deps)
  const end = opened(latest.signed, keys)
  counts.size = end.checkpoint.size
  counts.first = Math.floor(Math.max(0, counts.size - newest) / TILE_WIDTH) * TILE_WIDTH
  const hours = await hourCheckpoints(db, { after: counts.first, upTo: counts.size, limit: HOURS_MAX })
  const due = new Map([...hours, { size: latest.size, note: latest.signed }].map(({ size, note }) => [size, note]))
  const tiles = tileSource(db)
  const edge = await edgeAt(counts.first, tiles)
  const reader = createAuditReader({ db })
  while (edge.size() < counts.size) {
    const portion = await reader.range(edge.size(), Math.min(PORTION, counts.size - edge.size()))
    if (portion.length === 0) throw new Fault(`entry ${edge.size()} is missing`)
    for (const each of portion) {
      await append(edge, each, { tiles, counts })
      const note = due.get(edge.size())
      if (note === undefined) continue
      const { checkpoint } = opened(note, keys)
      if (!checkpoint.root.equals(edge.root()))
        throw new Fault(`the checkpoint of ${edge.size()} entries has another root`)
      counts.checkpoints += 1
    }
    await pause(PAUSE_MS, undefined, { signal })
  }
  await findLost(db, counts.first)
}

async function believedKeys(deps: LogKeySource & { readonly db: Db }): Promise<readonly VerifierKey[]> {
  const keys = openLogKeys(deps)
  return (await keyHistory(deps.db)).map(({ publicKey }) => {
    const key = believed(keys, publicKey)
    if (key === null) throw new Fault(`a key of the log is neither the configured one nor a previous one: ${publicKey}`)
    return key
  })
}

function opened(note: string, keys: readonly VerifierKey[]): OpenedCheckpoint {
  const found = parseCheckpoint(Buffer.from(note))
  if (found === null || !keys.some((key) => isSignedBy(found.note, key))) {
    throw new Fault(
      `a checkpoint is not signed by a key of this log${found === null ? '' : `: ${found.checkpoint.size}`}`,
    )
  }
  return found
}

/** As it was when the tree had that many entries, which fill their tiles. */
async function edgeAt(size: number, tiles: TileSource): Promise<Edge> {
  const levels: Buffer[] = []
  for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / TILE_WIDTH)) {
    const width = hashes % TILE_WIDTH
    const tile = width === 0 ? Buffer.alloc(0) : await tiles({ level, n: Math.floor(hashes / TILE_WIDTH) })
    levels.push(Buffer.from(tile.subarray(0, width * HASH_BYTES)))
  }
  return createEdge(size, levels)
}

async function append(
  edge: Edge,
  { index, bytes, openings }: Accepted,
  { tiles, counts }: { readonly tiles: TileSource; readonly counts: Counts },
): Promise<void> {
  if (index !== edge.size()) throw new Fault(`entry ${edge.size()} is missing`)
  for (const full of edge.append(leafHash(bytes))) {
    if (!(await tiles(full)).equals(full.hashes))
      throw new Fault(`tile ${full.level}/${full.n} is not of these entries`)
  }
  const entry = decode(bytes)
  if (entry === null) throw new Fault(`entry ${index} cannot be read`)
  for (const opening of openings) {
    if (committedIn(entry, opening.field) !== commitmentOf(opening))
      throw new Fault(`entry ${index}: ${opening.field} was changed`)
    counts.openings += 1
  }
  counts.checked += 1
}

const committedIn = (entry: StoredEntry, field: string): unknown =>
  (entry[field] as { readonly commitment?: unknown } | null | undefined)?.commitment

/** Accepted since then, and neither in the log nor in the queue. */
async function findLost(db: Db, first: number): Promise<void> {
  const { rows } = await query<{ readonly id: string }>(
    db,
    `select e.id from audit_entry e where e.id >= (select entry_id from audit_leaf where index = ?)
       and not exists (select from audit_leaf l where l.entry_id = e.id)
       and not exists (select from audit_pending p where p.entry_id = e.id) limit 1`,
    [first],
  )
  if (rows[0] !== undefined)
    throw new Fault(`entry with id ${rows[0].id} was accepted and is neither in the log nor waiting`)
}
