import type { Migration } from '../../db.ts'

/** What came out when somebody last asked whether the LFI is there, for every node to show. */
export const probeTable: Migration = {
  name: '0072-probe',
  up: async (db) => {
    await db.raw(`
create table portal_probe (
  path text primary key,
  probed_at timestamptz not null,
  ok boolean not null,
  ms double precision not null,
  detail text
);
`)
  },
}
