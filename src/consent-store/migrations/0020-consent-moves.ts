import type { Migration } from '../../db.ts'

/**
 * The moves of the state machine again (consent.ts, MOVES): a consent passes from one status to another on these ways and
 * on no others, and has been authorized once. Every release so far keeps to both.
 */
export const consentMoves: Migration = {
  name: '0020-consent-moves',
  up: async (db) => {
    await db.raw(KEEP)
  },
}

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
  if old.authorized_at is not null and new.authorized_at is distinct from old.authorized_at then
    raise exception 'consent %: it was authorized, and stays so', old.id;
  end if;
  if new.status <> old.status then
    if old.due_at is null then
      raise exception 'consent %: % is terminal', old.id, old.status;
    end if;
    if (old.status, new.status) not in (
      ('AwaitingAuthorization', 'Authorized'), ('AwaitingAuthorization', 'Rejected'),
      ('AwaitingAuthorization', 'Revoked'), ('AwaitingAuthorization', 'Expired'),
      ('Authorized', 'Suspended'), ('Authorized', 'Revoked'), ('Authorized', 'Expired'), ('Authorized', 'Consumed'),
      ('Suspended', 'Authorized'), ('Suspended', 'Revoked'), ('Suspended', 'Expired')) then
      raise exception 'consent %: no way leads from % to %', old.id, old.status, new.status;
    end if;
    if new.revision <> old.revision + 1 then
      raise exception 'consent %: a change of status counts one revision', old.id;
    end if;
  end if;
  return new;
end $$;
`
