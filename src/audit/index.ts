/**
 * The audit room: a transparency log for each tenant. Accepting is apart from sealing: an entry is durable with the
 * change it records, or before the answer it reports on, and the sealer gives it its place in the Merkle tree within
 * two seconds. No request waits for a root.
 */
import assert from 'node:assert/strict'
import type { Clock } from '../clock.ts'
import type { Db, Migration, Tx } from '../db.ts'
import type { TenantId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { BackPressure } from './back-pressure.ts'
import type { ClockWatch } from './clock-watch.ts'
import { type AuditEntry, type Encoded, encode } from './entry.ts'
import { createFailures, failureEntry } from './failures.ts'
import { createGroupCommit } from './group-commit.ts'
import { auditTables } from './migrations/0001-audit.ts'
import { accept, type EntryId } from './store.ts'

export { type BackPressure, backlogOf, createBackPressure } from './back-pressure.ts'
export { auditExport, auditVerifyLive } from './cli.ts'
export { type ClockWatch, createClockWatch } from './clock-watch.ts'
export { createEarlyRefusals, type EarlyRefusals } from './early-refusals.ts'
export { AUDIT_KINDS, type AuditEntry, type AuditKind } from './entry.ts'
export { type Erased, type Erasure, eraseOpenings } from './erase.ts'
export { type ExportDeps, type Exported, exportLog } from './export/export.ts'
export type { AgreedFacts, BilledFacts } from './kinds.ts'
export { type AuditLag, auditLag } from './lag.ts'
export { auditPublicKey, type LogKeySource } from './log-keys.ts'
export { parseVerifierKey } from './note/key.ts'
export { type AuditLogSettings, auditLogOf } from './of-tenant.ts'
export { type AuditOverview, auditOverview } from './overview.ts'
export { type Audience, createReceiptOffice, type ReceiptOffice, type Receipts } from './receipt/receipts.ts'
export { createSealer, type Sealer } from './seal.ts'
export { type Accepted, type AuditReader, createAuditReader, type EntryId, toEntryId } from './store.ts'
export type { StoredEntry } from './stored-entry.ts'
export { main as verifierMain, type Verdict, verifyExport } from './verifier/falaj-verify.ts'
export { type LiveVerdict, verifyLive } from './verify-live.ts'
export { type RecentVerdict, verifyRecent } from './verify-recent.ts'
export { loadWitnessConfig, type WitnessConfig } from './witness/config.ts'
export { startWitness, type Witness } from './witness/server.ts'
export { createWitnessState } from './witness/state.ts'
export { createWitnessing, type WitnessCounts, type WitnessEndpoint, type Witnessing } from './witnessing.ts'

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
  /** Without one, entries say that nobody watched the clock. */
  readonly watch?: ClockWatch
  /** Without it, entries are accepted however far the sealer is behind. */
  readonly pressure?: BackPressure
  readonly queueMax?: number
}): Audit {
  const { db, tenantId, clock, log, watch, pressure } = deps
  const commits = createGroupCommit<Encoded>({
    write: async (batch) => {
      await pressure?.rest()
      const began = clock.now()
      pressure?.look()
      await accept(db, batch)
      const ms = clock.now() - began
      if (ms > SLOW_COMMIT_MS) log.warn({ ms, entries: batch.length }, 'every answer waits for a slow audit commit')
    },
    batchMax: BATCH_MAX,
    queueMax: deps.queueMax ?? QUEUE_MAX,
  })
  const failures = createFailures()
  const encoded = (entry: AuditEntry): Encoded => {
    assert(entry.tenantId === tenantId, 'an audit entry of another tenant')
    return encode(entry, watch?.status() ?? 'unwatched')
  }
  return {
    append: async (tx, ...entries) => {
      const [id] = await accept(tx, entries.map(encoded))
      assert(id !== undefined, 'an accepted entry has an id')
      return id
    },
    record: async (...entries) => {
      const failed = failures.take()
      const telling = failed === null ? [] : [failureEntry(failed, { tenantId, at: clock.now() })]
      try {
        await commits.add([...telling, ...entries].map(encoded))
      } catch (thrown) {
        failures.note(clock.now(), failed)
        log.error({ err: thrown, entries: entries.length }, 'audit entries were not recorded')
        throw thrown
      }
    },
    close: async () => {
      await commits.close()
      await pressure?.close()
    },
  }
}
