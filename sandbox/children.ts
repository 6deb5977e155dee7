/** One process per participant: started, waited for until it says it is up, stopped in the end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { SandboxError } from './sandbox-error.ts'

export type Child = {
  readonly name: string
  readonly logFile: string
  readonly ready: Promise<void>
  /** Resolves when the process has ended, however it came to it. */
  readonly ended: Promise<number | null>
  stop(): Promise<void>
}

const STOP_AFTER_MS = 15_000
const LOG_TAIL_LINES = 12

export function startChild(name: string, program: readonly string[], logFile: string): Child {
  mkdirSync(dirname(logFile), { recursive: true })
  const log = openSync(logFile, 'a')
  // A group of its own: Ctrl-C reaches only the orchestrator, which stops everybody in order.
  const child = spawn(process.execPath, program, { stdio: ['ignore', log, log, 'ipc'], detached: true })
  closeSync(log)
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const ready = new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('error', reject)
    void ended.then((code) =>
      reject(new SandboxError(`${name} ended with status ${code} before it was up:\n${tail(logFile)}`)),
    )
  })
  return { name, logFile, ready, ended, stop: () => stop(child, ended) }
}

async function stop(child: ChildProcess, ended: Promise<number | null>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const cut = setTimeout(() => child.kill('SIGKILL'), STOP_AFTER_MS)
  await ended
  clearTimeout(cut)
}

function tail(file: string): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.slice(-LOG_TAIL_LINES).join('\n')
}
