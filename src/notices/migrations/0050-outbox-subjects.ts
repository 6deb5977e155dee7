import type { Migration } from '../../db.ts'

/**
 * Notices keep their order among those about the same thing, which is no longer always a consent. The release before
 * this one finds the open notices of a kind through the same index, by its first column.
 */
export const outboxSubjects: Migration = {
  name: '0050-outbox-subjects',
  up: async (db) => {
    await db.raw(`
drop index outbox_open;
create index outbox_open on outbox (kind, resource, coalesce(resource_id, consent_id), id)
  where state in ('waiting', 'sending');
`)
  },
}
