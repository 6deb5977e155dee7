import type { Migration } from '../../db.ts'

/**
 * Consents that ended long ago, and quotes and openings, go into files and then from here. What may go, and that nothing
 * goes which is not in the files, the database itself sees to: `archive_take` is told how many lines of which table were
 * written, holds each row against the rules once more, and undoes everything if it would delete other rows than those. The
 * trails let go of a line only while its consent stands in `archive_going`, which is empty but within that function. Only
 * the owner may call it; the account of a running hub reads which batches there were.
 */
export const archive: Migration = {
  name: '0080-archive',
  up: async (db) => {
    await db.raw(TABLES)
    await db.raw(MAY_GO)
    await db.raw(TAKE)
  },
}

const TABLES = `
create table archive_batch (
  number bigint primary key check (number >= 1),
  file text not null,
  manifest_sha256 text not null check (manifest_sha256 ~ '^[0-9a-f]{64}$'),
  older_than timestamptz not null,
  lines jsonb not null,
  archived_at timestamptz not null
);
create table archive_going (consent_id text primary key);
create or replace function consent_trail_keep() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    if exists (select from archive_going where consent_id = old.consent_id) then
      return old;
    end if;
  end if;
  raise exception 'the trail of a consent is only ever added to';
end $$;
-- The database asks for every consent that is deleted whether a notice still names it.
create index outbox_consent on outbox (consent_id) where consent_id is not null;
`

/**
 * A consent: ended and unchanged since, no payment that is unsettled or younger, no notice on its way, and none of its group
 * in force, whose renewal has to find the one that it renews. A request: come to its end, and likewise.
 */
const MAY_GO = `
create function archive_may_go(c consent, before timestamptz) returns boolean language sql stable as $$
  select c.due_at is null and c.status_changed_at < before and c.updated_at < before
    and not exists (select from payment_log p where p.consent_id = c.id
      and (p.state = 'open' or p.status = 'Pending' or p.updated_at >= before))
    and not exists (select from outbox o where o.consent_id = c.id and o.state in ('waiting', 'sending'))
    and not exists (select from consent k where k.base_consent_id = coalesce(c.base_consent_id, c.id)
      and k.due_at is not null)
    and not exists (select from consent k where k.id = c.base_consent_id and k.due_at is not null)
$$;
create function archive_may_go(r service_request, before timestamptz, ended text[]) returns boolean
language sql stable as $$
  select r.created_at < before and r.updated_at < before and r.kind || ' ' || r.status = any(ended)
    and not exists (select from outbox o where o.resource = r.kind and coalesce(o.resource_id, o.consent_id) = r.resource_id
      and o.state in ('waiting', 'sending'))
$$;
`

const TAKE = `
create function archive_take(
  place bigint, file_name text, manifest text, before timestamptz, ids text[], request_ids bigint[], ended text[],
  written jsonb, at timestamptz
) returns void language plpgsql as $$
declare
  payments bigint[];
  gone jsonb;
  outbox_gone integer;
  outbox_of_requests integer;
  tally_gone integer;
  trail_gone integer;
  trail_of_requests integer;
  versions_gone integer;
  changes_gone integer;
  consents_gone integer;
  requests_gone integer;
begin
  if before > now() - interval '365 days' then
    raise exception 'what is younger than a year is kept';
  end if;
  if place <> (select coalesce(max(number), 0) + 1 from archive_batch) then
    raise exception 'batch % is not the next one', place;
  end if;
  if (select count(*) from consent c where c.id = any(ids) and archive_may_go(c, before)) <> cardinality(ids)
     or (select count(*) from service_request r where r.id = any(request_ids) and archive_may_go(r, before, ended))
        <> cardinality(request_ids) then
    raise exception 'not all of this may go';
  end if;
  insert into archive_going select unnest(ids);
  delete from outbox where consent_id = any(ids);
  get diagnostics outbox_gone = row_count;
  delete from payment_tally where consent_id = any(ids);
  get diagnostics tally_gone = row_count;
  with deleted as (delete from payment_log where consent_id = any(ids) returning id)
  select coalesce(array_agg(id), '{}') into payments from deleted;
  delete from resource_trail where resource = 'payment' and log_id = any(payments);
  get diagnostics trail_gone = row_count;
  delete from consent_trail where consent_id = any(ids);
  get diagnostics changes_gone = row_count;
  delete from consent_version where consent_id = any(ids);
  get diagnostics versions_gone = row_count;
  delete from consent where id = any(ids);
  get diagnostics consents_gone = row_count;
  delete from archive_going;
  delete from outbox o using service_request r
    where r.id = any(request_ids) and o.resource = r.kind and coalesce(o.resource_id, o.consent_id) = r.resource_id;
  get diagnostics outbox_of_requests = row_count;
  delete from service_request where id = any(request_ids);
  get diagnostics requests_gone = row_count;
  delete from resource_trail where resource <> 'payment' and log_id = any(request_ids);
  get diagnostics trail_of_requests = row_count;
  gone := jsonb_build_object(
    'consent', consents_gone, 'consent_version', versions_gone, 'consent_trail', changes_gone,
    'payment_log', cardinality(payments), 'payment_tally', tally_gone, 'service_request', requests_gone,
    'resource_trail', trail_gone + trail_of_requests, 'outbox', outbox_gone + outbox_of_requests);
  if gone <> written then
    raise exception 'written is %, and % would go', written, gone;
  end if;
  insert into archive_batch (number, file, manifest_sha256, older_than, lines, archived_at)
    values (place, file_name, manifest, before, written, at);
end $$;
revoke all on function archive_take from public;
`
