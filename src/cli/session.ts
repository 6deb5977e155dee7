/** People of the portal: who is logged in, and what they proposed that takes two. */
import { Command, InvalidArgumentError } from 'commander'
import { iso } from '../clock.ts'
import { HubError } from '../errors.ts'
import type { CommandDesk, Proposal, ProposalState } from '../portal/index.ts'
import { aboutTenant, tell } from './command.ts'
import { type DeskOptions, tellDone, withDesk } from './desk.ts'

export function sessionCommand(): Command {
  const session = new Command('session').description(
    'Sessions of the portal: who is logged in; end one, or all of one person.',
  )
  aboutTenant(session, 'list', 'Sessions that are good now, the latest request first.').action((options: DeskOptions) =>
    withDesk(options, async ({ rooms }) => {
      const all = (await rooms.sessions.list()).map(({ handle, person, beganAt, seenAt, expiresAt }) => ({
        ...{ handle, ...person },
        ...{ beganAt: iso(beganAt), seenAt: iso(seenAt), expiresAt: iso(expiresAt) },
      }))
      const lines = all.map(
        (each) => `${each.handle}  ${each.name} (${each.subject})  ${each.roles.join(' ')}  last ${each.seenAt}`,
      )
      tell(options, all, lines)
    }),
  )
  aboutTenant(session, 'end', 'End a session; whoever it was logs in anew, if the trust framework still lets them.')
    .argument('<handle>', 'as shown by `falaj session list`')
    .action((handle: string, options: DeskOptions) =>
      withDesk(options, async (desk) => tellDone(options, 'session.end', await desk.act('session.end', { handle }))),
    )
  aboutTenant(session, 'end-all', 'End every session of one person, in whatever browser, as «log out everywhere» does.')
    .argument('<subject>', 'whose, as shown by `falaj session list`')
    .action((subject: string, options: DeskOptions) =>
      withDesk(options, async (desk) =>
        // The act is that of ending somebody's session, and on record with the person as its target.
        tellDone(
          options,
          'session.end',
          await desk.actWith('session.end', { handle: subject }, () => endAllOf(desk, subject)),
        ),
      ),
    )
  return session
}

/** @throws HubError where the person has none: more likely a name that is mistyped than a person who has just left */
async function endAllOf({ rooms }: CommandDesk, subject: string): Promise<void> {
  if ((await rooms.sessions.endAllOf(subject)) > 0) return
  throw new HubError('NotFound', { reason: `Nobody is logged in as ${subject}` })
}

const STATES: readonly ProposalState[] = ['waiting', 'running', 'done', 'failed', 'rejected', 'expired']

export function proposalCommand(): Command {
  const proposal = new Command('proposal').description('Acts that take two people: what waits, and what became of it.')
  aboutTenant(proposal, 'list', 'The newest first.')
    .option('--state <state>', `one of ${STATES.join(', ')}`, stateOf)
    .action((options: DeskOptions & { readonly state?: ProposalState }) =>
      withDesk(options, async ({ rooms }) => {
        const { state } = options
        const all = (await rooms.proposals.list()).filter((each) => state === undefined || each.state === state)
        tell(options, all.map(toldOf), all.map(lineOf))
      }),
    )
  aboutTenant(proposal, 'reject', 'It is not to be done. To approve takes a second person, in the portal.')
    .argument('<id>', 'as shown by `falaj proposal list`')
    .action((id: string, options: DeskOptions) =>
      withDesk(options, async (desk) => {
        await desk.rejectProposal(id)
        tell(options, { id, state: 'rejected' }, [`${id} is rejected`])
      }),
    )
  return proposal
}

const toldOf = ({ proposedAt, expiresAt, decidedAt, ...proposal }: Proposal) => ({
  ...proposal,
  ...{ proposedAt: iso(proposedAt), expiresAt: iso(expiresAt), decidedAt: decidedAt === null ? null : iso(decidedAt) },
})

const lineOf = ({ id, state, verb, target, proposedBy, proposedAt, decidedBy, outcome }: Proposal): string =>
  [
    `${id}  ${state.padEnd(8)}  ${verb}  ${target ?? '–'}  by ${proposedBy.name} at ${iso(proposedAt)}`,
    ...(decidedBy === null ? [] : [`decided by ${decidedBy.name}`]),
    ...(outcome === null ? [] : [outcome]),
  ].join('  ')

function stateOf(text: string): ProposalState {
  const known = STATES.find((each) => each === text)
  if (known === undefined) throw new InvalidArgumentError(`one of ${STATES.join(', ')}`)
  return known
}
