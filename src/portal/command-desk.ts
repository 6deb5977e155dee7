/**
 * The acts of the portal for the command line. Whoever runs that holds the secret of the database, so no role is asked
 * and no second person waited for; but every act passes the same place, and leaves the same entries in the audit log.
 */
import { PORTAL_ROLES } from '../config.ts'
import { HubError, OperatorError } from '../errors.ts'
import { newCorrelationId } from '../ids.ts'
import { createActDesk, type Done, execute, type Proposed, propose } from './acts/desk.ts'
import type { Given, VerbName } from './acts/given.ts'
import { createProposals } from './acts/proposals.ts'
import type { By } from './acts/verb.ts'
import { VERBS } from './acts/verbs.ts'
import { createProbes } from './probes.ts'
import { Refused } from './refused.ts'
import type { ActRooms, PortalDeps } from './rooms.ts'
import { createSessions } from './sessions.ts'
import { createVerification } from './verification.ts'

export type CommandDeps = Omit<PortalDeps, 'portal' | 'origin' | 'receipts'>
export type CommandDesk = {
  readonly rooms: ActRooms
  readonly by: By
  /** @throws HubError and OperatorError as the service of the act does */
  act(name: VerbName, given: Given): Promise<Done<void>>
  /** The same where the command line knows more ways of an act than the portal offers, or tells what came of it. */
  actWith<T>(name: VerbName, given: Given, run: () => Promise<T>): Promise<Done<T>>
  /**
   * What takes two people from here as well: it waits for somebody in the portal to approve it.
   * @throws OperatorError where there is no portal; HubError and OperatorError as the act does before it may wait
   */
  propose(name: VerbName, given: Given): Promise<Proposed>
  /** A dangerous act that somebody proposed in the portal is not to be done. */
  rejectProposal(id: string): Promise<void>
  close(): Promise<void>
}

const NAME = 'command line'
/** A tenant without a portal has nobody who is logged in, and nothing that waits; what was left is over. */
const NO_PORTAL = { idleMinutes: 0, sessionMinutes: 0, approvalMinutes: 0 }

export function createCommandDesk(deps: CommandDeps): CommandDesk {
  const ofPortal = { ...deps, portal: deps.tenant.portal ?? NO_PORTAL }
  const verification = createVerification(deps)
  const rooms: ActRooms = {
    ...deps,
    sessions: createSessions(ofPortal),
    proposals: createProposals(ofPortal),
    verification,
    probes: createProbes(deps),
  }
  const interactionId = newCorrelationId()
  const by: By = {
    person: { subject: NAME, name: NAME, roles: PORTAL_ROLES },
    interactionId,
    operator: { actor: NAME, interactionId },
  }
  const actWith: CommandDesk['actWith'] = (name, given, run) => execute(rooms, { name, given, by, proposal: null, run })
  return {
    rooms,
    by,
    act: (name, given) => actWith(name, given, () => VERBS[name].run(rooms, given, by)),
    actWith,
    propose: async (name, given) => {
      if (deps.tenant.portal !== undefined) return propose(rooms, { name, given }, by)
      throw new OperatorError(`tenant ${deps.tenant.id} has no portal, so there is nobody who could approve it`)
    },
    rejectProposal: async (id) => {
      try {
        await createActDesk(rooms).perform('proposal.reject', new Map([['id', id]]), by)
      } catch (thrown) {
        if (!(thrown instanceof Refused)) throw thrown
        if (thrown.reason === 'notFound') throw new HubError('NotFound', { reason: `There is no proposal ${id}` })
        throw new OperatorError(`proposal ${id} was decided already, or its time is over`)
      }
    },
    close: () => verification.close(),
  }
}
