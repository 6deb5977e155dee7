import type { Migration } from '../../db.ts'

/**
 * Further figures that are derived from the audit log. They are counted from a position of their own, `tally_seq`: after
 * an upgrade it begins at the first entry, while the release before goes on counting what it knows from where it is.
 *
 * `report_tally` has a row for each day and combination of facts; which facts and figures a dataset has, and in which
 * order they stand in the row, is said by src/reports/datasets.ts. `report_times` has four histograms for each operation
 * (src/reports/times.ts), each a text of `bucket:calls`.
 */
export const reportTally: Migration = {
  name: '0050-reports-tally',
  up: async (db) => {
    await db.raw(`
      alter table report_cursor add column tally_seq bigint not null default 0;

      create table report_tally (
        dataset text not null,
        starts_at timestamptz not null,
        facts text[] not null,
        figures bigint[] not null,
        primary key (dataset, starts_at, facts)
      );

      create table report_times (
        grain text not null check (grain in ('hour', 'day')),
        starts_at timestamptz not null,
        method text not null,
        route text not null,
        total text not null,
        hub_in text not null,
        lfi text not null,
        hub_out text not null,
        primary key (grain, starts_at, method, route)
      );
    `)
  },
}
