import { Command } from 'commander'
import { auditExport, auditPublicKey, auditVerify } from '../audit/index.ts'
import { systemClock } from '../clock.ts'
import { OperatorError } from '../errors.ts'
import { withTenant } from './tenant.ts'

type VerifyOptions = { config?: string; tenant?: string; key?: string; json?: boolean }
type ExportOptions = { config: string; tenant: string; out: string; json?: boolean }

const NOT_JUDGED = 2

export function auditCommand(): Command {
  const audit = new Command('audit').description(
    'Export the audit log of a tenant, and verify an export or the live log.',
  )
  audit
    .command('verify')
    .description(
      'Verify an export, offline: only the file and the public key are needed. Or a live log: --config and --tenant.',
    )
    .argument('[file]', 'an export made by `falaj audit export`')
    .option('--key <vkey>', 'public key of the log, as published by the hub operator')
    .option('--config <file>', 'deployment file, for a live log')
    .option('--tenant <id>', 'tenant, for a live log')
    .option('--json', 'print the verdict as JSON')
    .addHelpText(
      'after',
      '\nExit status: 0 verified, 1 not verified (the first bad entry is named), 2 could not be judged.',
    )
    .action(async (file: string | undefined, options: VerifyOptions, command: Command) => {
      process.exitCode = await verify(file, options, command).catch(unjudged)
    })
  audit
    .command('export')
    .description('Write the whole log of a tenant to one file that anybody can verify, and verify it.')
    .requiredOption('--config <file>', 'deployment file')
    .requiredOption('--tenant <id>', 'tenant')
    .requiredOption('--out <file>', 'file to write')
    .option('--json', 'print the result as JSON')
    .action(async (options: ExportOptions) => {
      process.exitCode = await exportLog(options)
    })
  return audit
}

async function verify(file: string | undefined, options: VerifyOptions, command: Command): Promise<number> {
  const output = { json: options.json ?? false }
  if (file !== undefined) {
    return auditVerify(options.key === undefined ? { file } : { file, publicKey: options.key }, output)
  }
  const { config, tenant: id } = options
  if (config === undefined || id === undefined) {
    return command.error('name an export file, or a live log by --config and --tenant', { exitCode: NOT_JUDGED })
  }
  return withTenant({ config, tenant: id }, ({ db, tenant }) =>
    auditVerify(
      { live: { db, tenantId: tenant.id, publicKey: options.key ?? auditPublicKey(tenant.id, tenant.keys.audit) } },
      output,
    ),
  )
}

/** Status 1 says that a log is bad, which a missing configuration does not. */
function unjudged(thrown: unknown): number {
  if (!(thrown instanceof OperatorError)) throw thrown
  console.error(thrown.message)
  return NOT_JUDGED
}

function exportLog(options: ExportOptions): Promise<number> {
  return withTenant(options, ({ db, tenant, log }) =>
    auditExport({ db, tenantId: tenant.id, key: tenant.keys.audit, clock: systemClock, log }, options.out, {
      json: options.json ?? false,
    }),
  )
}
