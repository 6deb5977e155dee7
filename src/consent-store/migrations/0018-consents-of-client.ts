import type { Migration } from '../../db.ts'

/** The newest consents of one client, without putting all of them in order first. */
export const consentsOfClient: Migration = {
  name: '0018-consents-of-client',
  up: async (db) => {
    await db.raw(`
create index consent_client_created on consent (client_id, created_at desc, id);
drop index consent_client;
`)
  },
}
