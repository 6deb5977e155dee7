import { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { createDeviations, type Deviation } from '../deviations/index.ts'
import { type TenantOptions, withTenant } from './tenant.ts'

type Options = TenantOptions & { readonly json?: boolean; readonly clear?: boolean }

export function deviationsCommand(): Command {
  return new Command('deviations')
    .description(
      "Where the LFI's answers break the contract: operation, path and rule with their counts, never a value.",
    )
    .requiredOption('--config <file>', 'deployment file')
    .requiredOption('--tenant <id>', 'tenant')
    .option('--json', 'as one JSON array')
    .option('--clear', 'forget what was counted so far, after it is shown')
    .action((options: Options) =>
      withTenant(options, async ({ db, log }) => {
        const deviations = createDeviations({ db, clock: systemClock, log })
        try {
          const found = await deviations.list()
          if (options.json === true) console.log(JSON.stringify(found, null, 2))
          else for (const each of found) console.log(lineOf(each))
          if (options.clear === true) await deviations.clear()
        } finally {
          await deviations.close()
        }
      }),
    )
}

const lineOf = ({ operationId, path, rule, count, firstAt, lastAt }: Deviation): string =>
  `${String(count).padStart(8)}  ${operationId}  ${path === '' ? '(body)' : path}  ${rule}  ${firstAt} – ${lastAt}`
