import type { Migration } from '../../db.ts'

/**
 * Lists that cost the same however many consents there are: an index in the order in which they are shown, also for
 * each status, and how many there are of each type and status without counting them. A count is the sum of what every
 * statement added; the sweeper folds the lines together (tally.ts). No line is ever updated, so that no two changes of
 * consents wait for each other here.
 */
export const consentLists: Migration = {
  name: '0016-consent-lists',
  up: async (db) => {
    await db.raw(`
      create index consent_created on consent (created_at desc, id);
      create index consent_status on consent (status, created_at desc, id);
      create table consent_tally (
        type text not null,
        status text not null,
        delta bigint not null
      );
      create function consent_tally_new() returns trigger language plpgsql as $$
      begin
        insert into consent_tally select type, status, count(*) from added group by type, status;
        return null;
      end $$;
      create function consent_tally_changed() returns trigger language plpgsql as $$
      begin
        insert into consent_tally
          select type, status, sum(delta) from (
            select type, status, 1 as delta from after_it union all select type, status, -1 from before_it) as moves
          group by type, status having sum(delta) <> 0;
        return null;
      end $$;
      create function consent_tally_gone() returns trigger language plpgsql as $$
      begin
        insert into consent_tally select type, status, -count(*) from gone group by type, status;
        return null;
      end $$;
      create function consent_tally_emptied() returns trigger language plpgsql as $$
      begin
        delete from consent_tally;
        return null;
      end $$;
      lock table consent in share row exclusive mode;
      create trigger consent_tally_emptied after truncate on consent
        for each statement execute function consent_tally_emptied();
      create trigger consent_tally_new after insert on consent
        referencing new table as added for each statement execute function consent_tally_new();
      create trigger consent_tally_changed after update on consent
        referencing old table as before_it new table as after_it
        for each statement execute function consent_tally_changed();
      create trigger consent_tally_gone after delete on consent
        referencing old table as gone for each statement execute function consent_tally_gone();
      insert into consent_tally select type, status, count(*) from consent group by type, status;
    `)
  },
}
