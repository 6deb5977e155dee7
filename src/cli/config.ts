import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { loadConfig } from '../config.ts'
import { type JsonOption, tell } from './command.ts'

export function configCommand(): Command {
  const config = new Command('config').description('Check a configuration, or print its description.')
  config
    .command('check')
    .description(
      'Read the deployment file, its tenant files and every key file; exit 0 only if the hub would accept them.',
    )
    .requiredOption('--config <file>', 'deployment file')
    .option('--json', 'as one JSON document; what is wrong as well')
    .action((options: { readonly config: string } & JsonOption) => {
      const { environment, tenants } = loadConfig(options.config)
      const ids = tenants.map(({ id }) => id)
      tell(options, { file: options.config, environment, tenants: ids }, [
        `${options.config}: good (${environment}; tenants ${ids.join(', ')})`,
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
