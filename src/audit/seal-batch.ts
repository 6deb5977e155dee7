/**
 * One batch, in one transaction under the advisory lock: read the end and believe it only if it is the one that was
 * signed, give the next entries their places, sign the new root, commit. A crash before the commit leaves everything
 * as it was, a crash after it leaves a finished batch; recovery is the next batch and nothing else.
 */
import { type Clock, type Instant, iso, toInstant } from '../clock.ts'
import { query, type Tx } from '../db.ts'
import type { TenantId } from '../ids.ts'
import type { ClockWatch } from './clock-watch.ts'
import { type AuditEntry, encode } from './entry.ts'
import { believed, type LogKeys } from './log-keys.ts'
import { checkpointText, parseCheckpoint } from './note/checkpoint.ts'
import { isSignedBy, signText } from './note/key.ts'
import { writeNote } from './note/note.ts'
import type { EntryId } from './store.ts'
import { createEdge, type Edge, type FullTile } from './tree/edge.ts'
import { leafHash } from './tree/hash.ts'

/** The stored log is not the one that was signed. Extending it would vouch for it, so sealing ends. */
export class BrokenLogError extends Error {
  constructor(what: string) {
    super(`the audit log of this tenant is not the one that was signed: ${what}`)
    this.name = 'BrokenLogError'
  }
}

export type BatchDeps = {
  readonly tenantId: TenantId
  readonly keys: LogKeys
  readonly clock: Clock
  readonly watch: ClockWatch
  readonly clockSource: string
  readonly batchMax: number
}
/** `more`: there is something left to seal. */
export type Batch = { readonly size: number; readonly sealed: number; readonly more: boolean }

/** Two numbers of our own; advisory locks belong to one database, and a tenant has one of its own. */
const LOCK = [0x46_41_4c, 1] as const
export const HOUR_MS = 3_600_000

type End = {
  readonly edge: Edge
  /** Who signs, as the log says; null before its first entry. */
  readonly publicKey: string | null
  readonly lastHour: Instant | null
}
type Leaf = { readonly entryId: EntryId; readonly bytes: Buffer }

export async function sealBatch(tx: Tx, deps: BatchDeps, sizeSeen: number): Promise<Batch> {
  await query(tx, 'select pg_advisory_xact_lock(?, ?)', [...LOCK])
  const end = await readEnd(tx, deps.keys)
  const size = end.edge.size()
  if (size < sizeSeen) throw new BrokenLogError(`${sizeSeen} entries were sealed, ${size} are left`)
  const { keys, clock } = deps
  const now = clock.now()
  if (end.publicKey !== keys.signer.verifier.text) {
    const entry = { publicKey: keys.signer.verifier.text, previous: end.publicKey } as const
    const leaf = await addEntry(tx, deps, { kind: 'log-key', ...entry, ...common(deps, now) })
    await query(tx, 'insert into audit_key (index, public_key) values (?, ?)', [size, keys.signer.verifier.text])
    await extend(tx, deps, end.edge, { leaves: [leaf], hour: null, isTakeover: end.publicKey !== null })
    return { size: size + 1, sealed: 0, more: true }
  }
  const hour = toInstant(Math.floor(now / HOUR_MS) * HOUR_MS)
  if (end.lastHour === null || hour > end.lastHour) {
    const leaf = await addEntry(tx, deps, await hourEntry(tx, deps, { now, hour, lastHour: end.lastHour }))
    await extend(tx, deps, end.edge, { leaves: [leaf], hour, isTakeover: false })
    return { size: size + 1, sealed: 0, more: true }
  }
  const leaves = await takePending(tx, deps.batchMax)
  if (leaves.length > 0) await extend(tx, deps, end.edge, { leaves, hour: null, isTakeover: false })
  return { size: size + leaves.length, sealed: leaves.length, more: leaves.length === deps.batchMax }
}

const common = ({ tenantId }: BatchDeps, at: Instant) => ({ at, tenantId, interactionId: null })

async function hourEntry(
  tx: Tx,
  deps: BatchDeps,
  { now, hour, lastHour }: { readonly now: Instant; readonly hour: Instant; readonly lastHour: Instant | null },
): Promise<AuditEntry> {
  const { rows } = await query<{ readonly now: Date }>(tx, 'select clock_timestamp() as now')
  return {
    kind: 'hour',
    ...common(deps, now),
    hour: iso(hour),
    missed: lastHour === null ? 0 : (hour - lastHour) / HOUR_MS - 1,
    clockSource: deps.clockSource,
    clockStepMs: deps.watch.takeLargestStep(),
    databaseOffsetMs: deps.clock.now() - (rows[0]?.now.getTime() ?? Number.NaN),
  }
}

