/** The audit commands, to be mounted by the command line: they print, and return the exit status. */
import type { Db } from '../db.ts'
import { type ExportDeps, type ExportOptions, exportLog } from './export/export.ts'
import { describeVerdict, verifyExport } from './verifier/falaj-verify.ts'
import { type LiveVerdict, verifyLive } from './verify-live.ts'

export type CliOptions = {
  readonly json?: boolean
  /** Where output goes; console.log unless given. */
  readonly print?: (text: string) => void
}

/** 0: verified. 1: not verified. 2: there was nothing to judge. */
export type ExitStatus = 0 | 1 | 2

/** Exports, then verifies the finished folder against the tenant's own key. */
export async function auditExport(
  deps: ExportDeps,
  options: ExportOptions,
  output: CliOptions = {},
): Promise<ExitStatus> {
  const print = output.print ?? console.log
  const exported = await exportLog(deps, options)
  const verdict = verifyExport(exported.path, { key: exported.publicKey })
  const { path, first, end, publicKey } = exported
  print(
    output.json
      ? JSON.stringify({ path, first, end, ...verdict })
      : `${describeVerdict(verdict)}\nwritten to ${path}: entries ${first} to ${end - 1}\npublic key: ${publicKey}`,
  )
  return verdict.ok ? 0 : 1
}

export async function auditVerifyLive(db: Db, publicKey: string, output: CliOptions = {}): Promise<ExitStatus> {
  const print = output.print ?? console.log
  const verdict = await verifyLive(db, { publicKey })
  print(output.json ? JSON.stringify(verdict) : describeLive(verdict))
  return verdict.ok ? 0 : 1
}

function describeLive(verdict: LiveVerdict): string {
  const { pending, oldestPendingAt, lost } = verdict
  const waiting = oldestPendingAt === null ? '' : `, the oldest since ${oldestPendingAt}`
  return `${describeVerdict(verdict)}\nnot yet sealed: ${pending}${waiting}\nlost: ${lost}`
}
