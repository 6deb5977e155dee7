import { once } from 'node:events'
import { Command } from 'commander'
import { createAudit } from '../audit/index.ts'
import { systemClock } from '../clock.ts'
import { OperatorError } from '../errors.ts'
import { toCorrelationId } from '../ids.ts'
import { createReports, csvOf, REPORTED_SETS, type ReportedSet, type Reports } from '../reports/index.ts'
import { aboutTenant as about, type JsonOption, ofTenant, tell } from './command.ts'
import { type TenantOptions, withTenant } from './tenant.ts'

type Options = TenantOptions & JsonOption
type DaysOptions = Options & { readonly from: string; readonly to: string; readonly format: 'json' | 'csv' }
type RawOptions = Options & { readonly from: string; readonly to: string; readonly format: 'ndjson' | 'csv' }

const DATASETS: Readonly<Record<ReportedSet, string>> = {
  consents: 'What became of consents, by day, TPP, type, version and billing inputs.',
  payments: 'How payments ended, by day, TPP, type of billing and merchant.',
  billing: 'What calls are billed by: attended or not, records, payment type and merchant, by day and TPP.',
  versions: 'Consents created on each version of the standard, by TPP: who has not moved to the newest.',
  times: 'How fast each operation was on each day: calls beyond 500 ms, and 95th percentiles by segment.',
}

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
          await print(await read(reports, options), formatOf(options, 'json'))
        }),
      )
  days('lfi', 'Availability of the LFI: each day, and all of them.', (reports, { from, to }) =>
    reports.lfiAvailability({ first: from, last: to }),
  )
  days('daily', 'Calls added up by day, operation, client and outcome.', (reports, { from, to }) =>
    reports.rollUps('day', { first: from, last: to }),
  )
  days('hourly', 'The same by hour.', (reports, { from, to }) => reports.rollUps('hour', { first: from, last: to }))
  for (const name of REPORTED_SETS) {
    days(name, DATASETS[name], (reports, { from, to }) => reports.dataset(name, { first: from, last: to }))
  }
  about(report, 'raw', 'The raw API log: one row per call, written as it is read.')
    .requiredOption('--from <day>', 'first day, as YYYY-MM-DD, of the Gulf')
    .requiredOption('--to <day>', 'last day, included')
    .option('--format <format>', 'ndjson or csv', 'ndjson')
    .action((options: RawOptions) =>
      withReports(options, async (reports) => {
        const format = formatOf(options, 'ndjson')
        if (format !== 'ndjson' && format !== 'csv') throw unknownFormat('ndjson or csv')
        for await (const line of reports.rawLog({ first: options.from, last: options.to }, format)) {
          if (!process.stdout.write(line)) await once(process.stdout, 'drain')
        }
      }),
    )
  about(report, 'fields', 'What the columns of the raw API log mean.').action((options: Options) =>
    withReports(options, (reports) => print(reports.fields(), options.json === true ? 'json' : 'csv')),
  )
  about(report, 'recompute', 'Count the whole log anew; the figures must come out the same.').action(
    (options: Options) =>
      withReports(options, async (reports) => {
        const counted = await reports.recompute()
        tell(options, { counted }, [`${counted} entries counted`])
      }),
  )
  about(report, 'destroy', 'Destroy what the policy no longer keeps, and record that in the log.').action(
    (options: Options) =>
      withReports(options, async (reports) => {
        const destroyed = await reports.destroyExpired()
        const words = destroyed === null ? 'nothing is older than the policy keeps' : JSON.stringify(destroyed)
        tell(options, { destroyed }, [words])
      }),
  )
  return report
}

export function explainCommand(): Command {
  return ofTenant(new Command('explain'))
    .description('Why a call was refused, by the x-fapi-interaction-id of its answer.')
    .argument('<interaction-id>')
    .action((raw: string, options: Options) =>
      withReports(options, async ({ explanations }) => {
        const id = toCorrelationId(raw)
        const found = id === null ? [] : await explanations.ofAnybody(id)
        if (found.length === 0) throw new OperatorError(`no refusal of the hub has the interaction id ${raw}`)
        const lines = found.map((each) => JSON.stringify(each, null, 2))
        tell(options, found, lines)
      }),
    )
}

type Table = Parameters<typeof csvOf>[0]

async function print(rows: Table, format: string): Promise<void> {
  if (format !== 'json' && format !== 'csv') throw unknownFormat('json or csv')
  process.stdout.write(format === 'csv' ? csvOf(rows) : `${JSON.stringify(rows, null, 2)}\n`)
}

const unknownFormat = (must: string): OperatorError => new OperatorError(`--format must be ${must}`)

/** --json is what each command says most simply in JSON, whatever --format says. */
const formatOf = ({ json, format }: JsonOption & { readonly format: string }, as: string): string =>
  json === true ? as : format

function withReports(options: TenantOptions, work: (reports: Reports) => Promise<void>): Promise<void> {
  return withTenant(options, async ({ tenant, db, log }) => {
    const clock = systemClock
    const audit = createAudit({ db, tenantId: tenant.id, clock, log })
    try {
      await work(createReports({ db, tenant, audit, clock }))
    } finally {
      await audit.close()
    }
  })
}
