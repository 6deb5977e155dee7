/** What a command about one tenant needs: its configuration and its open database. */
import { type Config, loadConfig, type TenantConfig } from '../config.ts'
import { type Db, openDatabase, PATIENCE } from '../db.ts'
import { OperatorError } from '../errors.ts'
import { createLog, type Log } from '../log.ts'

const OWNER_STATEMENT_MS = 120_000

export type TenantOptions = { readonly config: string; readonly tenant: string }
export type OpenTenant = { readonly config: Config; readonly tenant: TenantConfig; readonly db: Db; readonly log: Log }

export async function withTenant<T>(
  options: TenantOptions,
  work: (open: OpenTenant) => Promise<T>,
  databaseAs: 'hub' | 'owner' = 'hub',
): Promise<T> {
  const config = loadConfig(options.config, { databaseAs })
  const tenant = tenantIn(config, options.tenant)
  const db = openDatabase({
    url: tenant.databaseUrl,
    poolMax: 4,
    applicationName: `falaj-cli-${tenant.id}`,
    patience: patienceOf(databaseAs),
  })
  try {
    return await work({ config, tenant, db, log: createLog({ level: 'silent', name: 'falaj-cli' }) })
  } finally {
    await db.destroy()
  }
}

/** The owner's work is long, and waits for disks with a transaction open. */
const patienceOf = (databaseAs: 'hub' | 'owner') =>
  databaseAs === 'owner' ? { ...PATIENCE, statementMs: OWNER_STATEMENT_MS } : PATIENCE

export function tenantIn({ tenants }: Config, id: string): TenantConfig {
  const tenant = tenants.find((each) => each.id === id)
  if (tenant !== undefined) return tenant
  throw new OperatorError(`no tenant ${id}; the deployment has ${tenants.map((each) => each.id).join(', ')}`)
}
