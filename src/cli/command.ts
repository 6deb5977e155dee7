/** What commands have in common: how a tenant is named, and that all they say can be had by a program. */
import type { Command } from 'commander'

export type JsonOption = { readonly json?: boolean }

const JSON_FLAG = '--json'

/** A command about one tenant, below `parent`. */
export const aboutTenant = (parent: Command, name: string, description: string): Command =>
  ofTenant(parent.command(name).description(description))

export const ofTenant = (command: Command): Command =>
  command
    .requiredOption('--config <file>', 'deployment file')
    .requiredOption('--tenant <id>', 'tenant')
    .option(JSON_FLAG, 'as one JSON document; a refusal as well')

/** One document for a program, or the lines for a person. */
export function tell(options: JsonOption, document: unknown, lines: readonly string[]): void {
  if (options.json === true) console.log(JSON.stringify(document, null, 2))
  else for (const line of lines) console.log(line)
}
