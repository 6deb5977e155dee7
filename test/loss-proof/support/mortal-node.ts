/**
 * A process of the hub that is killed and started again: same tenant, doors of its own, its database behind the proxy.
 * The hub of the sandbox goes on beside it, as another node would.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { World } from '../../auth-server/support/world.ts'
import { type PostgresProxy, startProxy } from './postgres-proxy.ts'

export type Doors = { readonly as: string; readonly hh: string; readonly cm: string }
export type Setting = {
  /** Serves the resources as well. */
  readonly withGateway?: boolean
  /** How long the LFI may take, in milliseconds. */
  readonly lfiTimeoutMs?: number
}
export type MortalNode = {
  readonly doors: Doors & { readonly rs: string }
  readonly proxy: PostgresProxy
  start(): Promise<void>
  /** SIGKILL: nothing is finished, nothing is flushed. */
  kill(): Promise<void>
  close(): Promise<void>
}

/** Not among the offsets that a sandbox uses. */
const OFFSET = { as: 75, hh: 77, cm: 79, rs: 81 } as const
const EDGE_OFFSET = 3
/** So few that requests at once soon wait for each other's connections: none may need a second one to go on. */
const POOL_MAX = 2
/** What it hears from the directory meanwhile would be commits of no step. */
const BELIEVED_SECONDS = 1200
const PROGRAM = join(import.meta.dirname, '../../../src/main.ts')

type Listener = { readonly origin: string; readonly port: number }
type Tenant = { readonly listeners: Readonly<Record<string, Listener>>; readonly lfi: object }
type Deployment = {
  readonly tenants: readonly string[]
  readonly database: object
  readonly trustFramework: object
}

export async function startMortalNode(world: World, setting: Setting = {}): Promise<MortalNode> {
  const { hubConfigFile } = world.manifest.lfis.aurora
  const folder = dirname(hubConfigFile)
  const base = Number(new URL(world.manifest.edge).port) - EDGE_OFFSET
  const database = new URL(readFileSync(join(folder, 'database.url'), 'utf8').trim())
  const proxy = await startProxy({ host: database.hostname, port: Number(database.port) })
  database.hostname = '127.0.0.1'
  database.port = String(proxy.port)
  const file = writeConfig(hubConfigFile, base, database.href, setting)
  const roles = setting.withGateway === true ? 'as,hh,cm,rs' : 'as,hh,cm'
  let child: ChildProcess | null = null
  const start = async () => {
    child = await launch(file, roles, join(folder, 'mortal-node.log'))
  }
  const end = (signal: 'SIGKILL' | 'SIGTERM') =>
    new Promise<void>((done) => {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return done()
      child.once('exit', () => done())
      child.kill(signal)
    })
  await start()
  return {
    doors: {
      as: `https://localhost:${base + OFFSET.as}`,
      hh: `https://localhost:${base + OFFSET.hh}`,
      cm: `https://localhost:${base + OFFSET.cm}`,
      rs: `https://localhost:${base + OFFSET.rs}`,
    },
    proxy,
    start,
    kill: () => end('SIGKILL'),
    close: async () => {
      await end('SIGTERM')
      await proxy.close()
    },
  }
}

function writeConfig(
  hubConfigFile: string,
  base: number,
  databaseUrl: string,
  { withGateway, lfiTimeoutMs }: Setting,
): string {
  const folder = dirname(hubConfigFile)
  const read = <T>(name: string): T => JSON.parse(readFileSync(name, 'utf8')) as T
  const deployment = read<Deployment>(hubConfigFile)
  const tenant = read<Tenant>(join(folder, deployment.tenants[0] ?? ''))
  // Where it serves no resources its tokens are for those of the sandbox's hub.
  const played = Object.entries(OFFSET).filter(([role]) => role !== 'rs' || withGateway === true)
  const moved = played.map(([role, offset]) => {
    const port = base + offset
    return [role, { ...tenant.listeners[role], origin: `https://localhost:${port}`, port }] as const
  })
  const [tenantFile, databaseFile] = ['tenants/mortal-node.json', join(folder, 'mortal-node.url')]
  const listeners = { ...tenant.listeners, ...Object.fromEntries(moved) }
  writeFileSync(databaseFile, databaseUrl, { mode: 0o600 })
  writeFileSync(
    join(folder, tenantFile),
    JSON.stringify({
      ...tenant,
      listeners,
      database: { url: { file: databaseFile } },
      lfi: { ...tenant.lfi, ...(lfiTimeoutMs === undefined ? {} : { timeoutMs: lfiTimeoutMs }) },
    }),
  )
  const file = join(folder, 'mortal-node.json')
  writeFileSync(
    file,
    JSON.stringify({
      ...deployment,
      tenants: [tenantFile],
      database: { ...deployment.database, poolMax: POOL_MAX },
      trustFramework: { ...deployment.trustFramework, cacheSeconds: BELIEVED_SECONDS },
    }),
  )
  return file
}

async function launch(file: string, roles: string, logFile: string): Promise<ChildProcess> {
  const log = openSync(logFile, 'a')
  const args = [PROGRAM, 'hub', '--config', file, '--roles', roles]
  const child = spawn(process.execPath, args, { stdio: ['ignore', log, log, 'ipc'] })
  closeSync(log)
  await new Promise<void>((ready, failed) => {
    child.once('message', () => ready())
    child.once('exit', (code) => failed(new Error(`the hub ended with status ${code}: see ${logFile}`)))
  })
  return child
}
