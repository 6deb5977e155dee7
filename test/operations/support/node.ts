/** One of several processes of Aurora's hub behind a balancer: same origins, tenant and database, sockets of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { World } from '../../auth-server/support/world.ts'
import { freePort } from '../../support/free-port.ts'

export const ROLES = ['as', 'rs', 'hh', 'cm'] as const
export type HubNode = {
  readonly name: string
  readonly configFile: string
  readonly ports: Readonly<Record<(typeof ROLES)[number] | 'admin', number>>
  /** From the sources of a release: the folder that holds `src`. */
  start(release: string): Promise<void>
  /** SIGTERM, until it has gone: its exit status. */
  stop(): Promise<number | null>
  /** SIGKILL. */
  kill(): Promise<void>
}

type Listener = { readonly origin: string; readonly port: number }
type Tenant = { readonly listeners: Readonly<Record<string, Listener>> }
type Deployment = { readonly tenants: readonly string[] }

export async function createNode(
  world: World,
  name: string,
  origins: Readonly<Record<string, string>>,
  noticeSeconds: number,
): Promise<HubNode> {
  const { hubConfigFile } = world.manifest.lfis.aurora
  const folder = dirname(hubConfigFile)
  const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T
  const deployment = read<Deployment>(hubConfigFile)
  const tenant = read<Tenant>(join(folder, deployment.tenants[0] ?? ''))
  const entries = await Promise.all([...ROLES, 'admin' as const].map(async (role) => [role, await freePort()] as const))
  const ports = Object.fromEntries(entries) as HubNode['ports']
  const listeners = Object.fromEntries(
    entries.map(([role, port]) => {
      const origin = origins[role] ?? `https://localhost:${port}`
      return [role, { ...tenant.listeners[role], origin, port }]
    }),
  )
  const [tenantFile, configFile] = [`tenants/${name}.json`, join(folder, `${name}.json`)]
  writeFileSync(
    join(folder, tenantFile),
    JSON.stringify({ ...tenant, listeners: { ...tenant.listeners, ...listeners } }),
  )
  writeFileSync(
    configFile,
    JSON.stringify({
      ...deployment,
      database: { migrate: 'refuse', poolMax: 10 },
      noticeSeconds,
      tenants: [tenantFile],
    }),
  )
  let child: ChildProcess | null = null
  const ended = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return null
    const exit = once(child, 'exit')
    child.kill(signal)
    const [status] = await exit
    return status as number | null
  }
  return {
    name,
    configFile,
    ports,
    start: async (release) => {
      const log = openSync(join(folder, `${name}.log`), 'a')
      const program = [
        join(release, 'src/main.ts'),
        'hub',
        '--config',
        configFile,
        '--roles',
        'as,rs,hh,cm,admin,worker',
      ]
      const started = spawn(process.execPath, program, { stdio: ['ignore', log, log, 'ipc'] })
      closeSync(log)
      child = started
      const up = once(started, 'message').then(() => true)
      const down = once(started, 'exit').then(() => false)
      if (!(await Promise.race([up, down]))) {
        throw new Error(`${name} did not start: ${readFileSync(join(folder, `${name}.log`), 'utf8').slice(-2000)}`)
      }
    },
    stop: () => ended('SIGTERM'),
    kill: async () => void (await ended('SIGKILL')),
  }
}
