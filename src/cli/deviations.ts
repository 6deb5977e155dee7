import { Command } from 'commander'
import type { Deviation } from '../deviations/index.ts'
import { ofTenant, tell } from './command.ts'
import { type DeskOptions, withDesk } from './desk.ts'

type Options = DeskOptions & { readonly clear?: boolean }

export function deviationsCommand(): Command {
  return ofTenant(new Command('deviations'))
    .description(
      "Where the LFI's answers break the contract: operation, path and rule with their counts, never a value.",
    )
    .option('--clear', 'forget what was counted so far, after it is shown')
    .action((options: Options) =>
      withDesk(options, async ({ rooms, act }) => {
        const found = await rooms.deviations.list()
        tell(options, found, found.map(lineOf))
        if (options.clear === true) await act('deviations.clear', {})
      }),
    )
}

const lineOf = ({ operationId, path, rule, count, firstAt, lastAt }: Deviation): string =>
  `${String(count).padStart(8)}  ${operationId}  ${path === '' ? '(body)' : path}  ${rule}  ${firstAt} – ${lastAt}`
