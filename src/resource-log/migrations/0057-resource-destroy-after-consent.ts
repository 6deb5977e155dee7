import type { Migration } from '../../db.ts'

/**
 * A payment is as old as its last change or that of its consent, whichever came later: a consent goes into the archive
 * years after it ended, and its payments with it (src/archive), which must not have been destroyed before.
 */
export const resourceDestroyAfterConsent: Migration = {
  name: '0057-resource-destroy-after-consent',
  up: async (db) => {
    await db.raw(`
      create or replace function resource_destroy(
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
              and p.state <> 'open' and p.status is distinct from 'Pending'
              and consent.due_at is null and consent.updated_at < before
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
    `)
  },
}
