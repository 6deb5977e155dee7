import type { Migration } from '../../db.ts'

/** What came out when somebody had the log verified, for every node to show. `ok` is null while it runs. */
export const verificationTable: Migration = {
  name: '0071-verification',
  up: async (db) => {
    await db.raw(`
create table portal_verification (
  id bigint generated always as identity primary key,
  began_at timestamptz not null,
  began_by text not null,
  ended_at timestamptz,
  ok boolean,
  size bigint,
  first bigint,
  checked bigint,
  fault text,
  constraint portal_verification_ended check ((ended_at is null) = (ok is null))
);
`)
  },
}
