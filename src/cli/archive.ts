/** What ended long ago, into files and from the database. */
import { setTimeout } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { archive, checkArchive, findInArchive, openDisk } from '../archive/index.ts'
import { createAudit } from '../audit/index.ts'
import { type Instant, systemClock, toInstant } from '../clock.ts'
import { HubError, OperatorError } from '../errors.ts'
import { aboutTenant, type JsonOption, tell } from './command.ts'
import { type TenantOptions, withTenant } from './tenant.ts'

type Period = { readonly years: number; readonly days: number }
type RunOptions = TenantOptions &
  JsonOption & { readonly to: string; readonly olderThan?: Period; readonly batch: number }
type CheckOptions = JsonOption & { readonly config?: string; readonly tenant?: string }

const DAY_MS = 86_400_000
const YEARS = 5
const BATCH = 200
const BATCH_MAX = 1_000

export function archiveCommand(): Command {
  const command = new Command('archive').description(
    'Consents, quotes and openings that ended long ago: write them to files and delete them, check the files, find one.',
  )
  aboutTenant(command, 'run', 'Archive what is older than the policy keeps, a few at a time. Goes on after a crash.')
    .requiredOption('--to <folder>', 'where the files go; it should be a disk that is backed up')
    .option(
      '--older-than <period>',
      'such as 7y or 2000d; not less than retention.archiveYears, which is the default',
      period,
    )
    .option('--batch <number>', `consents in one transaction and file, ${BATCH_MAX} at most`, batchOf, BATCH)
    .addHelpText(
      'after',
      '\nEnters as database.migration.url where a tenant names one. With --json one line for each batch.',
    )
    .action(run)
  command
    .command('check')
    .description('Whether every file is what its manifest says; with --config and --tenant also what was recorded.')
    .argument('<folder>', 'an archive made by `falaj archive run`')
    .option('--config <file>', 'deployment file, to ask the database for its record')
    .option('--tenant <id>', 'tenant')
    .option('--json', 'as one JSON document; a refusal as well')
    .addHelpText('after', '\nExit status: 0 it is whole, 1 it is not (each fault is named).')
    .action(check)
  command
    .command('find')
    .description('One consent, quote or account opening as it was archived, with its past, line by line.')
    .argument('<id>', 'of the consent, or as the LFI named the quote or opening')
    .argument('<folder>', 'an archive made by `falaj archive run`')
    .option('--json', 'as one JSON document; a refusal as well')
    .action(find)
  return command
}

function run({ to, olderThan, batch, ...options }: RunOptions): Promise<void> {
  return withTenant(
    options,
    async ({ tenant, db, log }) => {
      const clock = systemClock
      const policy = ago(clock.now(), { years: tenant.retention?.archiveYears ?? YEARS, days: 0 })
      const before = olderThan === undefined ? policy : ago(clock.now(), olderThan)
      if (before > policy) {
        throw new OperatorError('--older-than is less than the policy of this tenant keeps (retention.archiveYears)')
      }
      const audit = createAudit({ db, tenantId: tenant.id, clock, log })
      const of = { db, tenantId: tenant.id, audit, clock, disk: openDisk(to), rest: (ms: number) => setTimeout(ms) }
      try {
        for await (const done of archive(of, { before, batch })) {
          const { consent, payment_log: payments, service_request: requests } = done.lines
          if (options.json === true) console.log(JSON.stringify(done))
          else console.log(`${done.file}: ${consent} consents, ${payments} payments, ${requests} requests`)
        }
      } finally {
        await audit.close()
      }
    },
    'owner',
  )
}

async function check(folder: string, options: CheckOptions): Promise<void> {
  const { config, tenant } = options
  if ((config === undefined) !== (tenant === undefined)) throw new OperatorError('--config goes with --tenant')
  const verdict =
    config === undefined || tenant === undefined
      ? await checkArchive(openDisk(folder), null)
      : await withTenant({ config, tenant }, ({ db }) => checkArchive(openDisk(folder), db))
  const { ok, first, batches, consents, faults, uncommitted } = verdict
  tell(options, verdict, [
    ...faults,
    ...uncommitted.map((name) => `${name} was not committed: what it holds is still in the database`),
    `${ok ? 'whole' : 'NOT whole'}: ${batches} batches from number ${first ?? '–'} on, ${consents} consents`,
  ])
  process.exitCode = ok ? 0 : 1
}

async function find(id: string, folder: string, options: JsonOption): Promise<void> {
  const found = await findInArchive(openDisk(folder), id)
  if (found.length === 0) throw new HubError('NotFound', { reason: `no manifest in ${folder} names ${id}` })
  tell(
    options,
    found,
    found.flatMap(({ lines }) => lines.map((line) => JSON.stringify(line))),
  )
}

/** The beginning of that day of UTC: a whole day is either kept or not. */
function ago(now: Instant, { years, days }: Period): Instant {
  const then = new Date(now - days * DAY_MS)
  then.setUTCFullYear(then.getUTCFullYear() - years)
  return toInstant(then.getTime() - (then.getTime() % DAY_MS))
}

function period(text: string): Period {
  const [, number, unit] = /^(\d{1,5})([yd])$/.exec(text) ?? []
  if (number === undefined) throw new InvalidArgumentError('a period is written like 7y or 2000d')
  return unit === 'y' ? { years: Number(number), days: 0 } : { years: 0, days: Number(number) }
}

function batchOf(text: string): number {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (number < 1 || number > BATCH_MAX) throw new InvalidArgumentError(`a number from 1 to ${BATCH_MAX}`)
  return number
}
