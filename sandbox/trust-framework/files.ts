/** Writing files so that a reader sees the old content or the new, never a part. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Private keys and the state behind them are for their owner alone. */
export const PRIVATE = 0o600
export const PUBLIC = 0o644

export function writeAtomically(file: string, content: string, mode: number): void {
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}.new`
  try {
    // `flush`: the rename must not reach the disk before the content does.
    writeFileSync(draft, content, { mode, flush: true })
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

export const writeJson = (file: string, value: unknown, mode: number = PUBLIC): void =>
  writeAtomically(file, `${JSON.stringify(value, null, 2)}\n`, mode)
