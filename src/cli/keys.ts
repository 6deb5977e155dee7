import { Command, Option } from 'commander'
import { createAudit } from '../audit/index.ts'
import { iso, systemClock } from '../clock.ts'
import { createKeyOperations, KEY_USES, type KeyOperations, type KeyUse, type ListedKey } from '../keys/index.ts'
import { type TenantOptions, withTenant } from './tenant.ts'

type UseOptions = TenantOptions & { readonly use: KeyUse }
type RotateOptions = UseOptions & Harm & { readonly kid?: string; readonly now?: boolean }
type Harm = { readonly yesClientsMayBreak?: boolean }

const use = (): Option => new Option('--use <use>', 'sig signs, enc decrypts').choices(KEY_USES).makeOptionMandatory()
const HARM = ['--yes-clients-may-break', 'needed outside the sandbox where clients or tokens may be refused'] as const
const acceptedIn = ({ yesClientsMayBreak }: Harm) => (yesClientsMayBreak === true ? 'harm' : 'no harm')

export function keysCommand(): Command {
  const keys = new Command('keys').description('Signing and encryption keys of a tenant: list, rotate, retire.')
  const command = (name: string, description: string): Command =>
    keys
      .command(name)
      .description(description)
      .requiredOption('--config <file>', 'deployment file')
      .requiredOption('--tenant <id>', 'tenant')
  command('list', 'Every key with its state; those whose time is over are kept as a record.').action(
    (options: TenantOptions) =>
      withOperations(options, async (operations) => {
        for (const key of await operations.list()) console.log(lineOf(key))
      }),
  )
  command('rotate', 'Publish the next key; it takes over by itself once clients had time to see it.')
    .addOption(use())
    .option('--kid <kid>', 'a key of the configuration, kept in its file, instead of one made now')
    .option('--now', 'take over at once')
    .option(...HARM)
    .action((options: RotateOptions) =>
      withOperations(options, async (operations) => {
        const rotation = await operations.rotate({
          use: options.use,
          kid: options.kid ?? null,
          when: options.now === true ? 'now' : 'ahead',
          accepted: acceptedIn(options),
        })
        const replaced = rotation.replaces === null ? '' : `, in place of ${rotation.replaces}`
        console.log(`${rotation.kid} is active from ${iso(rotation.activatesAt)}${replaced}`)
      }),
    )
  command('retire', 'End a key before its time: the next one is forgotten, a retired one verifies nothing any more.')
    .argument('<kid>', 'as shown by `falaj keys list`')
    .option(...HARM)
    .action((kid: string, options: TenantOptions & Harm) =>
      withOperations(options, async (operations) => {
        console.log(`${kid} is ${await operations.retire(kid, acceptedIn(options))}`)
      }),
    )
  command(
    'rewrap',
    'Encrypt every stored key with keys.encryptionKey; until then it needs keys.previousEncryptionKey.',
  ).action((options: TenantOptions) =>
    withOperations(options, async (operations) => {
      console.log(`${await operations.rewrap()} keys wrapped anew`)
    }),
  )
  command('import', 'Take the keys of the configuration into the store: the first goes on signing, the others verify.')
    .addOption(use())
    .option('--by-reference', 'leave the private halves in their files')
    .action((options: UseOptions & { readonly byReference?: boolean }) =>
      withOperations(options, async (operations) => {
        const kids = await operations.adopt(options.use, options.byReference === true ? 'file' : 'stored')
        for (const kid of kids) console.log(`${kid} is imported`)
      }),
    )
  return keys
}

function lineOf({ kid, use, state, source, times }: ListedKey): string {
  const life = times === null ? [] : [`from ${iso(times.activatesAt)}`]
  const end = times?.verifyUntil === null || times === null ? [] : [`until ${iso(times.verifyUntil)}`]
  return [use, state.padEnd(7), source.padEnd(6), kid, ...life, ...end].join('  ')
}

function withOperations(options: TenantOptions, work: (operations: KeyOperations) => Promise<void>): Promise<void> {
  return withTenant(options, async ({ config, tenant, db, log }) => {
    const clock = systemClock
    const { environment } = config
    const audit = createAudit({ db, tenantId: tenant.id, clock, log })
    try {
      await work(createKeyOperations({ db, tenant, environment, audit, clock, actor: 'command line' }))
    } finally {
      await audit.close()
    }
  })
}
