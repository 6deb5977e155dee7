/** Two tenants of one deployment, and TPPs that both know. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { Agent } from 'node:https'
import type { Config, FixedRole } from '../../../src/config.ts'
import { startHub } from '../../../src/hub.ts'
import type { OrganisationId, TenantId } from '../../../src/ids.ts'
import { Secret } from '../../../src/secret.ts'
import { json } from '../../gateway/support/outside.ts'
import { type Answer, type Call, send } from '../../gateway/support/tpp.ts'
import { flowOf } from '../../profiles/support/flow.ts'
import { createProfileWorld } from '../../profiles/support/world.ts'
import { freePort } from '../../support/free-port.ts'
import { createTestDatabase } from '../../support/postgres.ts'

const DOORS: readonly FixedRole[] = ['auth', 'as', 'rs', 'hh', 'cm']
const ROLES: readonly FixedRole[] = [...DOORS, 'admin']
export type Origins = Readonly<Record<FixedRole, { readonly origin: string; readonly ca: string }>>
export type TwoBanks = Awaited<ReturnType<typeof createTwoBanks>>

export async function createTwoBanks() {
  // Without a worker: what it looks for by the clock would be among the statements that are counted.
  const world = await createProfileWorld(['uae'], {
    roles: DOORS,
    entry: (each) => ({ ...each, roles: ['BDSP', 'BSIP', 'ISP'] }),
  })
  // It takes what it is told, and has nothing to tell.
  world.lfi.answer = json(201, {})
  const [aurora] = world.config.tenants
  if (aurora === undefined) throw new Error('no tenant')
  // The world gives its operator's door a port and nobody there; it may be taken by now.
  const adminPort = await freePort()
  const admin = { ...aurora.listeners.admin, port: adminPort, origin: `https://localhost:${adminPort}` }
  const operated = { ...aurora, listeners: { ...aurora.listeners, admin } }
  const operations = await startHub({
    config: { ...world.config, roles: ['admin'], tenants: [operated] },
    log: world.log,
  })
  const agents = createAgents()
  const atAurora = (role: FixedRole, asked: Call): Promise<Answer> =>
    send(
      { ...(role === 'admin' ? { origin: admin.origin, ca: world.ca } : world.doors[role]), ...agents.for(asked) },
      asked,
    )

  const organisationId = randomUUID() as OrganisationId
  const database = await createTestDatabase()
  const ports = await Promise.all(ROLES.map(() => freePort()))
  const listeners = Object.fromEntries(
    ROLES.map((role, at) => [
      role,
      { ...aurora.listeners[role], port: ports[at] ?? 0, origin: `https://localhost:${ports[at]}` },
    ]),
  ) as Config['tenants'][number]['listeners']
  const secret = (key: ReturnType<typeof generateKeyPairSync>['privateKey'] | object) =>
    new Secret((key as { export(as: object): string }).export({ type: 'pkcs8', format: 'pem' }))
  const meridian: Config['tenants'][number] = {
    ...aurora,
    id: 'meridian' as TenantId,
    name: 'Meridian Bank PJSC',
    organisationId,
    databaseUrl: database.url,
    listeners,
    jwksUrl: `${listeners.auth.origin}/jwks`,
    keys: {
      ...aurora.keys,
      signing: [{ kid: 'other-hub-sig', key: secret(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey) }],
      audit: secret(generateKeyPairSync('ed25519').privateKey),
    },
  }
  const second = await startHub({ config: { ...world.config, roles: ROLES, tenants: [meridian] }, log: world.log })
  const origins = Object.fromEntries(
    ROLES.map((role) => [role, { origin: listeners[role].origin, ca: world.ca }]),
  ) as Origins
  const otherBank = await world.framework.issue({ O: 'Meridian Bank PJSC', OU: organisationId, CN: randomUUID() })
  const atMeridian = (role: FixedRole, asked: Call): Promise<Answer> =>
    send({ ...origins[role], ...agents.for(asked) }, asked)
  for (const { certificate } of [world.parties.uae, world.parties.otherUae]) {
    const answer = await atMeridian('rs', { method: 'POST', path: '/tpp-registration', certificate })
    if (answer.status !== 204) throw new Error(`registration: ${answer.status}`)
  }
  return {
    world,
    flow: flowOf({ ...world, call: atAurora }),
    /** The same hands, at the other bank's doors. */
    meridianFlow: flowOf({ ...world, issuer: origins.auth.origin, doors: origins, call: atMeridian, bank: otherBank }),
    otherBank,
    issuers: { aurora: world.issuer, meridian: origins.auth.origin },
    call: { aurora: atAurora, meridian: atMeridian },
    close: async () => {
      agents.close()
      await second.close()
      await operations.close()
      await world.close()
      await database.close()
    },
  }
}

/** Connections that are kept, for each certificate its own: there are hundreds of calls, by a handful of callers. */
function createAgents() {
  const agents = new Map<string, Agent>()
  return {
    for: ({ certificate }: Call): { readonly agent: Agent } => {
      const whose = certificate?.thumbprint ?? ''
      const agent = agents.get(whose) ?? new Agent({ keepAlive: true })
      agents.set(whose, agent)
      return { agent }
    },
    close: () => {
      for (const agent of agents.values()) agent.destroy()
    },
  }
}
