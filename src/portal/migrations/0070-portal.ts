import type { Migration } from '../../db.ts'

/**
 * Sessions are known by the digest of their id, so that nobody who reads the database can use one. A login that has
 * begun belongs to one browser and is used up by its return. A proposal is a dangerous act that waits for a second
 * person; the database itself keeps the two people apart.
 */
export const portalTables: Migration = {
  name: '0070-portal',
  up: async (db) => {
    await db.raw(`
create table portal_login (
  state_digest bytea primary key,
  browser_digest bytea not null,
  nonce text not null,
  verifier text not null,
  back text not null,
  expires_at timestamptz not null
);
create table portal_session (
  id_digest bytea primary key,
  subject text not null,
  name text not null,
  roles text[] not null check (cardinality(roles) > 0),
  began_at timestamptz not null,
  seen_at timestamptz not null,
  expires_at timestamptz not null
);
create index portal_session_subject on portal_session (subject);
create table portal_proposal (
  id bigint generated always as identity primary key,
  verb text not null,
  input jsonb not null,
  target text,
  proposed_by text not null,
  proposed_name text not null,
  proposed_at timestamptz not null,
  expires_at timestamptz not null,
  state text not null default 'waiting'
    check (state in ('waiting', 'running', 'done', 'failed', 'rejected')),
  decided_by text,
  decided_name text,
  decided_at timestamptz,
  outcome text,
  constraint portal_proposal_decided check ((state = 'waiting') = (decided_by is null)),
  constraint portal_proposal_four_eyes check (state = 'rejected' or decided_by is distinct from proposed_by)
);
create index portal_proposal_waiting on portal_proposal (expires_at) where state = 'waiting';
`)
  },
}
