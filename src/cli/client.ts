import { Command } from 'commander'
import { createAudit } from '../audit/index.ts'
import { systemClock } from '../clock.ts'
import { OperatorError } from '../errors.ts'
import { createParticipants, type LocalStatus, type Participants } from '../participants/index.ts'
import { type TenantOptions, withTenant } from './tenant.ts'

const ACTS = {
  activate: {
    status: 'active',
    description: 'Let a registered client in: its TPP and software statement are activated with it.',
  },
  deactivate: { status: 'inactive', description: 'Take a client out; it can be activated again.' },
  block: { status: 'blocked', description: 'Block a client: nothing of it is accepted from the next request on.' },
} as const satisfies Record<string, { status: LocalStatus; description: string }>

export function clientCommand(): Command {
  const client = new Command('client').description('TPP applications registered at a tenant: list, activate, block.')
  client
    .command('list')
    .description('Every registered client with its status.')
    .requiredOption('--config <file>', 'deployment file')
    .requiredOption('--tenant <id>', 'tenant')
    .action((options: TenantOptions) =>
      withParticipants(options, async (participants) => {
        for (const each of await participants.list()) {
          console.log(
            `${each.clientId}  ${each.status.padEnd(8)}  ${each.tppName} / ${each.clientName}  [${each.roles.join(' ')}]`,
          )
        }
      }),
    )
  for (const [name, act] of Object.entries(ACTS)) {
    client
      .command(name)
      .description(act.description)
      .argument('<client-id>', 'as shown by `falaj client list`')
      .requiredOption('--config <file>', 'deployment file')
      .requiredOption('--tenant <id>', 'tenant')
      .action((clientId: string, options: TenantOptions) =>
        withParticipants(options, (participants) => setStatus(participants, clientId, act.status)),
      )
  }
  return client
}

async function setStatus(participants: Participants, clientId: string, status: LocalStatus): Promise<void> {
  const known = (await participants.list()).find((each) => each.clientId === clientId)
  if (known === undefined) throw new OperatorError(`no client ${clientId} is registered at this tenant`)
  const by = { actor: 'command line', interactionId: null }
  if (status === 'active') {
    await participants.setStatus('tpp', known.organisationId, status, by)
    await participants.setStatus('software-statement', known.softwareStatementId, status, by)
  }
  await participants.setStatus('client', clientId, status, by)
  console.log(`${clientId} is ${status}`)
}

function withParticipants(options: TenantOptions, work: (participants: Participants) => Promise<void>): Promise<void> {
  return withTenant(options, async ({ config, tenant, db, log }) => {
    const clock = systemClock
    const audit = createAudit({ db, tenantId: tenant.id, clock, log })
    const participants = createParticipants({ db, tenant, trustFramework: config.trustFramework, audit, clock, log })
    try {
      await work(participants)
    } finally {
      await participants.close()
      await audit.close()
    }
  })
}
