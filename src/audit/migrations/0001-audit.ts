import type { Migration } from '../../db.ts'

/**
 * `audit_entry` is what was accepted, `audit_pending` what still waits for its place in the chain, `audit_link` the
 * chain, `audit_checkpoint` the signed heads. Only the queue ever loses rows; the other three refuse every statement
 * that is not an insert or a select, whether it would hit a row or not.
 */
export const auditTables: Migration = {
  name: '0001-audit',
  up: async (db) => {
    await db.raw(`
      create table audit_entry (
        id bigint generated always as identity primary key,
        accepted_at timestamptz not null default clock_timestamp(),
        bytes bytea not null check (octet_length(bytes) between 2 and 65536),
        interaction_id uuid,
        consent_id uuid
      );
      create index audit_entry_interaction on audit_entry (interaction_id) where interaction_id is not null;
      create index audit_entry_consent on audit_entry (consent_id) where consent_id is not null;

      create table audit_pending (
        entry_id bigint primary key
      );

      create table audit_link (
        seq bigint primary key check (seq > 0),
        entry_id bigint not null unique references audit_entry,
        hash bytea not null check (octet_length(hash) = 32)
      );

      create table audit_checkpoint (
        id bigint generated always as identity primary key,
        size bigint not null check (size >= 0),
        signed_at timestamptz not null,
        note text not null
      );
      create index audit_checkpoint_size on audit_checkpoint (size, id);

      create function audit_is_append_only() returns trigger language plpgsql as $$
      begin
        raise exception '% on %: the audit log is append-only', tg_op, tg_table_name
          using errcode = 'insufficient_privilege';
      end
      $$;
      create trigger append_only before update or delete or truncate on audit_entry
        for each statement execute function audit_is_append_only();
      create trigger append_only before update or delete or truncate on audit_link
        for each statement execute function audit_is_append_only();
      create trigger append_only before update or delete or truncate on audit_checkpoint
        for each statement execute function audit_is_append_only();
      create trigger append_only before update or truncate on audit_pending
        for each statement execute function audit_is_append_only();
    `)
  },
}
