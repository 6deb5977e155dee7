import { Command, Option } from 'commander'
import { iso } from '../clock.ts'
import { createKeyOperations, KEY_USES, type KeyOperations, type KeyUse, type ListedKey } from '../keys/index.ts'
import type { CommandDesk } from '../portal/index.ts'
import { aboutTenant, tell } from './command.ts'
import { type DeskOptions, withDesk } from './desk.ts'

type UseOptions = DeskOptions & { readonly use: KeyUse }
type RotateOptions = UseOptions & Harm & { readonly kid?: string; readonly now?: boolean }
type Harm = { readonly yesClientsMayBreak?: boolean }

const use = (): Option => new Option('--use <use>', 'sig signs, enc decrypts').choices(KEY_USES).makeOptionMandatory()
const HARM = ['--yes-clients-may-break', 'needed outside the sandbox where clients or tokens may be refused'] as const
const acceptedIn = ({ yesClientsMayBreak }: Harm) => (yesClientsMayBreak === true ? 'harm' : 'no harm')

export function keysCommand(): Command {
  const keys = new Command('keys').description('Signing and encryption keys of a tenant: list, rotate, retire.')
  aboutTenant(keys, 'list', 'Every key with its state; those whose time is over are kept as a record.').action(
    (options: DeskOptions) =>
      withOperations(options, async (operations) => {
        const all = await operations.list()
        tell(options, all.map(toldOf), all.map(lineOf))
      }),
  )
  aboutTenant(keys, 'rotate', 'Publish the next key; it takes over by itself once clients had time to see it.')
    .addOption(use())
    .option('--kid <kid>', 'a key of the configuration, kept in its file, instead of one made now')
    .option('--now', 'take over at once')
    .option(...HARM)
    .action(rotate)
  aboutTenant(
    keys,
    'retire',
    'End a key before its time: the next one is forgotten, a retired one verifies nothing any more.',
  )
    .argument('<kid>', 'as shown by `falaj keys list`; one that begins with - stands last, after --')
    .option(...HARM)
    .action((kid: string, options: DeskOptions & Harm) =>
      withOperations(options, async (operations, { actWith }) => {
        const { result } = await actWith('keys.retire', { kid }, () => operations.retire(kid, acceptedIn(options)))
        tell(options, { kid, state: result }, [`${kid} is ${result}`])
      }),
    )
  aboutTenant(
    keys,
    'rewrap',
    'Encrypt every stored key with keys.encryptionKey; until then it needs keys.previousEncryptionKey.',
  ).action((options: DeskOptions) =>
    withOperations(options, async (operations) => {
      const rewrapped = await operations.rewrap()
      tell(options, { rewrapped }, [`${rewrapped} keys wrapped anew`])
    }),
  )
  aboutTenant(
    keys,
    'import',
    'Take the keys of the configuration into the store: the first goes on signing, the others verify.',
  )
    .addOption(use())
    .option('--by-reference', 'leave the private halves in their files')
    .action((options: UseOptions & { readonly byReference?: boolean }) =>
      withOperations(options, async (operations) => {
        const imported = await operations.adopt(options.use, options.byReference === true ? 'file' : 'stored')
        const lines = imported.map((kid) => `${kid} is imported`)
        tell(options, { imported }, lines)
      }),
    )
  return keys
}

/** The portal rotates ahead of time only: a hurried rotation may break clients, and belongs here. */
const rotate = (options: RotateOptions): Promise<void> =>
  withOperations(options, async (operations, { actWith }) => {
    const { result } = await actWith('keys.rotate', { use: options.use }, () =>
      operations.rotate({
        use: options.use,
        kid: options.kid ?? null,
        when: options.now === true ? 'now' : 'ahead',
        accepted: acceptedIn(options),
      }),
    )
    const { kid, replaces } = result
    const activatesAt = iso(result.activatesAt)
    const replaced = replaces === null ? '' : `, in place of ${replaces}`
    tell(options, { kid, activatesAt, replaces }, [`${kid} is active from ${activatesAt}${replaced}`])
  })

const toldOf = ({ kid, use: of, state, source, times }: ListedKey) => ({
  ...{ kid, use: of, state, source },
  activatesAt: times === null ? null : iso(times.activatesAt),
  verifyUntil: times === null || times.verifyUntil === null ? null : iso(times.verifyUntil),
})

function lineOf({ kid, use, state, source, times }: ListedKey): string {
  const life = times === null ? [] : [`from ${iso(times.activatesAt)}`]
  const end = times?.verifyUntil === null || times === null ? [] : [`until ${iso(times.verifyUntil)}`]
  return [use, state.padEnd(7), source.padEnd(6), kid, ...life, ...end].join('  ')
}

function withOperations(
  options: DeskOptions,
  work: (operations: KeyOperations, desk: CommandDesk) => Promise<void>,
): Promise<void> {
  return withDesk(options, (desk) => work(createKeyOperations({ ...desk.rooms, actor: desk.by.person.subject }), desk))
}
