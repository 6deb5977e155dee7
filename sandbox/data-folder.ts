/** What a sandbox keeps on disk: whose it is, whether it is in use, and how it is forgotten. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest } from './manifest.ts'
import { isFree } from './ports.ts'
import { SandboxError } from './sandbox-error.ts'

const MANIFEST = 'manifest.json'
const MARK = '.falaj-sandbox'
/** There once calls were made for the portals to show. */
const SEEDED = '.seeded'
const MARK_TEXT = 'This folder belongs to a Falaj sandbox and is deleted by `falaj sandbox reset`.\n'

export const manifestFileIn = (dataDir: string): string => join(dataDir, MANIFEST)

export function openFolder(dataDir: string): void {
  // Passable for the account that PostgreSQL runs under; every secret in it is 0600 of its own.
  mkdirSync(dataDir, { recursive: true, mode: 0o711 })
  writeFileSync(join(dataDir, MARK), MARK_TEXT)
}

/** The manifest of the sandbox that runs from this folder. A crash leaves one behind, and process ids are reused. */
export async function runningIn(dataDir: string): Promise<Manifest | null> {
  const file = manifestFileIn(dataDir)
  if (!existsSync(file)) return null
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest
  const isServed = !(await isFree(Number(new URL(manifest.edge).port)))
  return isServed && isAlive(manifest.pid) ? manifest : null
}

export async function refuseIfRunning(dataDir: string): Promise<void> {
  const running = await runningIn(dataDir)
  if (running === null) return
  throw new SandboxError(`a sandbox is already running from this folder: ${running.edge} (process ${running.pid})`)
}

/** Once in the life of a folder; what failed is not tried again, for somebody is at work there by then. */
export async function onceIn(dataDir: string, seed: () => Promise<void>): Promise<void> {
  const mark = join(dataDir, SEEDED)
  if (existsSync(mark)) return
  writeFileSync(mark, '')
  await seed()
}

/** Deletes the folder of a sandbox, and of nothing else: the path comes from a command line. */
export async function forget(dataDir: string): Promise<void> {
  if (!existsSync(dataDir)) return
  await refuseIfRunning(dataDir)
  const isOurs = [MARK, join('directory', 'enrolment.json')].some((name) => existsSync(join(dataDir, name)))
  if (!isOurs && readdirSync(dataDir).length > 0) {
    throw new SandboxError(`${dataDir} is not the folder of a sandbox, so it is not deleted`)
  }
  rmSync(dataDir, { recursive: true, force: true })
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}
