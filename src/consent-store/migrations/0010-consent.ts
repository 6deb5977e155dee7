import type { Migration } from '../../db.ts'

/**
 * The check constraints say again what the type of a consent says (consent.ts), status by status, and the trigger
 * keeps what never changes: what was asked for, by whom, and the end of a consent that has ended.
 */
export const consentTables: Migration = {
  name: '0010-consent',
  up: async (db) => {
    await db.raw(CONSENT)
    await db.raw(TRAIL)
    await db.raw(OUTBOX)
  },
}

const CONSENT = `
create table consent (
  id text primary key check (length(id) between 1 and 128),
  type text not null check (type in ('account-access', 'service-initiation', 'insurance')),
  rar_type text not null,
  client_id text not null,
  organisation_id text not null,
  base_consent_id text,
  request json not null,
  request_headers json not null,
  request_url text not null,
  tpp json not null,
  scope text not null,
  subscription jsonb,
  is_large_corporate boolean,
  supplementary_information jsonb,
  par_id text unique,
  interaction_id text unique,
  completed_at timestamptz,
  grant_id text unique,
  status text not null check (status in
    ('AwaitingAuthorization', 'Authorized', 'Rejected', 'Suspended', 'Revoked', 'Expired', 'Consumed')),
  psu jsonb check (psu is null or jsonb_typeof(psu -> 'userId') is not distinct from 'string'),
  psu_user_id text generated always as (psu ->> 'userId') stored,
  account_ids text[] not null default '{}',
  channel text check (channel in ('App', 'Web')),
  authorized_at timestamptz,
  rejected_for text check (rejected_for in ('refused', 'lapsed')),
  revoked_by text check (revoked_by in ('LFI', 'TPP', 'LFI.InitiatedByUser', 'TPP.InitiatedByUser')),
  created_at timestamptz not null,
  authorize_by timestamptz not null,
  expires_at timestamptz not null,
  status_changed_at timestamptz not null,
  updated_at timestamptz not null,
  last_data_shared_at timestamptz,
  last_service_initiation_at timestamptz,
  revision integer not null check (revision >= 1),
  due_at timestamptz generated always as (
    case when status = 'AwaitingAuthorization' then least(authorize_by, expires_at)
         when status in ('Authorized', 'Suspended') then expires_at end) stored,

  constraint consent_granted check (
    authorized_at is null
    or (psu is not null and cardinality(account_ids) >= 1 and channel is not null)),
  constraint consent_granted_status check (case
    when status in ('Authorized', 'Suspended', 'Consumed') then authorized_at is not null
    when status in ('AwaitingAuthorization', 'Rejected') then authorized_at is null
    else true end),
  constraint consent_rejected check ((status = 'Rejected') = (rejected_for is not null)),
  constraint consent_revoked check ((status = 'Revoked') = (revoked_by is not null)),
  constraint consent_consumed check (status <> 'Consumed' or type = 'service-initiation'),
  constraint consent_ended check (
    status in ('AwaitingAuthorization', 'Authorized', 'Suspended') or grant_id is null),
  constraint consent_completed check (completed_at is null or interaction_id is not null)
);
-- The same id in other letters would be another consent here and the same one to a reader that parses UUIDs.
create unique index consent_id_folded on consent (lower(id));
create index consent_client on consent (client_id);
create index consent_group on consent (base_consent_id);
create index consent_psu on consent (psu_user_id);
create index consent_account on consent using gin (account_ids);
create index consent_updated on consent (updated_at, id);
create index consent_due on consent (due_at) where due_at is not null;

create function consent_keep() returns trigger language plpgsql as $$
begin
  if (new.id, new.type, new.rar_type, new.client_id, new.organisation_id, new.base_consent_id, new.request::text,
      new.scope, new.created_at, new.authorize_by, new.expires_at)
     is distinct from
     (old.id, old.type, old.rar_type, old.client_id, old.organisation_id, old.base_consent_id, old.request::text,
      old.scope, old.created_at, old.authorize_by, old.expires_at) then
    raise exception 'consent %: what was asked for does not change', old.id;
  end if;
  if old.due_at is null and new.status <> old.status then
    raise exception 'consent %: % is terminal', old.id, old.status;
  end if;
  if new.status <> old.status and new.revision <> old.revision + 1 then
    raise exception 'consent %: a change of status counts one revision', old.id;
  end if;
  return new;
end $$;
create trigger consent_keep before update on consent for each row execute function consent_keep();
`

const TRAIL = `
create table consent_trail (
  id bigint generated always as identity primary key,
  consent_id text not null references consent (id),
  revision integer not null,
  at timestamptz not null,
  change text not null,
  status_from text,
  status_to text not null,
  patch json not null,
  caller_kind text not null check (caller_kind in ('tpp', 'lfi', 'hub', 'operator')),
  caller_organisation_id text,
  caller_client_id text,
  caller_software_statement_id text,
  interaction_id text,
  unique (consent_id, revision)
);
create function consent_trail_keep() returns trigger language plpgsql as $$
begin
  raise exception 'the trail of a consent is only ever added to';
end $$;
create trigger consent_trail_keep before update or delete on consent_trail
  for each row execute function consent_trail_keep();
`

const OUTBOX = `
create table outbox (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  kind text not null check (kind in ('lfi-event', 'tpp-webhook')),
  event text not null,
  consent_id text not null references consent (id),
  revision integer not null,
  url text,
  body json,
  interaction_id text,
  constraint outbox_webhook check ((kind = 'tpp-webhook') = (url is not null and body is not null)),
  unique (consent_id, revision, kind)
);
`
