/**
 * The audit room. Accepting is apart from linking: an entry is durable with the change it records, or before the
 * answer it reports on, and the sealer gives it its place in the chain within seconds. No request waits for a head.
 */
import assert from 'node:assert/strict'
import type { Clock } from '../clock.ts'
import type { Db, Migration, Tx } from '../db.ts'
import type { TenantId } from '../ids.ts'
import type { Log } from '../log.ts'
import { type AuditEntry, type Encoded, encode } from './entry.ts'
import { createGroupCommit } from './group-commit.ts'
import { auditTables } from './migrations/0001-audit.ts'
import { accept, type EntryId } from './store.ts'

export { auditExport, auditVerify } from './cli.ts'
export { AUDIT_KINDS, type AuditEntry, type AuditKind, type StoredEntry } from './entry.ts'
export { type Exported, exportLog } from './export.ts'
export { auditPublicKey, createSealer, type Sealer } from './seal.ts'
export { type Accepted, type AuditReader, createAuditReader, type EntryId } from './store.ts'
export { type Verdict, verifyExport } from './verify-export.ts'
export { type LiveVerdict, verifyLive } from './verify-live.ts'

export const migrations: readonly Migration[] = [auditTables]

export type Audit = {
  /** In the caller's transaction: the entries are durable exactly if the change they record is. The id of the first. */
  append(tx: Tx, ...entries: readonly [AuditEntry, ...AuditEntry[]]): Promise<EntryId>
  /**
   * On its own. Resolves when the entries are durable; rejects with GenericRecoverableError when they may not be, and
   * then nothing may be answered that they were to report on. The entries of one call are stored all or none.
   */
  record(...entries: readonly AuditEntry[]): Promise<void>
  /** Settles what was already handed in, and refuses the rest. */
  close(): Promise<void>
}

const BATCH_MAX = 500
const QUEUE_MAX = 10_000
const SLOW_COMMIT_MS = 1_000

export function createAudit(deps: {
  readonly db: Db
  readonly tenantId: TenantId
  readonly clock: Clock
  readonly log: Log
  readonly queueMax?: number
}): Audit {
  const { db, tenantId, clock, log } = deps
  const commits = createGroupCommit<Encoded>({
    write: async (batch) => {
      const began = clock.now()
      await accept(db, batch)
      const ms = clock.now() - began
      if (ms > SLOW_COMMIT_MS) log.warn({ ms, entries: batch.length }, 'every answer waits for a slow audit commit')
    },
    batchMax: BATCH_MAX,
    queueMax: deps.queueMax ?? QUEUE_MAX,
  })
  const encoded = (entry: AuditEntry): Encoded => {
    assert(entry.tenantId === tenantId, 'an audit entry of another tenant')
    return encode(entry)
  }
  return {
    append: async (tx, ...entries) => {
      const [id] = await accept(tx, entries.map(encoded))
      assert(id !== undefined, 'an accepted entry has an id')
      return id
    },
    record: async (...entries) => {
      try {
        await commits.add(entries.map(encoded))
      } catch (thrown) {
        log.error({ err: thrown, entries: entries.length }, 'audit entries were not recorded')
        throw thrown
      }
    },
    close: () => commits.close(),
  }
}
