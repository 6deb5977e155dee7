import type { Migration } from '../../db.ts'

/**
 * Payments, and what is asked of the LFI outside of consents. The constraints say again what the types say: a payment
 * has what its state needs and nothing of another state. What was asked for never changes, an end is an end, and the
 * trail is only ever added to.
 */
export const resourceLog: Migration = {
  name: '0050-resource-log',
  up: async (db) => {
    await db.raw(PAYMENTS)
    await db.raw(REQUESTS)
    await db.raw(TRAIL)
  },
}

const PAYMENTS = `
create table payment_log (
  id bigint generated always as identity primary key,
  consent_id text not null references consent (id),
  client_id text not null,
  organisation_id text not null,
  payment_type text not null check (payment_type in ('cbuae-payment', 'cbuae-file-payment')),
  idempotency_key text not null check (idempotency_key ~ '^\\S{1,40}$'),
  account_id text not null,
  psu jsonb not null check (jsonb_typeof(psu -> 'userId') is not distinct from 'string'),
  tpp json not null,
  request_body json not null
    check (json_typeof(request_body -> 'Data' -> 'PersonalIdentifiableInformation') is null
           or json_typeof(request_body -> 'Data' -> 'PersonalIdentifiableInformation') = 'string'),
  signed_request_body text,
  request_headers json not null,
  access_token_hash text not null,
  interaction_id text not null,
  client_interaction_id text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  revision integer not null check (revision >= 1),
  state text not null check (state in ('open', 'refused', 'made')),
  attempt_until timestamptz,
  payment_id text unique check (length(payment_id) between 1 and 40),
  status text check (status in
    ('Pending', 'AcceptedSettlementCompleted', 'AcceptedWithoutPosting', 'AcceptedCreditSettlementCompleted', 'Rejected')),
  made_at timestamptz,
  status_changed_at timestamptz,
  payment_transaction_id text check (length(payment_transaction_id) between 1 and 40),
  billing jsonb,
  reject_reasons jsonb,
  answer_status integer,
  answer_body json,
  answer_signed text,

  constraint payment_open check ((state = 'open') = (attempt_until is not null)),
  constraint payment_answered check ((state = 'open') = (answer_status is null)),
  constraint payment_made check (case
    when state = 'made' then num_nulls(payment_id, status, made_at, status_changed_at) = 0
    else num_nonnulls(payment_id, status, made_at, status_changed_at,
                      payment_transaction_id, billing, reject_reasons) = 0 end)
);
create unique index payment_log_key on payment_log (client_id, payment_type, idempotency_key);
create index payment_log_consent on payment_log (consent_id, id);

create function payment_log_keep() returns trigger language plpgsql as $$
begin
  if (new.consent_id, new.client_id, new.payment_type, new.idempotency_key, new.account_id, new.psu,
      new.request_body::text, new.signed_request_body, new.created_at)
     is distinct from
     (old.consent_id, old.client_id, old.payment_type, old.idempotency_key, old.account_id, old.psu,
      old.request_body::text, old.signed_request_body, old.created_at) then
    raise exception 'payment %: what was asked for does not change', old.id;
  end if;
  if old.state <> 'open' and new.state <> old.state then
    raise exception 'payment %: % is an answer', old.id, old.state;
  end if;
  if old.status in ('Rejected', 'AcceptedCreditSettlementCompleted') and new.status <> old.status then
    raise exception 'payment %: % is terminal', old.id, old.status;
  end if;
  if old.payment_transaction_id is distinct from new.payment_transaction_id
     and old.payment_transaction_id is not null then
    raise exception 'payment %: the id of its transaction does not change', old.id;
  end if;
  return new;
end $$;
create trigger payment_log_keep before update on payment_log for each row execute function payment_log_keep();
`

const REQUESTS = `
create table service_request (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('account-opening', 'fx-quote', 'insurance-quote')),
  resource_id text not null check (length(resource_id) between 1 and 128),
  client_id text not null,
  organisation_id text not null,
  subscription jsonb,
  echoed jsonb not null,
  status text not null check (length(status) between 1 and 40),
  created_at timestamptz not null,
  status_changed_at timestamptz not null,
  updated_at timestamptz not null,
  revision integer not null check (revision >= 1),
  unique (kind, resource_id)
);
`

const TRAIL = `
create table resource_trail (
  id bigint generated always as identity primary key,
  resource text not null check (resource in ('payment', 'account-opening', 'fx-quote', 'insurance-quote')),
  log_id bigint not null,
  revision integer not null,
  at timestamptz not null,
  change text not null,
  status_from text,
  status_to text not null,
  changed text[] not null,
  caller_kind text not null check (caller_kind in ('tpp', 'lfi', 'hub', 'operator')),
  caller_organisation_id text,
  caller_client_id text,
  interaction_id text,
  unique (resource, log_id, revision)
);
create function resource_trail_keep() returns trigger language plpgsql as $$
begin
  raise exception 'the trail of a resource is only ever added to';
end $$;
create trigger resource_trail_keep before update or delete on resource_trail
  for each row execute function resource_trail_keep();
`
