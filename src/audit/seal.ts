/**
 * The sealer gives accepted entries their place in the chain and signs the new head. One writer at a time: an advisory
 * lock, held by the transaction that links, signs and empties the queue. A crash before its commit leaves everything
 * as it was, a crash after it leaves a finished batch, so recovery is the next pass and nothing else.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import { type Db, inTransaction, type Tx } from '../db.ts'
import type { TenantId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { Secret } from '../secret.ts'
import { advance, genesis, type Position } from './chain.ts'
import { createCheckpointSigner, openCheckpoint, type PublicKey, parsePublicKey } from './checkpoint.ts'
import { latestCheckpoint } from './store.ts'

export type Sealer = {
  start(): void
  /** Links what is waiting, in as many batches as it takes; how many entries were linked. */
  sealNow(): Promise<number>
  /** Ends after the pass in progress. What still waits is linked after the next start. */
  stop(): Promise<void>
}

export type SealerDeps = {
  readonly db: Db
  readonly tenantId: TenantId
  /** Ed25519, PEM. */
  readonly key: Secret<string>
  readonly clock: Clock
  readonly log: Log
  readonly intervalMs?: number
  readonly batchMax?: number
  /** A checkpoint is signed this often even when nothing happened: quiet hours are evidence too. */
  readonly heartbeatMs?: number
}

/** The stored log is not the one that was signed. Extending it would vouch for it, so sealing ends. */
export class BrokenLogError extends Error {
  constructor(what: string) {
    super(`the audit log of this tenant is not the one that was signed: ${what}`)
    this.name = 'BrokenLogError'
  }
}

/** Two numbers of our own; advisory locks belong to one database, and a tenant has one of its own. */
const LOCK = [0x46_41_4c, 1] as const
const DEFAULTS = { intervalMs: 1_000, batchMax: 2_000, heartbeatMs: 3_600_000 } as const

/** What a third party needs to verify the log: the verifier key in the form of signed-note. */
export const auditPublicKey = (tenantId: TenantId, key: Secret<string>): string =>
  createCheckpointSigner(tenantId, key.reveal()).publicKey

export function createSealer(deps: SealerDeps): Sealer {
  const { db, clock, log } = deps
  const settings = { ...DEFAULTS, ...deps }
  const signer = createCheckpointSigner(deps.tenantId, deps.key.reveal())
  const publicKey = parsePublicKey(signer.publicKey)
  if (publicKey === null) throw new Error('the audit key does not yield a verifier key')
  let loop: { readonly end: AbortController; readonly done: Promise<void> } | null = null
  let passes: Promise<unknown> = Promise.resolve()
  // A log that shrinks below what this process has seen was cut, even when its new end is properly signed.
  let sizeSeen = 0

  const sealBatch = (): Promise<{ readonly size: number; readonly linked: number }> =>
    inTransaction(db, async (tx) => {
      await tx.raw('select pg_advisory_xact_lock(?, ?)', [...LOCK])
      const { position, signedAt } = await readEnd(tx, publicKey)
      if (position.size < sizeSeen)
        throw new BrokenLogError(`${sizeSeen} entries were linked, ${position.size} are left`)
      const next = await linkPending(tx, position, settings.batchMax)
      const isQuiet = next.size === position.size
      if (isQuiet && signedAt !== null && clock.now() - signedAt < settings.heartbeatMs)
        return { size: position.size, linked: 0 }
      const at = new Date(clock.now())
      const note = signer.sign({ ...next, signedAt: at.toISOString() })
      await tx.raw('insert into audit_checkpoint (size, signed_at, note) values (?, ?, ?)', [next.size, at, note])
      return { size: next.size, linked: next.size - position.size }
    })

  const pass = async (): Promise<number> => {
    for (let linked = 0; ; ) {
      const batch = await sealBatch()
      sizeSeen = batch.size
      linked += batch.linked
      if (batch.linked < settings.batchMax) return linked
    }
  }

  const sealNow = (): Promise<number> => {
    const result = passes.then(pass)
    passes = result.catch(() => undefined)
    return result
  }

  const run = async (end: AbortSignal): Promise<void> => {
    while (!end.aborted) {
      try {
        if (await isDue(db, clock.now() - settings.heartbeatMs)) await sealNow()
      } catch (thrown) {
        if (thrown instanceof BrokenLogError) return log.fatal({ err: thrown, sizeSeen }, 'sealing has ended')
        log.error({ err: thrown }, 'sealing failed and will be repeated')
      }
      await pause(settings.intervalMs, undefined, { signal: end }).catch(() => undefined)
    }
  }

  return {
    start: () => {
      if (loop !== null) return
      const end = new AbortController()
      loop = { end, done: run(end.signal) }
    },
    sealNow,
    stop: async () => {
      loop?.end.abort()
      await loop?.done
      await passes
      loop = null
    },
  }
}

/** Cheap enough to ask every second; the lock is taken only when there is something to do. */
async function isDue(db: Db, lastCheckpointBefore: number): Promise<boolean> {
  const { rows } = (await db.raw(
    `select exists (select from audit_pending)
         or not exists (select from audit_checkpoint where id = (select max(id) from audit_checkpoint)
                        and signed_at > ?) as due`,
    [new Date(lastCheckpointBefore)],
  )) as { rows: { due: boolean }[] }
  return rows[0]?.due === true
}

type End = { readonly position: Position; readonly signedAt: number | null }

/** The end of the chain, believed only if the last checkpoint vouches for exactly that end. */
async function readEnd(tx: Tx, publicKey: PublicKey): Promise<End> {
  const stored = (await tx.raw('select seq, hash from audit_link order by seq desc limit 1')) as {
    rows: { seq: string; hash: Buffer }[]
  }
  const [last] = stored.rows
  const row = await latestCheckpoint(tx)
  if (row === null) {
    if (last) throw new BrokenLogError('there are links and no checkpoint')
    return { position: genesis(publicKey.tenantId), signedAt: null }
  }
  const opened = openCheckpoint(row.note, publicKey)
  if (!opened.ok) throw new BrokenLogError(opened.reason)
  const { size, head, signedAt } = opened.checkpoint
  const hash = last?.hash ?? genesis(publicKey.tenantId).head
  if (Number(last?.seq ?? 0) !== size || !hash.equals(head))
    throw new BrokenLogError(`entry ${last?.seq ?? 0} is last, and the checkpoint of ${size} is for another head`)
  return { position: { size, head }, signedAt: Date.parse(signedAt) }
}

async function linkPending(tx: Tx, from: Position, batchMax: number): Promise<Position> {
  const taken = (await tx.raw(
    `with taken as (
       delete from audit_pending
       where entry_id in (select entry_id from audit_pending order by entry_id limit ?)
       returning entry_id
     )
     select t.entry_id, e.bytes from taken t left join audit_entry e on e.id = t.entry_id order by t.entry_id`,
    [batchMax],
  )) as { rows: { entry_id: string; bytes: Buffer | null }[] }
  if (taken.rows.length === 0) return from
  let position = from
  const hashes: Buffer[] = []
  for (const { entry_id: id, bytes } of taken.rows) {
    if (bytes === null) throw new BrokenLogError(`entry ${id} was accepted and is gone`)
    position = advance(position, bytes)
    hashes.push(position.head)
  }
  await tx.raw(
    `insert into audit_link (seq, entry_id, hash)
     select ?::bigint + ordinality, entry_id, hash
     from unnest(?::bigint[], ?::bytea[]) with ordinality as link (entry_id, hash, ordinality)`,
    [from.size, taken.rows.map((row) => row.entry_id), hashes],
  )
  return position
}
