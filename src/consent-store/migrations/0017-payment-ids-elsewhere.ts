import type { Migration } from '../../db.ts'

/**
 * The ids of its payments were a list in the consent, rewritten whole with each of them and kept whole with each revision.
 * They are read from the payments now. The column stays for the release before this one, which writes and reads it until
 * it has gone; a revision no longer remembers it.
 */
export const paymentIdsElsewhere: Migration = {
  name: '0017-payment-ids-elsewhere',
  up: async (db) => {
    await db.raw(`
      create or replace function consent_state(of consent) returns jsonb language sql stable as $$
        select to_jsonb(of) - array['id', 'type', 'rar_type', 'client_id', 'organisation_id', 'base_consent_id',
          'request', 'request_headers', 'request_url', 'tpp', 'scope', 'created_at', 'expires_at', 'payment_ids',
          'par_id', 'completed_at', 'grant_id', 'revoked_tokens', 'connect_token', 'last_data_shared_at', 'psu_user_id', 'due_at']
      $$;
    `)
  },
}
