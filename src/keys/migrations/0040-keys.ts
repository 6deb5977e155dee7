import type { Migration } from '../../db.ts'

/**
 * The keys of the tenant. `wrapped` is the private half, encrypted, of a key that is kept here; the private half of a
 * key of source `file` is where the configuration says. `public_jwk` outlives both: a signature may be asked about
 * years later.
 */
export const keys: Migration = {
  name: '0040-keys',
  up: async (db) => {
    await db.raw(`
      create table tenant_key (
        kid text primary key check (length(kid) between 1 and 128),
        use text not null check (use in ('sig', 'enc')),
        source text not null check (source in ('stored', 'file')),
        wrapped bytea,
        wrapped_with text,
        public_jwk jsonb not null check (public_jwk -> 'n' is not null and public_jwk -> 'd' is null),
        created_at timestamptz not null,
        activates_at timestamptz not null check (activates_at >= created_at),
        retired_at timestamptz check (retired_at >= activates_at),
        verify_until timestamptz check (verify_until >= retired_at),
        destroyed_at timestamptz check (destroyed_at >= verify_until),
        constraint tenant_key_end_is_whole check ((retired_at is null) = (verify_until is null)),
        constraint tenant_key_private_half check ((wrapped is not null) = (source = 'stored' and destroyed_at is null)),
        constraint tenant_key_wrapped_with check ((wrapped is null) = (wrapped_with is null))
      );
      create unique index tenant_key_last on tenant_key (use) where retired_at is null;
    `)
  },
}
