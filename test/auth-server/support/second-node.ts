/** Another process of the same hub, as an operator runs for capacity: same tenant and database, doors of its own. */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { startChild } from '../../../sandbox/children.ts'
import type { World } from './world.ts'

export type SecondNode = { readonly as: string; readonly hh: string; close(): Promise<void> }

/** Not among the offsets that a sandbox uses. */
const OFFSET = { as: 71, hh: 73 } as const
const EDGE_OFFSET = 3

type Listener = { readonly origin: string; readonly port: number }
type Tenant = { readonly listeners: Readonly<Record<string, Listener>> }
type Deployment = { readonly tenants: readonly string[] }

type Numbers = Readonly<Record<string, number>>

export async function startSecondNode(world: World, lifetimes: Numbers, limits?: Numbers): Promise<SecondNode> {
  const { hubConfigFile } = world.manifest.lfis.aurora
  const base = Number(new URL(world.manifest.edge).port) - EDGE_OFFSET
  const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T
  const deployment = read<Deployment>(hubConfigFile)
  const folder = dirname(hubConfigFile)
  const tenant = read<Tenant>(join(folder, deployment.tenants[0] ?? ''))
  const moved = Object.entries(OFFSET).map(([role, offset]) => {
    const port = base + offset
    return [role, { ...tenant.listeners[role], origin: `https://localhost:${port}`, port }] as const
  })
  const listeners = { ...tenant.listeners, ...Object.fromEntries(moved) }
  const [tenantFile, file] = ['tenants/second-node.json', join(folder, 'second-node.json')]
  writeFileSync(
    join(folder, tenantFile),
    JSON.stringify({ ...tenant, listeners, lifetimes, ...(limits === undefined ? {} : { limits }) }),
  )
  writeFileSync(file, JSON.stringify({ ...deployment, tenants: [tenantFile] }))
  const program = join(import.meta.dirname, '../../../src/main.ts')
  const child = startChild(
    'second-node',
    [program, 'hub', '--config', file, '--roles', 'as,hh'],
    join(folder, 'second-node.log'),
  )
  await child.ready
  return {
    as: `https://localhost:${base + OFFSET.as}`,
    hh: `https://localhost:${base + OFFSET.hh}`,
    close: () => child.stop(),
  }
}
