/** TPPs and their software statements: the two upper steps of an activation (lfi-api 7.3), and all of them out at once. */
import { Command } from 'commander'
import type { VerbName } from '../portal/index.ts'
import { aboutTenant, tell } from './command.ts'
import { type DeskOptions, requireYes, tellDone, withDesk, YES, type YesOption } from './desk.ts'

export function tppCommand(): Command {
  const tpp = new Command('tpp').description('TPPs registered at a tenant: list them step by step, activate, block.')
  aboutTenant(tpp, 'list', 'Every application with each step of its activation, and what the directory says.').action(
    (options: DeskOptions) =>
      withDesk(options, async ({ rooms }) => {
        const all = await rooms.participants.standings()
        const lines = all.map(
          ({ organisationId, softwareStatementId, clientId, local, status, tppName, clientName }) =>
            `${status.padEnd(8)}  tpp ${organisationId} ${local.tpp}  statement ${softwareStatementId} ${local['software-statement']}  client ${clientId} ${local.client}  ${tppName} / ${clientName}`,
        )
        tell(options, all, lines)
      }),
  )
  step(tpp, 'activate', 'tpp.activate', 'Let a TPP in; each of its statements and clients is a step of its own.')
  step(tpp, 'block', 'tpp.block', 'Block a TPP: nothing of it is accepted from the next request on.')
  aboutTenant(tpp, 'block-all', 'Block every TPP: no call of any is served from the next request on.')
    .option(...YES)
    .action((options: DeskOptions & YesOption) => {
      requireYes(options, 'every TPP would be blocked')
      return withDesk(options, async (desk) =>
        tellDone(options, 'tpps.block-all', await desk.act('tpps.block-all', {})),
      )
    })
  return tpp
}

export function statementCommand(): Command {
  const statement = new Command('statement').description('Software statements of TPPs: activate, block.')
  step(
    statement,
    'activate',
    'statement.activate',
    'Let a software statement in; its TPP and its client are other steps.',
  )
  step(statement, 'block', 'statement.block', 'Block a software statement, from the next request on.')
  return statement
}

function step(parent: Command, name: string, verb: VerbName, description: string): void {
  const id = parent.name() === 'tpp' ? '<organisation-id>' : '<software-statement-id>'
  aboutTenant(parent, name, description)
    .argument(id, 'as shown by `falaj tpp list`')
    .action((of: string, options: DeskOptions) =>
      withDesk(options, async (desk) => tellDone(options, verb, await desk.act(verb, { id: of }))),
    )
}
