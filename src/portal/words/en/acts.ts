/** What each act is called: on its button, in messages about it, and where acts are listed. */
import type { ActName } from '../../roles.ts'

export const acts: Readonly<Record<ActName, string>> = {
  'session.end-mine': 'Log out everywhere',
  'proposal.approve': 'Approve',
  'proposal.reject': 'Reject',
}
