import type { Migration } from '../../db.ts'

/**
 * Where the n-th consent of a list is, without walking there: how many of each type and status were made, and last
 * changed, in which stretch of time. A stretch is 2^span seconds, of three lengths: about 68 minutes, 36 hours, 49 days; its
 * number is what is left of the time when the lower bits are gone. As with the tally of 0016, lines are only ever added, so
 * that no two changes wait for each other, and the sweeper folds them together (slots.ts).
 *
 * The two indexes by type and status hold every filter of the lists in the order of its list; the one they replace knew
 * no type.
 */
export const consentSlots: Migration = {
  name: '0017-consent-slots',
  up: async (db) => {
    await db.raw(`
      create index consent_kind_created on consent (type, status, created_at desc, id);
      create index consent_kind_updated on consent (type, status, updated_at, id);
      drop index consent_status;
      create table consent_slot (
        list text not null check (list in ('created', 'updated')),
        span smallint not null check (span in (12, 17, 22)),
        slot integer not null,
        type text not null,
        status text not null,
        delta bigint not null,
        folded boolean not null default false
      );
      create index consent_slot_place on consent_slot (list, span, slot);
      create index consent_slot_fresh on consent_slot (slot) where not folded;
      create function consent_slot_at(at timestamptz, span integer) returns integer
        language sql immutable strict parallel safe as $$
          select (floor(extract(epoch from at))::bigint >> span)::integer
        $$;
      create function consent_slots_of(created_at timestamptz, updated_at timestamptz)
        returns table (list text, span smallint, slot integer) language sql immutable parallel safe as $$
          select lists.list, spans.span, consent_slot_at(lists.at, spans.span)
          from (values ('created', created_at), ('updated', updated_at)) as lists (list, at),
               (values (12::smallint), (17::smallint), (22::smallint)) as spans (span)
        $$;
      create or replace function consent_tally_new() returns trigger language plpgsql as $$
      begin
        insert into consent_tally select type, status, count(*) from added group by type, status;
        insert into consent_slot (list, span, slot, type, status, delta)
          select list, span, slot, type, status, count(*)
          from added, consent_slots_of(created_at, updated_at) group by 1, 2, 3, 4, 5;
        return null;
      end $$;
      create or replace function consent_tally_changed() returns trigger language plpgsql as $$
      begin
        insert into consent_tally
          select type, status, sum(delta) from (
            select type, status, 1 as delta from after_it union all select type, status, -1 from before_it) as moves
          group by type, status having sum(delta) <> 0;
        insert into consent_slot (list, span, slot, type, status, delta)
          select list, span, slot, type, status, sum(delta) from (
            select type, status, created_at, updated_at, 1 as delta from after_it
            union all select type, status, created_at, updated_at, -1 from before_it) as moves,
            consent_slots_of(created_at, updated_at)
          group by 1, 2, 3, 4, 5 having sum(delta) <> 0;
        return null;
      end $$;
      create or replace function consent_tally_gone() returns trigger language plpgsql as $$
      begin
        insert into consent_tally select type, status, -count(*) from gone group by type, status;
        insert into consent_slot (list, span, slot, type, status, delta)
          select list, span, slot, type, status, -count(*)
          from gone, consent_slots_of(created_at, updated_at) group by 1, 2, 3, 4, 5;
        return null;
      end $$;
      create or replace function consent_tally_emptied() returns trigger language plpgsql as $$
      begin
        delete from consent_tally;
        delete from consent_slot;
        return null;
      end $$;
      lock table consent in share row exclusive mode;
      insert into consent_slot (list, span, slot, type, status, delta, folded)
        select list, span, slot, type, status, count(*), true
        from consent, consent_slots_of(created_at, updated_at) group by 1, 2, 3, 4, 5;
    `)
  },
}
