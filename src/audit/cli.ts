/** The two audit commands, to be mounted by the command line: they print, and return the exit status. */
import type { Db } from '../db.ts'
import type { TenantId } from '../ids.ts'
import { exportLog } from './export.ts'
import { describeVerdict, type Verdict, verifyExport } from './verify-export.ts'
import { type LiveVerdict, verifyLive } from './verify-live.ts'

export type CliOptions = {
  readonly json?: boolean
  /** Where output goes; console.log unless given. */
  readonly print?: (text: string) => void
}

/** 0: verified. 1: not verified. 2: there was nothing to judge. */
export type ExitStatus = 0 | 1 | 2

export type VerifySource =
  | { readonly file: string; readonly publicKey?: string }
  | { readonly live: { readonly db: Db; readonly tenantId: TenantId; readonly publicKey: string } }

export async function auditVerify(source: VerifySource, options: CliOptions = {}): Promise<ExitStatus> {
  const print = options.print ?? console.log
  try {
    const verdict = 'live' in source ? await verifyLive(source.live.db, source.live) : await verifyFile(source)
    print(options.json ? JSON.stringify(verdict) : describe(verdict))
    return verdict.ok ? 0 : 1
  } catch (thrown) {
    return unable(thrown, options)
  }
}

const verifyFile = (source: { readonly file: string; readonly publicKey?: string }): Promise<Verdict> =>
  verifyExport(source.file, source.publicKey === undefined ? {} : { publicKey: source.publicKey })

/** Exports, then verifies the finished file against the tenant's own key. */
export async function auditExport(
  deps: Parameters<typeof exportLog>[0],
  path: string,
  options: CliOptions = {},
): Promise<ExitStatus> {
  const print = options.print ?? console.log
  try {
    const exported = await exportLog(deps, path)
    const verdict = await verifyExport(path, { publicKey: exported.publicKey })
    print(
      options.json
        ? JSON.stringify({ path, ...verdict })
        : `${describe(verdict)}\nwritten to ${path}\npublic key: ${exported.publicKey}`,
    )
    return verdict.ok ? 0 : 1
  } catch (thrown) {
    return unable(thrown, options)
  }
}

function describe(verdict: Verdict | LiveVerdict): string {
  if (!('pending' in verdict)) return describeVerdict(verdict)
  const waiting = verdict.oldestPendingAt === null ? '' : `, the oldest since ${verdict.oldestPendingAt}`
  return `${describeVerdict(verdict)}\nnot yet linked: ${verdict.pending}${waiting}`
}

function unable(thrown: unknown, options: CliOptions): ExitStatus {
  const error = thrown instanceof Error ? thrown.message : 'thrown value'
  const print = options.print ?? console.log
  print(options.json ? JSON.stringify({ ok: false, error }) : `could not be done: ${error}`)
  return 2
}