/** Entries of the sealer's own take their places at once, so they never stand in the queue. */
async function addEntry(tx: Tx, { watch }: BatchDeps, entry: AuditEntry): Promise<Leaf> {
  const { bytes } = encode(entry, watch.status())
  const { rows } = await query<{ readonly id: EntryId }>(
    tx,
    'insert into audit_entry (bytes) values (?) returning id',
    [bytes],
  )
  const [row] = rows
  if (row === undefined) throw new Error('an inserted row has an id')
  return { entryId: row.id, bytes }
}

/** The end of the log, believed only if the last checkpoint vouches for exactly that end. */
async function readEnd(tx: Tx, keys: LogKeys): Promise<End> {
  const { rows } = await query<{
    readonly size: string
    readonly edge: readonly Buffer[]
    readonly note: string | null
    readonly public_key: string | null
    readonly hour: Date | null
  }>(
    tx,
    `select h.size, h.edge, (select note from audit_checkpoint order by size desc limit 1) as note,
       (select public_key from audit_key order by index desc limit 1) as public_key,
       (select max(hour) from audit_checkpoint) as hour
     from audit_head h`,
  )
  const [row] = rows
  if (row === undefined) throw new BrokenLogError('its head is gone')
  const edge = createEdge(Number(row.size), row.edge)
  if (row.note === null || row.public_key === null) {
    if (edge.size() > 0 || row.note !== null || row.public_key !== null)
      throw new BrokenLogError('there are entries without a checkpoint or a key')
    return { edge, publicKey: null, lastHour: null }
  }
  const key = believed(keys, row.public_key)
  const opened = parseCheckpoint(Buffer.from(row.note))
  if (key === null) throw new BrokenLogError('its last key is neither the key of the configuration nor a previous one')
  if (opened === null || !isSignedBy(opened.note, key)) throw new BrokenLogError('its last checkpoint does not verify')
  const { origin, size, root } = opened.checkpoint
  if (origin !== keys.origin) throw new BrokenLogError(`its origin is ${origin}`)
  if (size !== edge.size() || !root.equals(edge.root()))
    throw new BrokenLogError(`it ends with ${edge.size()} entries, and the checkpoint of ${size} is for another root`)
  return { edge, publicKey: row.public_key, lastHour: row.hour === null ? null : toInstant(row.hour) }
}

/**
 * Both look-ups go by the key, whatever the planner believes: statistics of a queue are never those of now, and with
 * others it reads the whole log, or all that is left of the queue's dead rows, for every batch.
 */
const TAKE = `
  with taken as (
    delete from audit_pending
    where entry_id = any(array(select entry_id from audit_pending order by entry_id limit ?))
    returning entry_id
  )
  select entry_id, (select bytes from audit_entry where id = entry_id) as bytes from taken order by entry_id`

async function takePending(tx: Tx, batchMax: number): Promise<readonly Leaf[]> {
  const { rows } = await query<{ readonly entry_id: EntryId; readonly bytes: Buffer | null }>(tx, TAKE, [batchMax])
  return rows.map(({ entry_id: entryId, bytes }) => {
    if (bytes === null) throw new BrokenLogError(`entry ${entryId} was accepted and is gone`)
    return { entryId, bytes }
  })
}

async function extend(
  tx: Tx,
  { keys, clock }: BatchDeps,
  edge: Edge,
  batch: {
    readonly leaves: readonly Leaf[]
    readonly hour: Instant | null
    readonly isTakeover: boolean
  },
): Promise<void> {
  const first = edge.size()
  const full: FullTile[] = []
  for (const { bytes } of batch.leaves) full.push(...edge.append(leafHash(bytes)))
  const size = edge.size()
  const text = checkpointText({ origin: keys.origin, size, root: edge.root() })
  const signers = batch.isTakeover && keys.farewell !== null ? [keys.farewell, keys.signer] : [keys.signer]
  const note = writeNote({ text, signatures: signers.map((signer) => signText(signer, text)) })
  await tx.raw(EXTEND, [
    ...[first, batch.leaves.map(({ entryId }) => entryId)],
    ...[full.map(({ level }) => level), full.map(({ n }) => n), full.map(({ hashes }) => hashes)],
    ...[size, [...edge.levels()]],
    ...[size, new Date(clock.now()), batch.hour === null ? null : new Date(batch.hour), note],
  ])
}

/** One statement: every round trip of a batch is a turn of a loop in which a busy hub has much else to do. */
const EXTEND = `
  with leaves as (
    insert into audit_leaf (index, entry_id)
    select ?::bigint + place - 1, entry_id from unnest(?::bigint[]) with ordinality as leaf (entry_id, place)
  ), tiles as (
    insert into audit_tile (level, n, hashes)
    select level, n, hashes from unnest(?::smallint[], ?::bigint[], ?::bytea[]) as tile (level, n, hashes)
  ), head as (
    update audit_head set size = ?, edge = ?::bytea[]
  )
  insert into audit_checkpoint (size, signed_at, hour, note) values (?, ?, ?, ?)`
