import type { Migration } from '../db.ts'

/**
 * What the trust framework last said of each participant, and what the operator decided. Three records per client
 * (TPP, software statement, client), each with its own status, as lfi-api 7.3 has it.
 */
export const migrations: readonly Migration[] = [
  {
    name: '0020-participants',
    up: async (db) => {
      await db.raw(`
        create table tpp (
          organisation_id text primary key,
          name text not null,
          status text not null check (status in ('inactive', 'active', 'blocked')),
          directory_status text not null,
          record jsonb not null,
          registered_at timestamptz not null,
          updated_at timestamptz not null
        );
        create table software_statement (
          software_statement_id text primary key,
          organisation_id text not null references tpp,
          status text not null check (status in ('inactive', 'active', 'blocked')),
          directory_status text not null,
          record jsonb not null,
          roles jsonb not null,
          certificates jsonb not null,
          jwks jsonb not null,
          fetched_at timestamptz not null,
          updated_at timestamptz not null
        );
        create table client (
          client_id text primary key,
          software_statement_id text not null unique references software_statement,
          status text not null check (status in ('inactive', 'active', 'blocked')),
          registered_at timestamptz not null,
          updated_at timestamptz not null
        );
      `)
    },
  },
  {
    // Access tokens of the client itself that it gave back before their end (revoked-tokens.ts).
    name: '0021-client-revoked-tokens',
    up: async (db) => {
      await db.raw('alter table client add column revoked_tokens jsonb')
    },
  },
  {
    // Which node asks the directory again in the background, and until when the others leave it to that one.
    name: '0022-directory-refresh',
    up: async (db) => {
      await db.raw('alter table software_statement add column refresh_claimed_until timestamptz')
    },
  },
]
