import type { Migration } from '../../db.ts'

/**
 * Where very many consents end at one moment, the counts of the lists are moved before the rows are (counted-ahead.ts): a
 * line says by how many a count will differ once everything that is due at `until` has been written down. While there is
 * such a moment, each statement that changes a consent which is due by then takes its part of the lines back, in the same
 * transaction; while there is none, which is nearly always, it only sees that.
 *
 * The tables are new ones, so that the release before this one, which knows nothing of them, counts as it did.
 */
export const consentsAhead: Migration = {
  name: '0020-consents-ahead',
  up: async (db) => {
    await db.raw(`
      create table consent_ahead (
        id bigint generated always as identity primary key,
        until timestamptz not null,
        counted boolean not null default false
      );
      create unique index consent_ahead_open on consent_ahead (counted) where not counted;
      create table consent_ahead_line (
        ahead bigint not null,
        list text not null check (list in ('created', 'updated')),
        span smallint not null check (span in (12, 17, 22)),
        slot integer not null,
        type text not null,
        status text not null,
        delta bigint not null,
        folded boolean not null default false
      );
      create index consent_ahead_line_place on consent_ahead_line (ahead, list, span, slot);
      create function consent_ahead_new() returns trigger language plpgsql as $$
      begin
        if exists (select 1 from consent_ahead) then ${lines('select 1 as way, * from added')} end if;
        return null;
      end $$;
      create function consent_ahead_changed() returns trigger language plpgsql as $$
      begin
        if exists (select 1 from consent_ahead) then
          ${lines('select 1 as way, * from after_it union all select -1 as way, * from before_it')}
        end if;
        return null;
      end $$;
      create function consent_ahead_gone() returns trigger language plpgsql as $$
      begin
        if exists (select 1 from consent_ahead) then ${lines('select -1 as way, * from gone')} end if;
        return null;
      end $$;
      create function consent_ahead_emptied() returns trigger language plpgsql as $$
      begin
        delete from consent_ahead;
        delete from consent_ahead_line;
        return null;
      end $$;
      create trigger consent_ahead_new after insert on consent
        referencing new table as added for each statement execute function consent_ahead_new();
      create trigger consent_ahead_changed after update on consent
        referencing old table as before_it new table as after_it
        for each statement execute function consent_ahead_changed();
      create trigger consent_ahead_gone after delete on consent
        referencing old table as gone for each statement execute function consent_ahead_gone();
      create trigger consent_ahead_emptied after truncate on consent
        for each statement execute function consent_ahead_emptied();
    `)
  },
}

/** By the stretches of consent_slot, so that both are summed up in the same way. */
const lines = (moves: string): string => {
  const named = moves.replaceAll('*', 'type, status, created_at, updated_at, authorize_by, expires_at, due_at')
  return `
    insert into consent_ahead_line (ahead, list, span, slot, type, status, delta)
      select ahead.id, places.list, places.span, places.slot, moves.type, ends.status, sum(moves.way * ends.delta)
      from (${named}) as moves
      join consent_ahead as ahead on moves.due_at <= ahead.until
      cross join lateral (values (moves.status, -1), (case
        when moves.status = 'AwaitingAuthorization' and moves.authorize_by < moves.expires_at then 'Rejected'
        else 'Expired' end, 1)) as ends (status, delta)
      cross join lateral consent_slots_of(moves.created_at, moves.updated_at) as places
      group by 1, 2, 3, 4, 5, 6 having sum(moves.way * ends.delta) <> 0;`
}
