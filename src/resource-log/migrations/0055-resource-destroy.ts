import type { Migration } from '../../db.ts'

/**
 * The account of a running hub may delete no payment and no line of a history (src/database-rights.ts). What the policy no
 * longer keeps it has destroyed by a function of the owner, which holds to the rules whoever calls it: nothing younger
 * than a year, nothing that somebody may still have to settle, no payment of a consent that is in force. Of rows that
 * somebody else holds at the moment it takes none. `ended` are kinds and statuses of requests that have come to their
 * end; `most` is for payments and requests each. The tally of a consent goes with its last payment.
 */
export const resourceDestroy: Migration = {
  name: '0055-resource-destroy',
  up: async (db) => {
    await db.raw(`
      create function resource_destroy(
        before timestamptz, ended text[], most integer, out payments integer, out requests integer
      ) language plpgsql security definer set search_path = public, pg_temp as $$
      declare
        gone bigint[];
        consents text[];
      begin
        if before > now() - interval '365 days' then
          raise exception 'what is younger than a year is kept';
        end if;
        with destroyed as (
          delete from payment_log where id in (
            select p.id from payment_log as p join consent on consent.id = p.consent_id
            where p.created_at < before and p.updated_at < before
              and p.state <> 'open' and p.status is distinct from 'Pending' and consent.due_at is null
            limit most for update of p skip locked)
          returning id, consent_id)
        select coalesce(array_agg(id), '{}'), array_agg(distinct consent_id) into gone, consents from destroyed;
        payments := cardinality(gone);
        delete from resource_trail where resource = 'payment' and log_id = any(gone);
        delete from payment_tally where consent_id = any(consents)
          and not exists (select from payment_log where consent_id = payment_tally.consent_id);
        with destroyed as (
          delete from service_request where id in (
            select id from service_request
            where created_at < before and updated_at < before and kind || ' ' || status = any(ended)
            limit most for update skip locked)
          returning id)
        select coalesce(array_agg(id), '{}') into gone from destroyed;
        requests := cardinality(gone);
        delete from resource_trail where resource <> 'payment' and log_id = any(gone);
      end $$;
      revoke all on function resource_destroy from public;
    `)
  },
}
