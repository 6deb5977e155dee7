/** A hub with a portal, the trust framework where its people log in, and visitors who do. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { PEOPLE, SUPERVISOR_ID } from '../../../sandbox/trust-framework/people.ts'
import type { Audit } from '../../../src/audit/index.ts'
import { type Accepted, createAudit, createAuditReader } from '../../../src/audit/index.ts'
import { type Clock, type Instant, plus, systemClock, toMilliseconds, toSeconds } from '../../../src/clock.ts'
import type { Config, PortalConfig, TenantConfig } from '../../../src/config.ts'
import { type Hub, startHub } from '../../../src/hub.ts'
import type { OrganisationId } from '../../../src/ids.ts'
import { createKeyOperations, KEY_USES } from '../../../src/keys/index.ts'
import { createLog } from '../../../src/log.ts'
import { Secret } from '../../../src/secret.ts'
import { freePort } from '../../support/free-port.ts'
import { hubConfig } from '../../support/hub-config.ts'
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts'
import { enrolTrustFramework, type TestTrustFramework } from '../../support/trust-framework.ts'
import { createVisitor, type Visitor } from './visitor.ts'

export type PortalWorld = {
  readonly origin: string
  readonly issuer: string
  readonly framework: TestTrustFramework
  readonly database: TestDatabase
  readonly config: Config
  readonly tenant: TenantConfig
  readonly audit: Audit
  /** The hub's clock goes by the wall's, as far ahead of it as the test says. */
  readonly clock: Clock
  ahead(minutes: number): void
  visitor(): Visitor
  /** A browser of this person, through the login. */
  loggedIn(username: string): Promise<Visitor>
  /** Entries of acts in the portal, oldest first: the last so many, or all. */
  acts(last?: number): Promise<readonly (Accepted['entry'] | null)[]>
  close(): Promise<void>
}

export const personNamed = (username: string) => {
  const found = PEOPLE.find((each) => each.username === username)
  if (found === undefined) throw new Error(`nobody is called ${username}`)
  return found
}

export async function createPortalWorld(
  changes: Partial<TenantConfig> = {},
  /** `stored`: the keys of the configuration are taken into the hub's own store before it starts. */
  options: {
    readonly keys?: 'files' | 'stored'
    /** Of the tenant that the world would have otherwise. */
    readonly tenant?: (tenant: TenantConfig) => Promise<TenantConfig>
  } = {},
): Promise<PortalWorld> {
  const framework = await enrolTrustFramework(systemClock)
  const database = await createTestDatabase()
  const [port, openIdPort] = await Promise.all([freePort(), freePort()])
  const origin = `https://localhost:${port}`
  const issuer = `https://localhost:${openIdPort}`
  const { hubs, hubOperator } = framework.enrolment
  const { organisationId } = hubOperator
  const client = {
    clientId: hubs.aurora.directoryClient.clientId,
    organisationId,
    redirectUris: [`${origin}/login/callback`],
  }
  await framework.start({ openId: { port: openIdPort, clients: [client] } })

  let aheadMs = 0
  const clock: Clock = { now: (): Instant => plus(systemClock.now(), toMilliseconds(aheadMs)) }
  const base = await hubConfig(framework, database.url, ['auth', 'portal', 'admin', 'worker'])
  const furnished = withPortal(base.tenants[0], { framework, issuer, origin, port, changes })
  const changed = (await options.tenant?.(furnished)) ?? furnished
  const tenant = options.keys === 'stored' ? withStore(changed) : changed
  const config = { ...base, tenants: [tenant] }
  const log = createLog({ level: 'silent', name: 'test' })
  const audit = createAudit({ db: database.db, tenantId: tenant.id, clock, log })
  if (options.keys === 'stored') {
    const { environment } = config
    const operations = createKeyOperations({ db: database.db, tenant, environment, audit, clock, actor: 'test' })
    for (const use of KEY_USES) await operations.adopt(use, 'stored')
  }
  const hub: Hub = await startHub({ config, log, clock })
  const ca = readFileSync(framework.enrolment.ca.bundleFile, 'utf8')
  const visitor = (): Visitor => createVisitor(ca)
  return {
    origin,
    issuer,
    framework,
    database,
    config,
    tenant,
    audit,
    clock,
    ahead: (minutes) => {
      aheadMs = minutes * 60_000
    },
    visitor,
    loggedIn: async (username) => {
      const browser = visitor()
      const { status, address } = await browser.logIn(origin, personNamed(username))
      if (status !== 200 || !address.startsWith(origin)) throw new Error(`${username} did not get in: ${status}`)
      return browser
    },
    acts: (last) => actsIn(database, last ?? null),
    close: async () => {
      await hub.close()
      await audit.close()
      await framework.close()
      await database.close()
    },
  }
}

const withStore = (tenant: TenantConfig): TenantConfig => ({
  ...tenant,
  keys: {
    ...tenant.keys,
    store: { encryptionKeys: [new Secret(randomBytes(32))], publishAheadSeconds: toSeconds(1200) },
  },
})

/** `last` null: all. Only what is asked for is opened: the log grows with every test of a file. */
async function actsIn({ db }: TestDatabase, last: number | null) {
  const { rows } = (await db.raw(
    `select distinct interaction_id as id from (
       select interaction_id from audit_entry where encode(substring(bytes from 1 for 40), 'escape') like ?
       order by id desc limit ?) acts`,
    ['%"kind":"portal-act"%', last],
  )) as { rows: { id: never }[] }
  const reader = createAuditReader({ db })
  const all = (await Promise.all(rows.map(({ id }) => reader.findByInteraction(id)))).flat()
  const acts = all
    .sort((one, other) => Number(one.entryId) - Number(other.entryId))
    .map(({ entry }) => entry)
    .filter((entry) => entry?.kind === 'portal-act')
  return last === null ? acts : acts.slice(-last)
}

type Placing = {
  readonly framework: TestTrustFramework
  readonly issuer: string
  readonly origin: string
  readonly port: number
  readonly changes: Partial<TenantConfig>
}

function withPortal(
  tenant: TenantConfig | undefined,
  { framework, issuer, origin, port, changes }: Placing,
): TenantConfig {
  if (tenant === undefined) throw new Error('no tenant')
  const { directoryClient, portalSigning } = framework.enrolment.hubs.aurora
  const portal: PortalConfig = {
    issuer,
    clientId: directoryClient.clientId,
    key: { kid: portalSigning.kid, key: new Secret(readFileSync(portalSigning.keyFile, 'utf8')) },
    ca: readFileSync(framework.enrolment.ca.bundleFile, 'utf8'),
    scope: 'openid profile',
    rolesClaim: 'roles',
    organisationClaim: 'organisation_id',
    roles: {
      operator: ['hub-operator'],
      business: ['hub-business'],
      security: ['hub-security'],
      regulator: ['supervisor'],
    },
    regulatorOrganisations: [SUPERVISOR_ID as OrganisationId],
    sessionMinutes: 480,
    idleMinutes: 30,
    approvalMinutes: 60,
  }
  const listener = { ...tenant.listeners.admin, origin, port }
  return { ...tenant, portal, listeners: { ...tenant.listeners, portal: listener }, ...changes }
}
