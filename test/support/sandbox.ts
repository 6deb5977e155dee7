/** A sandbox of its own for a test file: every participant a process, its own ports, its own folder. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Manifest } from '../../sandbox/manifest.ts'
import { type Sandbox, SandboxError, type SandboxOptions, startSandbox } from '../../sandbox/orchestrator.ts'
import { copyTemplateTo } from './sandbox-template.ts'

export type TestSandbox = { readonly manifest: Manifest; readonly dataDir: string; close(): Promise<void> }

type Own = Pick<SandboxOptions, 'perRole' | 'storedKeys'>

/** Below the range that the system hands out by itself, so that nobody takes a port by chance. */
const LOWEST_BASE_PORT = 12_000
const HIGHEST_BASE_PORT = 30_000
const STEP = 100
const ATTEMPTS = 10

export async function startTestSandbox(options: Own = {}): Promise<TestSandbox> {
  const dataDir = await mkdtemp(join(tmpdir(), 'falaj-sandbox-'))
  await copyTemplateTo(dataDir)
  const sandbox = await onFreePorts(dataDir, options)
  return {
    manifest: sandbox.manifest,
    dataDir,
    close: async () => {
      await sandbox.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function onFreePorts(dataDir: string, options: Own): Promise<Sandbox> {
  for (let attempt = 1; ; attempt += 1) {
    const steps = (HIGHEST_BASE_PORT - LOWEST_BASE_PORT) / STEP
    const basePort = LOWEST_BASE_PORT + Math.floor(Math.random() * steps) * STEP
    try {
      return await startSandbox({ ...options, dataDir, basePort, fresh: false, progress: () => {} })
    } catch (error) {
      // Another sandbox may take a port between the look at it and its use.
      const isTaken = error instanceof SandboxError || /Address already in use/.test(String(error))
      if (!isTaken || attempt === ATTEMPTS) throw error
    }
  }
}
