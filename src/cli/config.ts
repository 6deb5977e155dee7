import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { loadConfig } from '../config.ts'

export function configCommand(): Command {
  const config = new Command('config').description('Check a configuration, or print its description.')
  config
    .command('check')
    .description(
      'Read the deployment file, its tenant files and every key file; exit 0 only if the hub would accept them.',
    )
    .requiredOption('--config <file>', 'deployment file')
    .action((options: { config: string }) => {
      const loaded = loadConfig(options.config)
      console.log(
        `${options.config}: good (${loaded.environment}; tenants ${loaded.tenants.map((each) => each.id).join(', ')})`,
      )
    })
  config
    .command('schema')
    .description('Print the JSON Schema that describes every key, its default and its limits.')
    .argument('<which>', 'deployment or tenant')
    .action((which: string, _options: unknown, command: Command) => {
      if (which !== 'deployment' && which !== 'tenant') command.error('which must be deployment or tenant')
      console.log(readFileSync(new URL(`../../config/${which}.schema.json`, import.meta.url), 'utf8'))
    })
  return config
}
