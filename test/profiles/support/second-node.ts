/** Another node of the hub of a profile world: the same configuration and database, behind the same public origins. */
import type { FixedRole, ListenerConfig, RevocationConfig, TenantConfig } from '../../../src/config.ts'
import { startHub } from '../../../src/hub.ts'
import { type Answer, type Call, send } from '../../gateway/support/tpp.ts'
import { freePort } from '../../support/free-port.ts'
import type { ProfileWorld } from './world.ts'

export type Node = {
  call(role: FixedRole, asked: Call): Promise<Answer>
  readonly port: (role: FixedRole) => number
  close(): Promise<void>
}

export type Changes = {
  readonly limits?: Partial<TenantConfig['limits']>
  readonly revocation?: Partial<RevocationConfig>
}

export async function startSecondNode(world: ProfileWorld, changes: Changes = {}): Promise<Node> {
  const [tenant] = world.config.tenants
  if (tenant === undefined) throw new Error('no tenant')
  const entries = Object.entries(tenant.listeners) as [FixedRole, ListenerConfig][]
  const moved = await Promise.all(
    entries.map(async ([role, listener]) => [role, { ...listener, port: await freePort() }] as const),
  )
  const listeners = Object.fromEntries(moved) as TenantConfig['listeners']
  const { trustFramework } = world.config
  const { revocation } = trustFramework
  const config = {
    ...world.config,
    trustFramework: {
      ...trustFramework,
      ...(revocation === undefined ? {} : { revocation: { ...revocation, ...changes.revocation } }),
    },
    tenants: [{ ...tenant, listeners, limits: { ...tenant.limits, ...changes.limits } }],
  }
  const hub = await startHub({ config, log: world.log })
  return {
    port: (role) => listeners[role].port,
    // As a balancer would lead it here: the name stays.
    call: (role, asked) =>
      send(
        { origin: `https://localhost:${listeners[role].port}`, ca: world.ca },
        { ...asked, headers: { ...asked.headers, host: new URL(tenant.listeners[role].origin).host } },
      ),
    close: () => hub.close(),
  }
}
