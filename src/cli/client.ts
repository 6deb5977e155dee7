import { Command } from 'commander'
import { OperatorError } from '../errors.ts'
import type { LocalStatus } from '../participants/index.ts'
import type { CommandDesk } from '../portal/index.ts'
import { aboutTenant, tell } from './command.ts'
import { type DeskOptions, withDesk } from './desk.ts'

type ActOptions = DeskOptions & { readonly only?: boolean }
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
  aboutTenant(client, 'list', 'Every registered client with its status.').action((options: DeskOptions) =>
    withDesk(options, async ({ rooms }) => {
      const all = await rooms.participants.list()
      const told = all.map(({ clientId, status, tppName, clientName, roles }) => ({
        ...{ clientId, status, tppName, clientName, roles },
      }))
      const lines = told.map(
        (each) =>
          `${each.clientId}  ${each.status.padEnd(8)}  ${each.tppName} / ${each.clientName}  [${each.roles.join(' ')}]`,
      )
      tell(options, told, lines)
    }),
  )
  for (const [name, act] of Object.entries(ACTS)) {
    const command = aboutTenant(client, name, act.description).argument(
      '<client-id>',
      'as shown by `falaj client list`',
    )
    if (act.status === 'active') command.option('--only', 'this step alone, not its TPP and software statement')
    command.action((clientId: string, options: ActOptions) =>
      withDesk(options, async (desk) => {
        await setStatus(desk, clientId, act.status, options)
        tell(options, { clientId, status: act.status }, [`${clientId} is ${act.status}`])
      }),
    )
  }
  return client
}

async function setStatus(desk: CommandDesk, clientId: string, status: LocalStatus, { only }: ActOptions) {
  const { participants } = desk.rooms
  const known = (await participants.list()).find((each) => each.clientId === clientId)
  if (known === undefined) throw new OperatorError(`no client ${clientId} is registered at this tenant`)
  // A step of the command line alone: in the portal a client is active or blocked.
  if (status === 'inactive') {
    await participants.setStatus('client', clientId, status, desk.by.operator)
    return
  }
  if (status === 'blocked') {
    await desk.act('client.block', { id: clientId })
    return
  }
  if (only !== true) {
    await desk.act('tpp.activate', { id: known.organisationId })
    await desk.act('statement.activate', { id: known.softwareStatementId })
  }
  await desk.act('client.activate', { id: clientId })
}
