import type { Migration } from '../../db.ts'

/**
 * `audit_entry` is what was accepted, `audit_pending` what still waits for its place, `audit_leaf` says which entry
 * has which place in the tree, `audit_tile` holds the complete tiles, `audit_head` the one size and right edge of now,
 * `audit_checkpoint` the signed roots, `audit_cosignature` what witnesses said to them, `audit_key` which key signs
 * from which place on, and `audit_opening` what opens the commitments in entries.
 *
 * Only the queue and the openings ever lose rows, and only the head changes. The others refuse every statement that is
 * not an insert or a select, whether it would hit a row or not. Leaves do not reference entries by a foreign key: the
 * check would cost more than the leaf, and the verifier finds what is missing.
 */
export const auditTables: Migration = {
  name: '0001-audit',
  up: async (db) => {
    await db.raw(`
      create sequence audit_entry_id;
      create table audit_entry (
        id bigint primary key default nextval('audit_entry_id'),
        accepted_at timestamptz not null default clock_timestamp(),
        bytes bytea not null check (octet_length(bytes) between 2 and 65535),
        interaction_id uuid
      );
      create index audit_entry_interaction on audit_entry (interaction_id) where interaction_id is not null;

      create table audit_pending (
        entry_id bigint primary key
      );

      create table audit_opening (
        entry_id bigint not null,
        field text not null,
        salt bytea not null check (octet_length(salt) = 16),
        value text not null,
        primary key (entry_id, field)
      );
      create index audit_opening_value on audit_opening (value, field);

      create table audit_leaf (
        index bigint primary key check (index >= 0),
        entry_id bigint not null unique
      );

      create table audit_tile (
        level smallint not null check (level between 0 and 63),
        n bigint not null check (n >= 0),
        hashes bytea not null check (octet_length(hashes) = 8192),
        primary key (level, n)
      );

      create table audit_head (
        is_head boolean primary key default true check (is_head),
        size bigint not null check (size >= 0),
        edge bytea[] not null
      );
      insert into audit_head (size, edge) values (0, '{}');

      create table audit_checkpoint (
        id bigint generated always as identity primary key,
        size bigint not null unique check (size > 0),
        signed_at timestamptz not null,
        hour timestamptz unique,
        note text not null
      );

      create table audit_cosignature (
        checkpoint_id bigint not null references audit_checkpoint,
        witness text not null,
        cosigned_at timestamptz not null,
        line text not null,
        primary key (checkpoint_id, witness)
      );

      create table audit_key (
        index bigint primary key check (index >= 0),
        public_key text not null unique
      );

      create function audit_is_append_only() returns trigger language plpgsql as $$
      begin
        raise exception '% on %: the audit log is append-only', tg_op, tg_table_name
          using errcode = 'insufficient_privilege';
      end
      $$;
      create trigger append_only before update or delete or truncate on audit_entry
        for each statement execute function audit_is_append_only();
      create trigger append_only before update or delete or truncate on audit_leaf
        for each statement execute function audit_is_append_only();
      create trigger append_only before update or delete or truncate on audit_tile
        for each statement execute function audit_is_append_only();
      create trigger append_only before update or delete or truncate on audit_checkpoint
        for each statement execute function audit_is_append_only();
      create trigger append_only before update or delete or truncate on audit_cosignature
        for each statement execute function audit_is_append_only();
      create trigger append_only before update or delete or truncate on audit_key
        for each statement execute function audit_is_append_only();
      create trigger append_only before update or truncate on audit_pending
        for each statement execute function audit_is_append_only();
      create trigger append_only before update or truncate on audit_opening
        for each statement execute function audit_is_append_only();
      create trigger append_only before insert or delete or truncate on audit_head
        for each statement execute function audit_is_append_only();
    `)
  },
}
