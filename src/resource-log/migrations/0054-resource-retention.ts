import type { Migration } from '../../db.ts'

/**
 * Payments and requests are destroyed when the policy of the LFI no longer keeps them (retention.ts). Their history goes
 * after them and never before: the database lets go of a line only once what it tells of is gone. Old rows are found by
 * the blocks that they lie in, which costs a new one nothing.
 */
export const resourceRetention: Migration = {
  name: '0054-resource-retention',
  up: async (db) => {
    await db.raw(`
      create index payment_log_created on payment_log using brin (created_at) with (autosummarize = on);
      create index service_request_created on service_request using brin (created_at) with (autosummarize = on);
      create or replace function resource_trail_keep() returns trigger language plpgsql as $$
      begin
        if tg_op = 'DELETE'
           and not (old.resource = 'payment' and exists (select from payment_log where id = old.log_id))
           and not (old.resource <> 'payment' and exists (select from service_request where id = old.log_id)) then
          return old;
        end if;
        raise exception 'the trail of a resource is only ever added to';
      end $$;
    `)
  },
}
