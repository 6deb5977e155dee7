/**
 * Another hub process beside the sandbox's own, on the same database and for the same bank, with doors of its own: so
 * a hub with another lifetime, or with a weakened source, is told from the first by nothing but that.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { startChild } from '../../sandbox/children.ts'
import { profileOf, type Style, UAE_STYLE } from './style.ts'
import type { HubDoors, Sandbox } from './suite.ts'

export type Variant = {
  readonly name: string
  /** Which of the free blocks of ports; two that run at once need two. */
  readonly slot: number
  /** Folder of a copy of the repository; this repository where none is named. */
  readonly root?: string
  readonly lifetimes?: Readonly<Record<string, number>>
  /** How all applications of the TPP speak to it. */
  readonly style?: Style
}
export type RunningVariant = { readonly doors: HubDoors; close(): Promise<void> }

const ROOT = join(import.meta.dirname, '../..')
const ROLES = ['auth', 'as', 'rs', 'hh', 'cm'] as const
/** Offsets from the base port of a sandbox which none of its participants uses. */
const FIRST_OFFSET = 61
export const SLOTS = 7
const EDGE_OFFSET = 3

type Listener = { readonly origin: string; readonly port: number }
type Tenant = { readonly listeners: Readonly<Record<string, Listener>>; readonly lifetimes?: object }
type Deployment = { readonly tenants: readonly string[] }

export async function startVariant({ manifest }: Sandbox, variant: Variant): Promise<RunningVariant> {
  const { hubConfigFile } = manifest.lfis.aurora
  const base = Number(new URL(manifest.edge).port) - EDGE_OFFSET
  const folder = dirname(hubConfigFile)
  const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T
  const deployment = read<Deployment>(hubConfigFile)
  const tenant = read<Tenant>(join(folder, deployment.tenants[0] ?? ''))
  const ports = ROLES.map((role, at) => [role, base + FIRST_OFFSET + variant.slot * ROLES.length + at] as const)
  const doors = Object.fromEntries(ports.map(([role, port]) => [role, `https://localhost:${port}`])) as HubDoors
  const moved = ports.map(([role, port]) => [role, { ...tenant.listeners[role], origin: doors[role], port }] as const)
  const [tenantFile, file] = [`tenants/${variant.name}.json`, join(folder, `${variant.name}.json`)]
  const profile = profileOf(variant.style ?? UAE_STYLE)
  const clients = Object.fromEntries(manifest.tpp.clients.map(({ clientId }) => [clientId, profile]))
  const changed = {
    ...tenant,
    ...(profile === null ? {} : { profiles: { serves: ['fapi2'], clients } }),
    listeners: { ...tenant.listeners, ...Object.fromEntries(moved) },
    lifetimes: { ...tenant.lifetimes, ...variant.lifetimes },
  }
  writeFileSync(join(folder, tenantFile), JSON.stringify(changed))
  writeFileSync(file, JSON.stringify({ ...deployment, tenants: [tenantFile] }))
  const program = [join(variant.root ?? ROOT, 'src/main.ts'), 'hub', '--config', file, '--roles', ROLES.join()]
  const child = startChild(variant.name, program, join(folder, `${variant.name}.log`))
  await child.ready
  return { doors, close: () => child.stop() }
}
