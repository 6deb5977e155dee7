import { Command, InvalidArgumentError } from 'commander'
import { OperatorError } from '../errors.ts'
import { NOTICE_STATES, type NoticeState } from '../notices/index.ts'
import { aboutTenant, tell } from './command.ts'
import { type DeskOptions, withDesk } from './desk.ts'

export function webhookCommand(): Command {
  const webhook = new Command('webhook').description('Events for the webhooks of TPPs: what became of them, once more.')
  aboutTenant(webhook, 'list', 'The newest events with state, attempts and last outcome; never what they say.')
    .option('--state <state>', `one of ${NOTICE_STATES.join(', ')}; dead are those that were given up`, stateOf)
    .action((options: DeskOptions & { readonly state?: NoticeState }) =>
      withDesk(options, async ({ rooms }) => {
        const all = await rooms.desk.list(options.state ?? null)
        const lines = all.map(
          ({ id, at, state, attempts, consentId, clientId, outcome, eventId }) =>
            `${id}  ${at}  ${state.padEnd(9)}  ${attempts}×  ${consentId}  ${clientId}  ${eventId}  ${outcome ?? '-'}`,
        )
        tell(options, all, lines)
      }),
    )
  aboutTenant(
    webhook,
    'redeliver',
    'Send a settled event again, from its first attempt on; the TPP can tell by its id that it is the same.',
  )
    .argument('<id>', 'as shown by `falaj webhook list`')
    .action((id: string, options: DeskOptions) =>
      withDesk(options, async ({ rooms, by, actWith }) => {
        await actWith('webhook.redeliver', { id }, async () => {
          const isDone = /^\d{1,18}$/.test(id) && (await rooms.desk.redeliver(id, by.operator))
          if (!isDone) throw new OperatorError(`no settled webhook ${id}: \`falaj webhook list\` shows them`)
        })
        tell(options, { id, state: 'waiting' }, [`${id} is waiting to be delivered again`])
      }),
    )
  return webhook
}

function stateOf(text: string): NoticeState {
  const known = NOTICE_STATES.find((each) => each === text)
  if (known === undefined) throw new InvalidArgumentError(`one of ${NOTICE_STATES.join(', ')}`)
  return known
}
