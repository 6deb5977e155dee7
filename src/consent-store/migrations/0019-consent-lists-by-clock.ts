import type { Migration } from '../../db.ts'

/**
 * Until the sweeper has written down what the clock has ended, lists by status look at each of these consents. A hundred
 * thousand may end in the same second; whatever the lists look at is in the indexes now, so that they read those and
 * none of the rows. And the number of a stretch of time is worked out in place: as immutable functions, which what they
 * are made of is not, these were called for each row.
 */
export const consentListsByClock: Migration = {
  name: '0019-consent-lists-by-clock',
  up: async (db) => {
    await db.raw(`
      create index consent_due_seen on consent (due_at)
        include (id, type, status, created_at, updated_at, authorize_by, expires_at) where due_at is not null;
      drop index consent_due;
      alter index consent_due_seen rename to consent_due;
      create index consent_kind_created_seen on consent (type, status, created_at desc, id) include (due_at);
      drop index consent_kind_created;
      alter index consent_kind_created_seen rename to consent_kind_created;
      create index consent_kind_updated_seen on consent (type, status, updated_at, id) include (due_at);
      drop index consent_kind_updated;
      alter index consent_kind_updated_seen rename to consent_kind_updated;
      create or replace function consent_slot_at(at timestamptz, span integer) returns integer
        language sql stable parallel safe as $$
          select (floor(extract(epoch from at))::bigint >> span)::integer
        $$;
      create or replace function consent_slots_of(created_at timestamptz, updated_at timestamptz)
        returns table (list text, span smallint, slot integer) language sql stable parallel safe as $$
          select lists.list, spans.span, consent_slot_at(lists.at, spans.span)
          from (values ('created', created_at), ('updated', updated_at)) as lists (list, at),
               (values (12::smallint), (17::smallint), (22::smallint)) as spans (span)
        $$;
    `)
  },
}
