import type { Migration } from '../db.ts'

/**
 * `oidc_model`: the engine's records, one row each. Tokens and codes are filed under a digest, so that a copy of the
 * table redeems nothing. `tenant_secret`: random values that must be the same on every node and survive key rotation.
 */
export const migrations: readonly Migration[] = [
  {
    name: '0030-oidc',
    up: async (db) => {
      await db.raw(`
        create table oidc_model (
          model text not null,
          id text not null,
          payload jsonb not null,
          grant_id text,
          consumed_at timestamptz,
          expires_at timestamptz not null,
          primary key (model, id)
        );
        create index oidc_model_grant on oidc_model (grant_id) where grant_id is not null;
        create index oidc_model_expiry on oidc_model (expires_at);
        create table tenant_secret (
          name text primary key,
          value bytea not null
        );
        insert into tenant_secret (name, value)
          values ('subject', uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
      `)
    },
  },
  {
    // `dpop_proof`: digests of proofs that were used at a resource, until they are too old to be used at all.
    name: '0035-dpop',
    up: async (db) => {
      await db.raw(`
        create table dpop_proof (
          id bytea primary key,
          expires_at timestamptz not null
        );
        create index dpop_proof_expiry on dpop_proof (expires_at);
        insert into tenant_secret (name, value)
          values ('dpop-nonce', uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
      `)
    },
  },
]
