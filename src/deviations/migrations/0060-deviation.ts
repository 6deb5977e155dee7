import type { Migration } from '../../db.ts'

/** Where answers of the LFI break the contract. Small on purpose: a line per place, however often it happens. */
export const deviation: Migration = {
  name: '0060-deviation',
  up: async (db) => {
    await db.raw(`
      create table deviation (
        operation_id text not null check (length(operation_id) between 1 and 128),
        path text not null check (length(path) <= 300),
        rule text not null check (length(rule) between 1 and 40),
        count bigint not null check (count > 0),
        first_at timestamptz not null,
        last_at timestamptz not null,
        primary key (operation_id, path, rule)
      );
    `)
  },
}
