/** The sandbox as a person runs it: a program with an output and an end, in a folder and on ports of the test's own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { manifestFileIn } from '../../sandbox/data-folder.ts'
import type { Manifest } from '../../sandbox/manifest.ts'
import { isFree } from '../../sandbox/ports.ts'
import { allPorts, topology } from '../../sandbox/topology.ts'
import { COMPILE_CACHE } from './compile-cache.ts'

export type Place = {
  readonly dataDir: string
  readonly basePort: number
  readonly arguments: readonly string[]
  manifest(): Manifest
  /** Processes that have this folder in their command line, ours apart. */
  processes(): readonly string[]
  /** Resolves once nothing runs there and no port is taken; tells what is left when that takes too long. */
  untilGone(withinMs: number): Promise<void>
  remove(): void
}

const PORTS_FROM = 30_100
const PORTS_TO = 32_000
const STEP = 100
const POLL_MS = 50

export async function findPlace(): Promise<Place> {
  const home = mkdtempSync(join(tmpdir(), 'falaj-life-'))
  // Run by root, PostgreSQL works as another account, which has to pass through here.
  chmodSync(home, 0o711)
  const dataDir = join(home, 'sandbox')
  const basePort = await freeBase()
  const ports = allPorts(topology({ dataDir, basePort })).map(({ port }) => port)
  const processes = (): readonly string[] =>
    execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(dataDir) && !line.includes('ps -eo'))
  const left = async (): Promise<readonly string[]> => {
    const taken = await Promise.all(ports.map(async (port) => ((await isFree(port)) ? [] : [`port ${port}`])))
    return [...processes(), ...taken.flat()]
  }
  return {
    dataDir,
    basePort,
    arguments: ['--port', String(basePort), '--data', dataDir],
    manifest: () => JSON.parse(readFileSync(manifestFileIn(dataDir), 'utf8')) as Manifest,
    processes,
    untilGone: async (withinMs) => {
      for (const until = Date.now() + withinMs; ; await pause(POLL_MS)) {
        const found = await left()
        if (found.length === 0) return
        if (Date.now() > until) throw new Error(`still there after ${withinMs} ms:\n${found.join('\n')}`)
      }
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  }
}

async function freeBase(): Promise<number> {
  for (let base = PORTS_FROM; base < PORTS_TO; base += STEP) {
    const all = allPorts(topology({ dataDir: '/', basePort: base }))
    if ((await Promise.all(all.map(({ port }) => isFree(port)))).every(Boolean)) return base
  }
  throw new Error('no free ports for a sandbox')
}

export type Running = {
  readonly child: ChildProcess
  output(): string
  /** Exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>
}

export type Starting = { readonly program?: readonly string[]; readonly path?: string; readonly isGroup?: boolean }

/** Started with its own process group where a terminal would give it one. */
export function startProgram(args: readonly string[], { program, path, isGroup = false }: Starting = {}): Running {
  const [command, ...first] = program ?? [process.execPath, 'src/main.ts', 'sandbox', 'start']
  const child = spawn(command ?? '', [...first, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: isGroup,
    env: { PATH: path ?? process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', NO_COLOR: '1', ...COMPILE_CACHE },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal))
  })
  return { child, output: () => output, ended }
}

export async function untilUp(running: Running, place: Place): Promise<Manifest> {
  let isOver = false
  void running.ended.then(() => {
    isOver = true
  })
  while (!(running.output().includes('The sandbox is up') && existsSync(manifestFileIn(place.dataDir)))) {
    if (isOver) throw new Error(`the sandbox did not start:\n${running.output()}`)
    await pause(POLL_MS)
  }
  return place.manifest()
}
