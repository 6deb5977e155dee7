import { Command, InvalidArgumentError } from 'commander'
import { systemClock } from '../clock.ts'
import { loadConfig } from '../config.ts'
import { OperatorError } from '../errors.ts'
import type { OperationReport, ProbeReport, PsuId } from '../probe/index.ts'

type Options = {
  readonly config: string
  readonly tenant: string
  readonly user: PsuId
  readonly account: readonly string[]
  readonly iban?: string
  readonly writes?: boolean
  readonly within: number
  readonly json?: boolean
}

export function probeCommand(): Command {
  return new Command('probe')
    .description('Play the hub against the bank of a tenant, and say what breaks the contract, operation by operation.')
    .requiredOption('--config <file>', 'deployment file')
    .requiredOption('--tenant <id>', 'tenant')
    .requiredOption('--user <id>', 'a customer of the bank: user id, or the JSON of psuIdentifiers', user)
    .option(
      '--account <id>',
      'an account of that customer; may be repeated',
      (id, all: readonly string[]) => [...all, id],
      [],
    )
    .option('--iban <number>', 'an account number of the bank, for confirmation of payee')
    .option('--writes', 'also operations that leave something behind: leads and quotes')
    .option('--within <ms>', 'longest time that an answer may take', milliseconds, 1_000)
    .option('--json', 'as one JSON object')
    .addHelpText(
      'after',
      '\nExit status: 0 nothing found, 1 something breaks the contract, 2 the probe could not be made.',
    )
    .action(async (options: Options) => {
      try {
        const report = await run(options)
        if (options.json === true) console.log(JSON.stringify(report, null, 2))
        else print(report)
        process.exitCode = report.ok ? 0 : 1
      } catch (error) {
        if (!(error instanceof OperatorError)) throw error
        console.error(error.message)
        process.exitCode = NOT_MADE
      }
    })
}

const NOT_MADE = 2

async function run(options: Options): Promise<ProbeReport> {
  const tenant = loadConfig(options.config).tenants.find(({ id }) => id === options.tenant)
  if (tenant === undefined) throw new OperatorError(`no tenant ${options.tenant} in this deployment`)
  // Here and not above: the other commands do not wait for what only the probe needs.
  const [{ probe }, { loadSchemas }] = await Promise.all([import('../probe/index.ts'), import('../schema-registry.ts')])
  return probe(
    { tenant, registry: loadSchemas(), clock: systemClock },
    {
      psu: options.user,
      accountIds: options.account,
      iban: options.iban ?? null,
      writes: options.writes === true,
      withinMs: options.within,
    },
  )
}

function print({ operations, ok }: ProbeReport): void {
  for (const each of operations) for (const line of linesOf(each)) console.log(line)
  const broken = operations.filter(({ findings }) => findings.length > 0).length
  console.log(
    ok ? `${operations.length} checks, nothing found` : `${broken} of ${operations.length} checks found something`,
  )
}

const linesOf = ({ operation, status, ms, findings }: OperationReport): readonly string[] => [
  `${findings.length === 0 ? 'ok  ' : 'FAIL'}  ${operation}  ${status ?? '-'}${ms === null ? '' : `  ${ms} ms`}`,
  ...findings.map(
    ({ check, path, rule, detail }) =>
      `        ${check}${path === null ? '' : ` ${path || '(body)'}`}: ${rule} — ${detail}`,
  ),
]

function user(text: string): PsuId {
  if (!text.startsWith('{')) return { userId: text }
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    throw new InvalidArgumentError('it starts like JSON and is none')
  }
  const { userId } = read as { readonly userId?: unknown }
  if (typeof userId !== 'string') throw new InvalidArgumentError('it has no userId')
  return { ...(read as object), userId }
}

function milliseconds(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('not a number of milliseconds')
  return Number(text)
}
