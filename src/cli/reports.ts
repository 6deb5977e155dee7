import { once } from 'node:events'
import { Command } from 'commander'
import { createAudit } from '../audit/index.ts'
import { systemClock } from '../clock.ts'
import { HubError, OperatorError } from '../errors.ts'
import { toCorrelationId } from '../ids.ts'
import { type By, createReports, csvOf, type Outage, type Reports } from '../reports/index.ts'
import { type TenantOptions, withTenant } from './tenant.ts'

type DaysOptions = TenantOptions & { readonly from: string; readonly to: string; readonly format: 'json' | 'csv' }
type RawOptions = TenantOptions & { readonly from: string; readonly to: string; readonly format: 'ndjson' | 'csv' }
type OutageOptions = TenantOptions & { readonly subject: 'lfi' | 'hub'; readonly reason: string }
type PlanOptions = OutageOptions & { readonly starts: string; readonly ends: string }

const BY: By = { actor: 'command line', interactionId: null }

export function reportCommand(): Command {
  const report = new Command('report').description('Figures of a tenant, all of them from its audit log.')
  const days = (name: string, description: string, read: (reports: Reports, asked: DaysOptions) => Promise<Table>) =>
    about(report, name, description)
      .requiredOption('--from <day>', 'first day, as YYYY-MM-DD, of the Gulf')
      .requiredOption('--to <day>', 'last day, included')
      .option('--format <format>', 'json or csv', 'json')
      .action((options: DaysOptions) =>
        withReports(options, async (reports) => {
          await reports.advance()
          await print(await read(reports, options), options.format)
        }),
      )
  days('lfi', 'Availability of the LFI: each day, and all of them.', (reports, { from, to }) =>
    reports.lfiAvailability({ first: from, last: to }),
  )
  days('daily', 'Calls added up by day, operation, client and outcome.', (reports, { from, to }) =>
    reports.rollUps('day', { first: from, last: to }),
  )
  days('hourly', 'The same by hour.', (reports, { from, to }) => reports.rollUps('hour', { first: from, last: to }))
  about(report, 'raw', 'The raw API log: one row per call, written as it is read.')
    .requiredOption('--from <day>', 'first day, as YYYY-MM-DD, of the Gulf')
    .requiredOption('--to <day>', 'last day, included')
    .option('--format <format>', 'ndjson or csv', 'ndjson')
    .action((options: RawOptions) =>
      withReports(options, async (reports) => {
        if (options.format !== 'ndjson' && options.format !== 'csv') throw unknownFormat('ndjson or csv')
        for await (const line of reports.rawLog({ first: options.from, last: options.to }, options.format)) {
          if (!process.stdout.write(line)) await once(process.stdout, 'drain')
        }
      }),
    )
  about(report, 'fields', 'What the columns of the raw API log mean.').action((options: TenantOptions) =>
    withReports(options, (reports) => print(reports.fields(), 'csv')),
  )
  about(report, 'recompute', 'Count the whole log anew; the figures must come out the same.').action(
    (options: TenantOptions) =>
      withReports(options, async (reports) => console.log(`${await reports.recompute()} entries counted`)),
  )
  about(report, 'destroy', 'Destroy what the policy no longer keeps, and record that in the log.').action(
    (options: TenantOptions) =>
      withReports(options, async (reports) => {
        const done = await reports.destroyExpired()
        console.log(done === null ? 'nothing is older than the policy keeps' : JSON.stringify(done))
      }),
  )
  return report
}

export function outageCommand(): Command {
  const outage = new Command('outage').description('Outages of an LFI or of the hub: announce, begin, end, list.')
  const declaring = (name: string, description: string): Command =>
    about(outage, name, description)
      .requiredOption('--reason <words>', 'for the record, up to 200 characters')
      .option('--subject <subject>', 'lfi or hub', 'lfi')
  declaring('plan', 'Announce downtime: of an LFI 72 hours ahead, between 02:00 and 05:00 of the Gulf.')
    .requiredOption('--starts <moment>', 'date-time with a zone')
    .requiredOption('--ends <moment>', 'date-time with a zone')
    .action((options: PlanOptions) =>
      withReports(options, async ({ outages }) => {
        const { reason, starts, ends } = options
        printOutage(await outages.plan({ subject: subjectOf(options), reason, startsAt: starts, endsAt: ends }, BY))
      }),
    )
  declaring('begin', 'Declare that something is down now.').action((options: OutageOptions) =>
    withReports(options, async ({ outages }) =>
      printOutage(await outages.begin({ subject: subjectOf(options), reason: options.reason }, BY)),
    ),
  )
  about(outage, 'end', 'Declare that it is over.')
    .argument('<id>', 'as shown by `falaj outage list`')
    .action((id: string, options: TenantOptions) =>
      withReports(options, async ({ outages }) => printOutage(await outages.end(id, BY))),
    )
  about(outage, 'list', 'Every outage, the latest first; one JSON object per line.').action((options: TenantOptions) =>
    withReports(options, async ({ outages }) => (await outages.list()).forEach(printOutage)),
  )
  return outage
}

export function explainCommand(): Command {
  return new Command('explain')
    .description('Why a call was refused, by the x-fapi-interaction-id of its answer.')
    .argument('<interaction-id>')
    .requiredOption('--config <file>', 'deployment file')
    .requiredOption('--tenant <id>', 'tenant')
    .action((raw: string, options: TenantOptions) =>
      withReports(options, async ({ explanations }) => {
        const id = toCorrelationId(raw)
        const found = id === null ? [] : await explanations.ofAnybody(id)
        if (found.length === 0) throw new OperatorError(`no refusal of the hub has the interaction id ${raw}`)
        for (const each of found) console.log(JSON.stringify(each, null, 2))
      }),
    )
}

type Table = Parameters<typeof csvOf>[0]

async function print(rows: Table, format: string): Promise<void> {
  if (format !== 'json' && format !== 'csv') throw unknownFormat('json or csv')
  process.stdout.write(format === 'csv' ? csvOf(rows) : `${JSON.stringify(rows, null, 2)}\n`)
}

const printOutage = (outage: Outage): void => console.log(JSON.stringify(outage))
const unknownFormat = (must: string): OperatorError => new OperatorError(`--format must be ${must}`)

function subjectOf({ subject }: OutageOptions): 'lfi' | 'hub' {
  if (subject !== 'lfi' && subject !== 'hub') throw new OperatorError('--subject must be lfi or hub')
  return subject
}

const about = (parent: Command, name: string, description: string): Command =>
  parent
    .command(name)
    .description(description)
    .requiredOption('--config <file>', 'deployment file')
    .requiredOption('--tenant <id>', 'tenant')

/** What the rules refuse is for whoever typed it to mend. */
function withReports(options: TenantOptions, work: (reports: Reports) => Promise<void>): Promise<void> {
  return withTenant(options, async ({ tenant, db, log }) => {
    const clock = systemClock
    const audit = createAudit({ db, tenantId: tenant.id, clock, log })
    try {
      await work(createReports({ db, tenant, audit, clock }))
    } catch (thrown) {
      throw thrown instanceof HubError && thrown.status < 500 ? new OperatorError(thrown.reason) : thrown
    } finally {
      await audit.close()
    }
  })
}
