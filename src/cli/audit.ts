import { Command, InvalidArgumentError } from 'commander'
import {
  auditExport,
  auditLogOf,
  auditPublicKey,
  auditVerifyLive,
  type Erasure,
  eraseOpenings,
  verifierMain,
} from '../audit/index.ts'
import { iso, systemClock } from '../clock.ts'
import { OperatorError } from '../errors.ts'
import { aboutTenant, type JsonOption, tell } from './command.ts'
import { withDesk } from './desk.ts'
import { complain } from './refusal.ts'
import { type OpenTenant, type TenantOptions, withTenant } from './tenant.ts'

type VerifyOptions = Judged & {
  config?: string
  tenant?: string
  checkpoint: string[]
  reports?: boolean
  compare: string[]
  tpp?: string
  period?: string
}
type Judged = { key?: string; policy?: string; json?: boolean }
type ExportOptions = TenantOptions & { out: string; from?: Date; to?: Date; openings?: boolean; json?: boolean }
type EraseOptions = TenantOptions &
  JsonOption & { reason: string; consent?: string; actor?: string; entry?: number; field?: string }

const NOT_JUDGED = 2
const STATUSES = '\nExit status: 0 verified, 1 not verified (the first bad entry is named), 2 could not be judged.'

export function auditCommand(): Command {
  const audit = new Command('audit').description(
    'The audit log of a tenant: export it, verify an export, a receipt or the live log, erase values from it.',
  )
  audit
    .command('verify')
    .description('Verify an export, offline. Or a live log: --config and --tenant.')
    .argument('[folder]', 'an export made by `falaj audit export`')
    .option('--key <vkey>', 'public key of the log, as published by the hub operator')
    .option('--policy <file>', 'which witnesses must have cosigned (C2SP tlog-policy)')
    .option('--checkpoint <file>', 'a checkpoint noted earlier, which must still hold; may be repeated', collect, [])
    .option('--reports', 'recompute the reports of every day from the log, and print them')
    .option(
      '--compare <file>',
      'a filed report or raw log (CSV, JSON, NDJSON), held against the log; may be repeated',
      collect,
      [],
    )
    .option('--period <first>/<last>', 'with --compare: the days that the reports have to be of; a raw log needs it')
    .option('--tpp <organisation>', 'with --compare: the organisation that a report to a TPP was made for')
    .option('--config <file>', 'deployment file, for a live log')
    .option('--tenant <id>', 'tenant, for a live log')
    .option('--json', 'print the verdict as JSON')
    .addHelpText('after', STATUSES)
    .action(async (folder: string | undefined, options: VerifyOptions, command: Command) => {
      process.exitCode = await verify(folder, options, command).catch(unjudged)
    })
  audit
    .command('receipt')
    .description('Receipts of single calls.')
    .command('verify')
    .description('Verify a receipt, offline.')
    .argument('<file>', 'a .tlog-proof, or the answer of GET /audit/receipts/{interactionId}')
    .option('--key <vkey>', 'public key of the log')
    .option('--policy <file>', 'which witnesses must have cosigned (C2SP tlog-policy)')
    .option('--json', 'print the verdict as JSON')
    .addHelpText('after', STATUSES)
    .action((file: string, options: Judged) => {
      process.exitCode = verifierMain(['receipt', file, ...judgedBy(options)], console.log)
    })
  aboutTenant(audit, 'verify-now', 'Verify the newest entries of the live log, as the portal does; leaves an entry.')
    .addHelpText('after', '\nExit status: 0 verified, 1 not verified. The whole log: `falaj audit verify`.')
    .action(verifyNow)
  aboutTenant(
    audit,
    'export',
    'Write the log of a tenant, or a period of it, to a folder that anybody can verify, and verify it.',
  )
    .requiredOption('--out <folder>', 'folder to write; an export that was interrupted goes on')
    .option('--from <time>', 'only entries sealed from this hour on', time)
    .option('--to <time>', 'only entries sealed up to this hour', time)
    .option('--openings', 'with the values behind the commitments, as far as they are not erased')
    .action(async (options: ExportOptions) => {
      process.exitCode = await exportTo(options)
    })
  aboutTenant(
    audit,
    'erase',
    'Destroy values behind commitments for good. What, why and by whom is recorded; the log stays valid.',
  )
    .requiredOption('--reason <text>', 'as it will stand in the log')
    .option('--consent <id>', 'everything that names this consent')
    .option('--actor <name>', 'everything that names this person as actor')
    .option('--entry <index>', 'what this entry committed to', place)
    .option('--field <name>', 'with --entry: only this member')
    .action((options: EraseOptions) => erase(options))
  aboutTenant(audit, 'key', 'Print the verifier key of a log, to be published.').action(
    (options: TenantOptions & JsonOption) =>
      withTenant(options, async ({ tenant }) => {
        const { tenantId, key, origin } = auditLogOf(tenant)
        const publicKey = auditPublicKey(tenantId, key, origin)
        tell(options, { publicKey }, [publicKey])
      }),
  )
  return audit
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

function time(text: string): Date {
  const at = new Date(text)
  if (Number.isNaN(at.getTime())) throw new InvalidArgumentError('a time is written like 2026-03-01T00:00Z')
  return at
}

function place(text: string): number {
  if (!/^(0|[1-9]\d{0,14})$/.test(text)) throw new InvalidArgumentError('an index is a number from 0 on')
  return Number(text)
}

const judgedBy = ({ key, policy, json }: Judged): readonly string[] => [
  ...(key === undefined ? [] : ['--key', key]),
  ...(policy === undefined ? [] : ['--policy', policy]),
  ...(json === true ? ['--json'] : []),
]

async function verify(folder: string | undefined, options: VerifyOptions, command: Command): Promise<number> {
  if (folder !== undefined) {
    const noted = options.checkpoint.flatMap((file) => ['--checkpoint', file])
    const compared = options.compare.flatMap((file) => ['--compare', file])
    const reported = [
      ...(options.reports === true ? ['--reports'] : []),
      ...(options.tpp === undefined ? [] : ['--tpp', options.tpp]),
      ...(options.period === undefined ? [] : ['--period', options.period]),
    ]
    return verifierMain([folder, ...judgedBy(options), ...noted, ...reported, ...compared], console.log)
  }
  const { config, tenant, key, json = false } = options
  if (config === undefined || tenant === undefined) {
    return command.error('name an export, or a live log by --config and --tenant', { exitCode: NOT_JUDGED })
  }
  return withTenant({ config, tenant }, ({ db, tenant: found }) => {
    const { tenantId, key: own, origin } = auditLogOf(found)
    return auditVerifyLive(db, key ?? auditPublicKey(tenantId, own, origin), { json })
  })
}

/** Status 1 says that a log is bad, which a missing configuration does not. */
function unjudged(thrown: unknown): number {
  if (!(thrown instanceof OperatorError)) throw thrown
  complain(thrown)
  return NOT_JUDGED
}

function verifyNow(options: TenantOptions & JsonOption): Promise<void> {
  return withDesk(options, async ({ rooms: { verification }, act }) => {
    await act('audit.verify', {})
    await verification.ended()
    const [last] = await verification.list()
    const result = last?.result ?? null
    if (result === null) throw new OperatorError('the verification has come to no end')
    const { endedAt, ...verdict } = result
    const range = `entries ${result.first} to ${result.size - 1}: ${result.checked} checked`
    tell(options, { ...verdict, endedAt: iso(endedAt) }, [
      result.ok ? `VERIFIED: ${range}` : `NOT VERIFIED: ${result.fault ?? 'no reason is known'}`,
    ])
    process.exitCode = result.ok ? 0 : 1
  })
}

const logOf = ({ db, tenant, log }: OpenTenant) => ({ ...auditLogOf(tenant), db, clock: systemClock, log })

function exportTo({ out, from, to, openings = false, json = false, ...options }: ExportOptions): Promise<number> {
  const period = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
  return withTenant(options, (open) => auditExport(logOf(open), { path: out, period, openings }, { json }))
}

function erase(options: EraseOptions): Promise<void> {
  const erasure = erasureOf(options)
  return withTenant(options, async (open) => {
    const by = { actor: 'command line', reason: options.reason }
    const { openings, waiting } = await eraseOpenings(logOf(open), erasure, by)
    const left = waiting === 0 ? '' : `; ${waiting} are of entries not yet sealed: repeat in some seconds`
    tell(options, { erased: openings.length, waiting }, [`${openings.length} values erased and recorded${left}`])
  })
}

function erasureOf({ consent, actor, entry, field }: EraseOptions): Erasure {
  const asked: readonly (Erasure | null)[] = [
    consent === undefined ? null : { field: 'consentId', value: consent },
    actor === undefined ? null : { field: 'actor', value: actor },
    entry === undefined ? null : { index: entry, ...(field === undefined ? {} : { field }) },
  ]
  const [erasure, ...more] = asked.filter((each) => each !== null)
  if (erasure === undefined || more.length > 0 || (field !== undefined && entry === undefined)) {
    throw new OperatorError('say what to erase by one of --consent, --actor and --entry; --field goes with --entry')
  }
  return erasure
}
