import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { systemClock } from '../clock.ts'
import { loadConfig, type TenantConfig } from '../config.ts'
import { endpointsNow, withEndpoints } from '../endpoints/index.ts'
import { OperatorError } from '../errors.ts'
import type { OperationReport, PaymentTarget, ProbeReport, PsuId } from '../probe/index.ts'
import { complain } from './refusal.ts'
import { withTenant } from './tenant.ts'

type Options = {
  readonly config: string
  readonly tenant: string
  readonly user: PsuId
  readonly account: readonly string[]
  readonly iban?: string
  readonly writes?: boolean
  readonly payments?: string
  readonly consent?: string
  readonly personal?: string
  readonly paymentFile?: string
  readonly within: number
  readonly json?: boolean
  readonly stored?: boolean
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
    .option('--writes', 'also operations that leave something behind: leads, quotes and account openings')
    .option(
      '--payments <amount>',
      'also payments of so many dirhams, such as 1.00, and with --writes the acceptance of a quote: MONEY MAY MOVE',
      amount,
    )
    .option('--consent <id>', 'a payment consent of that customer, for a bank that looks it up')
    .option('--personal <file>', 'the JWE that names whom to pay (PersonalIdentifiableInformation)')
    .option(
      '--payment-file <file>',
      'JSON: path of a file of payments, its FileType, NumberOfTransactions and ControlSum, and a ConsentId for a bank that looks it up',
    )
    .option('--within <ms>', 'longest time that an answer may take', milliseconds, 1_000)
    .option(
      '--stored',
      'at the addresses that were set while hubs run, which the database has, instead of those of the file',
    )
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
        complain(error)
        process.exitCode = NOT_MADE
      }
    })
}

const NOT_MADE = 2

async function run(options: Options): Promise<ProbeReport> {
  const tenant = await tenantAsked(options)
  // Here and not above: the other commands do not wait for what only the probe needs.
  const [{ probe }, { loadSchemas }] = await Promise.all([import('../probe/index.ts'), import('../schema-registry.ts')])
  return probe(
    { tenant, registry: loadSchemas(), clock: systemClock },
    {
      psu: options.user,
      accountIds: options.account,
      iban: options.iban ?? null,
      writes: options.writes === true,
      payments: options.payments === undefined ? null : paymentsOf(options, options.payments),
      withinMs: options.within,
    },
  )
}

/** Without a database, unless it is asked for: a bank is probed before there is a hub. */
async function tenantAsked(options: Options): Promise<TenantConfig> {
  if (options.stored === true) {
    return withTenant(options, async ({ db, tenant }) => withEndpoints(tenant, await endpointsNow({ db, tenant })))
  }
  const tenant = loadConfig(options.config).tenants.find(({ id }) => id === options.tenant)
  if (tenant === undefined) throw new OperatorError(`no tenant ${options.tenant} in this deployment`)
  return tenant
}

function paymentsOf({ consent, personal, paymentFile }: Options, of: string): PaymentTarget {
  return {
    amount: of,
    consentId: consent ?? null,
    personal: personal === undefined ? null : read(personal).toString('utf8').trim(),
    file: paymentFile === undefined ? null : fileOf(paymentFile),
  }
}

function fileOf(name: string): NonNullable<PaymentTarget['file']> {
  let said: Readonly<Record<string, unknown>>
  try {
    said = JSON.parse(read(name).toString('utf8')) as typeof said
  } catch (error) {
    if (error instanceof OperatorError) throw error
    throw new OperatorError(`${name} is not JSON`)
  }
  const { path, ConsentId, ...described } = said
  if (typeof path !== 'string') throw new OperatorError(`${name} has no path`)
  return {
    bytes: read(resolve(dirname(name), path)),
    described,
    consentId: typeof ConsentId === 'string' ? ConsentId : null,
  }
}

function read(name: string): Buffer {
  try {
    return readFileSync(name)
  } catch {
    throw new OperatorError(`${name} cannot be read`)
  }
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

function amount(text: string): string {
  if (!/^\d{1,16}\.\d{2}$/.test(text)) throw new InvalidArgumentError('not an amount with two decimals')
  return text
}

function milliseconds(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('not a number of milliseconds')
  return Number(text)
}
