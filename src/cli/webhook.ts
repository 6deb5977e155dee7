import { Command, InvalidArgumentError } from 'commander'
import { createAudit } from '../audit/index.ts'
import { systemClock } from '../clock.ts'
import { OperatorError } from '../errors.ts'
import { createNoticeDesk, NOTICE_STATES, type NoticeDesk, type NoticeState } from '../notices/index.ts'
import { type TenantOptions, withTenant } from './tenant.ts'

export function webhookCommand(): Command {
  const webhook = new Command('webhook').description('Events for the webhooks of TPPs: what became of them, once more.')
  webhook
    .command('list')
    .description('The newest events with state, attempts and last outcome; never what they say.')
    .requiredOption('--config <file>', 'deployment file')
    .requiredOption('--tenant <id>', 'tenant')
    .option('--state <state>', `one of ${NOTICE_STATES.join(', ')}; dead are those that were given up`, stateOf)
    .action((options: TenantOptions & { readonly state?: NoticeState }) =>
      withDesk(options, async (desk) => {
        for (const each of await desk.list(options.state ?? null)) {
          const { id, at, state, attempts, consentId, clientId, outcome, eventId } = each
          console.log(
            `${id}  ${at}  ${state.padEnd(9)}  ${attempts}×  ${consentId}  ${clientId}  ${eventId}  ${outcome ?? '-'}`,
          )
        }
      }),
    )
  webhook
    .command('redeliver')
    .description(
      'Send a settled event again, from its first attempt on; the TPP can tell by its id that it is the same.',
    )
    .argument('<id>', 'as shown by `falaj webhook list`')
    .requiredOption('--config <file>', 'deployment file')
    .requiredOption('--tenant <id>', 'tenant')
    .action((id: string, options: TenantOptions) =>
      withDesk(options, async (desk) => {
        const found =
          /^\d{1,18}$/.test(id) && (await desk.redeliver(id, { actor: 'command line', interactionId: null }))
        if (!found) throw new OperatorError(`no settled webhook ${id}: \`falaj webhook list\` shows them`)
        console.log(`${id} is waiting to be delivered again`)
      }),
    )
  return webhook
}

function stateOf(text: string): NoticeState {
  const known = NOTICE_STATES.find((each) => each === text)
  if (known === undefined) throw new InvalidArgumentError(`one of ${NOTICE_STATES.join(', ')}`)
  return known
}

function withDesk(options: TenantOptions, work: (desk: NoticeDesk) => Promise<void>): Promise<void> {
  return withTenant(options, async ({ tenant, db, log }) => {
    const clock = systemClock
    const audit = createAudit({ db, tenantId: tenant.id, clock, log })
    try {
      await work(createNoticeDesk({ db, tenant, audit, clock }))
    } finally {
      await audit.close()
    }
  })
}
