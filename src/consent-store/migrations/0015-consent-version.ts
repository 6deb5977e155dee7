import type { Migration } from '../../db.ts'

/**
 * What a consent was after each of its changes. Written by the database itself, with the change: no release and no
 * path of the code can leave it out, the release before this one included. Held are the columns that can differ from
 * one revision to the next; what never changes stays in the consent, and so do the columns of the authorization server
 * (grant, tokens, completion, pushed request), the credential of a payment consent, and the approximate time of the last
 * use, which are no part of the agreement.
 * A column that a later release adds is held as well.
 *
 * Consents from before begin with what they are now.
 */
export const consentVersions: Migration = {
  name: '0015-consent-version',
  up: async (db) => {
    await db.raw(`
      create table consent_version (
        consent_id text not null references consent (id),
        revision integer not null,
        at timestamptz not null,
        state jsonb not null,
        primary key (consent_id, revision)
      );
      create function consent_state(of consent) returns jsonb language sql stable as $$
        select to_jsonb(of) - array['id', 'type', 'rar_type', 'client_id', 'organisation_id', 'base_consent_id',
          'request', 'request_headers', 'request_url', 'tpp', 'scope', 'created_at', 'expires_at',
          'par_id', 'completed_at', 'grant_id', 'revoked_tokens', 'connect_token', 'last_data_shared_at', 'psu_user_id', 'due_at']
      $$;
      create function consent_remember() returns trigger language plpgsql as $$
      begin
        insert into consent_version (consent_id, revision, at, state)
        values (new.id, new.revision, new.updated_at, consent_state(new));
        return null;
      end $$;
      create trigger consent_remember_new after insert on consent
        for each row execute function consent_remember();
      create trigger consent_remember_change after update on consent
        for each row when (new.revision is distinct from old.revision) execute function consent_remember();
      insert into consent_version (consent_id, revision, at, state)
        select id, revision, updated_at, consent_state(consent) from consent;
      create function consent_version_keep() returns trigger language plpgsql as $$
      begin
        raise exception 'what a consent was does not change';
      end $$;
      create trigger consent_version_keep before update on consent_version
        for each row execute function consent_version_keep();
    `)
  },
}
