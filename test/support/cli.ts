/** The command line as a user runs it: a process, what it printed, and how it ended. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { COMPILE_CACHE } from './compile-cache.ts'

export type Ran = { readonly status: number | null; readonly out: string; readonly err: string }

export async function falaj(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const child = startFalaj(args, env)
  if (child.stdout === null || child.stderr === null) throw new Error('no pipes')
  const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { status: status as number | null, out, err }
}

export function startFalaj(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, ['src/main.ts', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Colours and other moods of the machine do not belong into what is compared.
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', NO_COLOR: '1', ...COMPILE_CACHE, ...env },
  })
}
