import type { Migration } from '../../db.ts'

/**
 * Addresses of the LFI that were set while hubs run: one row for each change, and the last of a name is in force.
 * `after` null: as the configuration has it. The database itself keeps the two people apart.
 */
export const lfiEndpoint: Migration = {
  name: '0065-lfi-endpoint',
  up: async (db) => {
    await db.raw(`
create table lfi_endpoint (
  name text not null check (name in ('ozone-connect', 'authorization', 'token')),
  version integer not null check (version > 0),
  before text not null,
  after text,
  set_at timestamptz not null,
  proposed_by text not null,
  approved_by text not null,
  primary key (name, version),
  constraint lfi_endpoint_four_eyes check (approved_by <> proposed_by)
);
`)
  },
}
