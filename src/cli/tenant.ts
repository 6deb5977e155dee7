/** What a command about one tenant needs: its configuration and its open database. */
import { type Config, loadConfig, type TenantConfig } from '../config.ts'
import { type Db, openDatabase } from '../db.ts'
import { OperatorError } from '../errors.ts'
import { createLog, type Log } from '../log.ts'

export type TenantOptions = { readonly config: string; readonly tenant: string }
export type OpenTenant = { readonly config: Config; readonly tenant: TenantConfig; readonly db: Db; readonly log: Log }

export async function withTenant<T>(options: TenantOptions, work: (open: OpenTenant) => Promise<T>): Promise<T> {
  const config = loadConfig(options.config)
  const tenant = config.tenants.find((each) => each.id === options.tenant)
  if (tenant === undefined) {
    throw new OperatorError(
      `no tenant ${options.tenant}; the deployment has ${config.tenants.map((each) => each.id).join(', ')}`,
    )
  }
  const db = openDatabase({ url: tenant.databaseUrl, poolMax: 4, applicationName: `falaj-cli-${tenant.id}` })
  try {
    return await work({ config, tenant, db, log: createLog({ level: 'silent', name: 'falaj-cli' }) })
  } finally {
    await db.destroy()
  }
}
