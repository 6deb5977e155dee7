import { Command, InvalidArgumentError } from 'commander'
import { type Config, loadConfig, ROLES, type Role } from '../config.ts'
import { grantRights } from '../database-rights.ts'
import { migrate, openDatabase } from '../db.ts'
import { createLog } from '../log.ts'
import type { JsonOption } from './command.ts'
import { untilAskedToStop } from './stop.ts'

export function hubCommand(): Command {
  return new Command('hub')
    .description('Run the hub: the listeners of the given roles, for every tenant of the deployment.')
    .requiredOption('--config <file>', 'deployment file (see config/deployment.schema.json)')
    .option('--roles <list>', `comma-separated, of ${ROLES.join(', ')}; default: as configured, or all`, roles)
    .addHelpText('after', '\nStops on SIGINT or SIGTERM: accepts nothing new, answers what is in flight, then exits.')
    .action(async (options: { config: string; roles?: readonly Role[] }) => {
      const config = loadConfig(options.config, options.roles === undefined ? {} : { roles: options.roles })
      // Here and not above: the other commands do not wait for what only the hub needs.
      const { startHub } = await import('../hub.ts')
      const log = createLog({ level: config.logLevel, name: 'falaj' })
      const hub = await startHub({ config, log })
      log.info({ environment: config.environment, roles: config.roles }, 'hub is up')
      // A parent that started this process may wait for the word.
      process.send?.('ready')
      log.info({ signal: await untilAskedToStop() }, 'stopping')
      await hub.close()
      log.info('stopped')
      log.flush()
    })
}

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('Bring the database of every tenant to this release. Safe while the previous release is running.')
    .addHelpText(
      'after',
      '\nEnters as database.migration.url where a tenant names one, and gives the rights of the hub to grantTo.',
    )
    .requiredOption('--config <file>', 'deployment file')
    .option('--json', 'one JSON document per tenant and line, as it is done')
    .action(async (options: { readonly config: string } & JsonOption) => {
      const config = loadConfig(options.config, { databaseAs: 'owner' })
      for (const tenant of config.tenants) {
        const applied = await migrateTenant(config, tenant)
        const words = applied.length === 0 ? 'up to date' : `applied ${applied.join(', ')}`
        if (options.json === true) console.log(JSON.stringify({ tenant: tenant.id, applied }))
        else console.log(`${tenant.id}: ${words}`)
      }
    })
}

async function migrateTenant(config: Config, tenant: Config['tenants'][number]): Promise<readonly string[]> {
  const db = openDatabase({
    url: tenant.databaseUrl,
    poolMax: config.database.poolMax,
    applicationName: `falaj-migrate-${tenant.id}`,
    isLong: true,
  })
  try {
    const { migrations } = await import('../migrations.ts')
    const applied = await migrate(db, migrations)
    if (tenant.databaseRole !== undefined) await grantRights(db, tenant.databaseRole)
    return applied
  } finally {
    await db.destroy()
  }
}

function roles(text: string): readonly Role[] {
  const named = text.split(',').map((role) => role.trim())
  const foreign = named.filter((role) => !(ROLES as readonly string[]).includes(role))
  if (foreign.length > 0) throw new InvalidArgumentError(`no such role: ${foreign.join(', ')}`)
  return named as Role[]
}
