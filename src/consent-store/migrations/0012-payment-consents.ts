import type { Migration } from '../../db.ts'

/**
 * What payment consents hold beyond others (payment.ts), and the rules of the types again (consent.ts): one account is
 * debited, several authorizers only where they were asked for, and nothing is authorized before they all agree. The end
 * of the authorization window moves once, when the first of several has authorized. Rows of the previous release, all
 * of account access, keep to every one of these.
 */
export const paymentConsents: Migration = {
  name: '0012-payment-consents',
  up: async (db) => {
    await db.raw(COLUMNS)
    await db.raw(KEEP)
  },
}

const COLUMNS = `
alter table consent
  add column authorizers jsonb,
  add column charges jsonb,
  add column exchange_rate jsonb,
  add column consumption jsonb,
  add column connect_token text,
  add column payment_ids text[] not null default '{}',
  add constraint consent_rar_type check (rar_type like 'urn:openfinanceuae:' || type || '-consent:v%'),
  add constraint consent_payment check (type = 'service-initiation' or
    
    num_nonnulls(authorizers, charges, exchange_rate, consumption, connect_token) + cardinality(payment_ids) = 0),
  add constraint consent_debtor check (type <> 'service-initiation' or cardinality(account_ids) <= 1),
  add constraint consent_several check (authorizers is null or
    (request #>> '{consent,IsSingleAuthorization}') is not distinct from 'false'),
  add constraint consent_agreed check (authorizers is null or authorized_at is null or (
    not jsonb_path_exists(authorizers, '$.Authorizations[*] \\? (@.AuthorizationStatus == "Rejected")')
    and jsonb_array_length(
      jsonb_path_query_array(authorizers, '$.Authorizations[*] \\? (@.AuthorizationStatus == "Approved")'))
      >= greatest(1, coalesce((authorizers ->> 'TotalRequired')::numeric,
                              jsonb_array_length(authorizers -> 'Authorizations')))));
`

const KEEP = `
create or replace function consent_keep() returns trigger language plpgsql as $$
begin
  if (new.id, new.type, new.rar_type, new.client_id, new.organisation_id, new.base_consent_id, new.request::text,
      new.scope, new.created_at, new.expires_at)
     is distinct from
     (old.id, old.type, old.rar_type, old.client_id, old.organisation_id, old.base_consent_id, old.request::text,
      old.scope, old.created_at, old.expires_at) then
    raise exception 'consent %: what was asked for does not change', old.id;
  end if;
  if new.authorize_by <> old.authorize_by and (old.authorizers is not null or new.authorizers is null) then
    raise exception 'consent %: the authorization window moves with the first authorizer only', old.id;
  end if;
  if old.due_at is null and new.status <> old.status then
    raise exception 'consent %: % is terminal', old.id, old.status;
  end if;
  if new.status <> old.status and new.revision <> old.revision + 1 then
    raise exception 'consent %: a change of status counts one revision', old.id;
  end if;
  return new;
end $$;
`
