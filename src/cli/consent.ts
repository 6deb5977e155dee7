import { Command } from 'commander'
import { type ConsentAt, createConsentView, type HistoryRow } from '../admin/index.ts'
import { createAudit } from '../audit/index.ts'
import { systemClock } from '../clock.ts'
import { createConsentStore } from '../consent-store/index.ts'
import { HubError, OperatorError } from '../errors.ts'
import { type TenantOptions, withTenant } from './tenant.ts'

type ShowOptions = TenantOptions & { readonly at?: string; readonly json?: boolean }
const VIEWER = { actor: 'command line', interactionId: null }

export function consentCommand(): Command {
  const consent = new Command('consent').description('Consents of a tenant, now and at any moment of their past.')
  consent
    .command('show')
    .description('What a consent was at a moment, and who made it so. Leaves an entry in the audit log.')
    .argument('<consent-id>', 'as the TPP chose it')
    .requiredOption('--config <file>', 'deployment file')
    .requiredOption('--tenant <id>', 'tenant')
    .option('--at <time>', 'date-time with an offset; now, if absent')
    .option('--json', 'print the record and its history as JSON')
    .action(show)
  return consent
}

function show(id: string, options: ShowOptions): Promise<void> {
  return withTenant(options, async ({ tenant, db, log }) => {
    const clock = systemClock
    const audit = createAudit({ db, tenantId: tenant.id, clock, log })
    const consents = createConsentStore({ db, tenantId: tenant.id, clock, audit })
    const view = createConsentView({ tenantId: tenant.id, consents, audit, clock })
    try {
      const found = await view.showAt(id, options.at ?? null, VIEWER)
      const history = (await view.history(id, VIEWER)).filter(({ revision }) => revision <= found.revision)
      console.log(options.json === true ? JSON.stringify({ ...found, history }, null, 2) : told(found, history))
    } catch (thrown) {
      throw thrown instanceof HubError && thrown.status < 500 ? new OperatorError(thrown.reason) : thrown
    } finally {
      await audit.close()
    }
  })
}

function told({ at, record, revision }: ConsentAt, history: readonly HistoryRow[]): string {
  const lines = history.map(
    (row) =>
      `  ${String(row.revision).padStart(3)}  ${row.at}  ${row.change.padEnd(12)} ${row.from ?? '–'} → ${row.to}  by ${row.by.by}${row.by.clientId === null ? '' : ` ${row.by.clientId}`}${wordsOf(row)}`,
  )
  return [
    `${record['id']}  ${record['status']}  at ${at} (revision ${revision})`,
    ...lines,
    '',
    JSON.stringify(record, null, 2),
  ].join('\n')
}

function wordsOf({ set }: HistoryRow): string {
  const names = Object.keys(set)
  return names.length === 0 ? '' : `: ${names.join(', ')}`
}
