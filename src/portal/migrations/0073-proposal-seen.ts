import type { Migration } from '../../db.ts'

/** What was there to see when an act was proposed, for whoever approves it; a release before this one leaves it out. */
export const proposalSeen: Migration = {
  name: '0073-proposal-seen',
  up: async (db) => {
    await db.raw('alter table portal_proposal add column seen text')
  },
}
