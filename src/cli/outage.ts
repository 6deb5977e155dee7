import { Command } from 'commander'
import { OperatorError } from '../errors.ts'
import type { Outage } from '../reports/index.ts'
import { aboutTenant } from './command.ts'
import { type DeskOptions, withDesk } from './desk.ts'

type OutageOptions = DeskOptions & { readonly subject: 'lfi' | 'hub'; readonly reason: string }
type PlanOptions = OutageOptions & { readonly starts: string; readonly ends: string }

export function outageCommand(): Command {
  const outage = new Command('outage').description('Outages of an LFI or of the hub: announce, begin, end, list.')
  const declaring = (name: string, description: string): Command =>
    aboutTenant(outage, name, description)
      .requiredOption('--reason <words>', 'for the record, up to 200 characters')
      .option('--subject <subject>', 'lfi or hub', 'lfi')
  declaring('plan', 'Announce downtime: of an LFI 72 hours ahead, between 02:00 and 05:00 of the Gulf.')
    .requiredOption('--starts <moment>', 'date-time with a zone')
    .requiredOption('--ends <moment>', 'date-time with a zone')
    .action((options: PlanOptions) => {
      const subject = subjectOf(options)
      const { reason, starts: startsAt, ends: endsAt } = options
      return withDesk(options, async ({ rooms: { reports }, by, actWith }) => {
        const asked = { subject, reason, startsAt, endsAt }
        const { result } = await actWith('outage.plan', asked, () => reports.outages.plan(asked, by.operator))
        printOutage(result)
      })
    })
  declaring('begin', 'Declare that something is down now.').action((options: OutageOptions) => {
    const asked = { subject: subjectOf(options), reason: options.reason }
    return withDesk(options, async ({ rooms: { reports }, by, actWith }) => {
      const { result } = await actWith('outage.begin', asked, () => reports.outages.begin(asked, by.operator))
      printOutage(result)
    })
  })
  aboutTenant(outage, 'end', 'Declare that it is over.')
    .argument('<id>', 'as shown by `falaj outage list`')
    .action((id: string, options: DeskOptions) =>
      withDesk(options, async ({ rooms: { reports }, by, actWith }) => {
        const { result } = await actWith('outage.end', { id }, () => reports.outages.end(id, by.operator))
        printOutage(result)
      }),
    )
  aboutTenant(
    outage,
    'list',
    'Every outage, the latest first; one JSON object per line, or with --json an array.',
  ).action((options: DeskOptions) =>
    withDesk(options, async ({ rooms: { reports } }) => {
      const all = await reports.outages.list()
      if (options.json === true) console.log(JSON.stringify(all, null, 2))
      else all.forEach(printOutage)
    }),
  )
  return outage
}

/** One outage is one line of JSON, whoever reads it. */
const printOutage = (outage: Outage): void => console.log(JSON.stringify(outage))

function subjectOf({ subject }: OutageOptions): 'lfi' | 'hub' {
  if (subject !== 'lfi' && subject !== 'hub') throw new OperatorError('--subject must be lfi or hub')
  return subject
}
