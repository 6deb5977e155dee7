import type { Migration } from '../../db.ts'

/**
 * Notices about other things than consents: payments under a consent, and quotes and account openings, which belong
 * to none (lfi-api 2.8, 2.9). The release before this one writes notices of consents alone, which the defaults and
 * the constraints describe as they are.
 */
export const outboxResources: Migration = {
  name: '0014-outbox-resources',
  up: async (db) => {
    await db.raw(`
      alter table outbox
        add column resource text not null default 'consent'
          check (resource in ('consent', 'payment', 'account-opening', 'fx-quote', 'insurance-quote')),
        add column resource_id text,
        add column client_id text,
        alter column consent_id drop not null,
        drop constraint outbox_consent_id_revision_kind_key,
        add constraint outbox_about check (
          (resource in ('consent', 'payment')) = (consent_id is not null)
          and (resource = 'consent') = (resource_id is null)
          and (resource = 'consent' or client_id is not null));
      create unique index outbox_once on outbox (resource, coalesce(resource_id, consent_id), revision, kind);
    `)
  },
}
