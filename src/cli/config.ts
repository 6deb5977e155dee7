import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { loadConfig } from '../config.ts'
import { type Endpoint, endpointsNow } from '../endpoints/index.ts'
import { type JsonOption, tell } from './command.ts'
import { withTenant } from './tenant.ts'

export function configCommand(): Command {
  const config = new Command('config').description('Check a configuration, or print its description.')
  config
    .command('check')
    .description(
      'Read the deployment file, its tenant files and every key file; exit 0 only if the hub would accept them.',
    )
    .requiredOption('--config <file>', 'deployment file')
    .option('--stored', 'also ask the database of each tenant which addresses, set while hubs run, win over its file')
    .option('--json', 'as one JSON document; what is wrong as well')
    .action(async (options: { readonly config: string; readonly stored?: boolean } & JsonOption) => {
      const { environment, tenants } = loadConfig(options.config)
      const ids = tenants.map(({ id }) => id)
      const stored = options.stored === true ? await storedIn(options.config, ids) : null
      const document = { file: options.config, environment, tenants: ids, ...(stored === null ? {} : { stored }) }
      tell(options, document, [
        `${options.config}: good (${environment}; tenants ${ids.join(', ')})`,
        ...(stored ?? []).map(
          ({ tenant, key, url, inFile }) =>
            `tenant ${tenant}: ${key} is ${url}, set in the hub; the file has ${inFile}`,
        ),
      ])
    })
  config
    .command('schema')
    .description('Print the JSON Schema that describes every key, its default and its limits.')
    .argument('<which>', 'deployment or tenant')
    .option('--json', 'as it is in any case')
    .action((which: string, _options: unknown, command: Command) => {
      if (which !== 'deployment' && which !== 'tenant') command.error('which must be deployment or tenant')
      console.log(readFileSync(new URL(`../../config/${which}.schema.json`, import.meta.url), 'utf8'))
    })
  return config
}

type Stored = Pick<Endpoint, 'key' | 'url' | 'inFile'> & { readonly tenant: string }

async function storedIn(config: string, tenants: readonly string[]): Promise<readonly Stored[]> {
  const all = tenants.map((tenant) =>
    withTenant({ config, tenant }, async (open) =>
      (await endpointsNow(open)).flatMap(({ from, key, url, inFile }) =>
        from === 'stored' ? [{ tenant, key, url, inFile }] : [],
      ),
    ),
  )
  return (await Promise.all(all)).flat()
}
