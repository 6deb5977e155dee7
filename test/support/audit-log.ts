/** A log of its own for a test: its database, what writes it, and exports of it to tear at. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Audit,
  auditPublicKey,
  createAudit,
  createSealer,
  type Exported,
  exportLog,
  type LiveVerdict,
  verifyLive,
} from '../../src/audit/index.ts'
import { type Clock, systemClock } from '../../src/clock.ts'
import type { Db } from '../../src/db.ts'
import { createLog } from '../../src/log.ts'
import type { Secret } from '../../src/secret.ts'
import { aurora, ENTRIES } from '../unit/audit/entries.ts'
import { newAuditKey } from './audit-key.ts'
import { createTestDatabase } from './postgres.ts'

export { newAuditKey }

export const silent = createLog({ level: 'silent', name: 'test' })

type SealerOptions = Partial<Parameters<typeof createSealer>[0]>
type ExportOptions = Partial<Omit<Parameters<typeof exportLog>[1], 'path'>>

export type AuditLog = {
  readonly db: Db
  readonly key: Secret<string>
  readonly publicKey: string
  readonly audit: Audit
  readonly folder: string
  sealer(over?: SealerOptions): ReturnType<typeof createSealer>
  seal(over?: SealerOptions): Promise<number>
  record(count: number, detail?: string): Promise<void>
  verify(publicKey?: string): Promise<LiveVerdict>
  export(name: string, options?: ExportOptions, over?: SealerOptions): Promise<Exported>
  /** With the triggers off, as only somebody in command of the database can do. */
  tamper(...statements: readonly string[]): Promise<void>
  count(table: string): Promise<number>
  close(): Promise<void>
}

const GUARDED = ['audit_entry', 'audit_leaf', 'audit_tile', 'audit_checkpoint', 'audit_cosignature', 'audit_key']

export async function openAuditLog(
  options: { readonly clock?: Clock; readonly key?: Secret<string> } = {},
): Promise<AuditLog> {
  const { clock = systemClock, key = newAuditKey() } = options
  const database = await createTestDatabase()
  const { db } = database
  const folder = mkdtempSync(join(tmpdir(), 'falaj-audit-test-'))
  const audit = createAudit({ db, tenantId: aurora, clock, log: silent })
  const publicKey = auditPublicKey(aurora, key)
  const deps = { db, tenantId: aurora, key, clock, log: silent }
  const sealer = (over: SealerOptions = {}) => createSealer({ ...deps, ...over })
  return {
    db,
    key,
    publicKey,
    audit,
    folder,
    sealer,
    seal: (over) => sealer(over).sealNow(),
    record: (count, detail = 'n') =>
      audit.record(...Array.from({ length: count }, (_, at) => ({ ...ENTRIES.system, detail: `${detail} ${at}` }))),
    verify: (other = publicKey) => verifyLive(db, { publicKey: other }),
    export: (name, wanted = {}, over = {}) => exportLog({ ...deps, ...over }, { path: join(folder, name), ...wanted }),
    tamper: async (...statements) => {
      for (const table of GUARDED) await db.raw(`alter table ${table} disable trigger all`)
      await db.raw('alter table audit_head disable trigger all')
      for (const statement of statements) await db.raw(statement)
      for (const table of GUARDED) await db.raw(`alter table ${table} enable trigger all`)
      await db.raw('alter table audit_head enable trigger all')
    },
    count: async (table) => Number((await db.raw('select count(*) from ??', [table])).rows[0].count),
    close: async () => {
      await audit.close()
      rmSync(folder, { recursive: true, force: true })
      await database.close()
    },
  }
}
