/** Writes the log as one text file that verifies on its own; the format is described in verify-export.ts. */
import { open, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../clock.ts'
import { type Db, inTransaction } from '../db.ts'
import type { TenantId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { Secret } from '../secret.ts'
import { hashText } from './chain.ts'
import { encode } from './entry.ts'
import { auditPublicKey, createSealer } from './seal.ts'
import { accept, type CheckpointRow, latestCheckpoint, readLinks } from './store.ts'
import { EXPORT_MAGIC } from './verify-export.ts'

export type Exported = { readonly path: string; readonly size: number; readonly publicKey: string }

/**
 * Exports everything accepted so far, the notice of this export included. Refuses to replace a file. Does not judge
 * what it copies: that is the verifier's part, on the finished file.
 */
export async function exportLog(
  deps: {
    readonly db: Db
    readonly tenantId: TenantId
    readonly key: Secret<string>
    readonly clock: Clock
    readonly log: Log
  },
  path: string,
): Promise<Exported> {
  const { db, tenantId, clock } = deps
  // Exclusive: an earlier export may be evidence already handed over.
  const file = await open(path, 'wx', 0o600)
  try {
    const notice = encode({
      kind: 'system',
      at: clock.now(),
      tenantId,
      interactionId: null,
      event: 'exported',
      detail: null,
    })
    await inTransaction(db, (tx) => accept(tx, [notice]))
    await createSealer(deps).sealNow()
    const checkpoint = await latestCheckpoint(db)
    if (checkpoint === null) throw new Error('a sealed log has no checkpoint')
    const publicKey = auditPublicKey(tenantId, deps.key)
    await pipeline(Readable.from(parts(db, checkpoint, publicKey)), file.createWriteStream({ flush: true }))
    return { path, size: checkpoint.size, publicKey }
  } catch (thrown) {
    await file.close().catch(() => undefined)
    await rm(path, { force: true })
    throw thrown
  }
}

async function* parts(db: Db, checkpoint: CheckpointRow, publicKey: string): AsyncGenerator<Buffer> {
  yield Buffer.from(`${EXPORT_MAGIC} ${checkpoint.size} ${publicKey}\n`)
  // Entries and links never change, so no transaction has to span the pages.
  let links = await readLinks(db, { afterSeq: 0, toSeq: checkpoint.size })
  for (let last = links.at(-1); last; last = links.at(-1)) {
    const lines = links.flatMap((link) => [
      Buffer.from(`${link.seq} ${hashText(link.hash)} `),
      link.bytes ?? Buffer.alloc(0),
      NEWLINE,
    ])
    yield Buffer.concat(lines)
    links = await readLinks(db, { afterSeq: last.seq, toSeq: checkpoint.size })
  }
  yield NEWLINE
  yield checkpoint.note
}

const NEWLINE = Buffer.from('\n')
