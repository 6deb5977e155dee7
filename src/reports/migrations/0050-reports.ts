import type { Migration } from '../../db.ts'

/**
 * Everything here but `outage` is derived from the audit log and can be made anew from it. `report_cursor` has one
 * row: how far the log has been counted, and before which moment the figures were destroyed by policy. Where a key
 * has nothing to say it holds the empty text, since a null would make two keys of one.
 */
export const reportTables: Migration = {
  name: '0050-reports',
  up: async (db) => {
    await db.raw(`
      create table report_cursor (
        one boolean primary key default true check (one),
        seq bigint not null default 0,
        destroyed_before timestamptz
      );
      insert into report_cursor default values;

      create table report_rollup (
        grain text not null check (grain in ('hour', 'day')),
        starts_at timestamptz not null,
        door text not null,
        api_set text not null,
        method text not null,
        route text not null,
        organisation_id text not null,
        client_id text not null,
        tpp_group text not null,
        lfi_group text not null,
        calls bigint not null,
        attended bigint not null,
        records bigint not null,
        over_limit bigint not null,
        total_us_min bigint not null,
        total_us_max bigint not null,
        total_us_sum bigint not null,
        lfi_us_min bigint,
        lfi_us_max bigint,
        lfi_us_sum bigint not null,
        primary key (grain, starts_at, door, api_set, method, route, organisation_id, client_id, tpp_group, lfi_group)
      );

      create table report_downtime (
        subject text not null check (subject in ('lfi', 'hub')),
        source text not null check (source in ('calls', 'heartbeat')),
        method text not null,
        route text not null,
        began_seq bigint not null,
        began_at timestamptz not null,
        ended_at timestamptz,
        primary key (subject, source, method, route, began_seq)
      );
      create unique index report_downtime_open on report_downtime (subject, source, method, route)
        where ended_at is null;

      create table outage (
        id uuid primary key,
        subject text not null check (subject in ('lfi', 'hub')),
        kind text not null check (kind in ('planned', 'unplanned')),
        starts_at timestamptz not null,
        ends_at timestamptz,
        reason text not null check (length(reason) between 1 and 200),
        declared_at timestamptz not null,
        constraint outage_order check (ends_at is null or ends_at >= starts_at),
        constraint outage_planned check (kind = 'unplanned' or ends_at is not null)
      );
      create index outage_starts_at on outage (starts_at);
    `)
  },
}
