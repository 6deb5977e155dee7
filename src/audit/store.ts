/** Accepting entries, and reading them with what opens their commitments. There is no update and no delete. */
import { type Db, prepared, query, type Tx } from '../db.ts'
import type { Brand, ConsentId, CorrelationId } from '../ids.ts'
import type { Opening } from './commitment.ts'
import type { Encoded } from './entry.ts'
import { decode, type StoredEntry } from './stored-entry.ts'

export type EntryId = Brand<string, 'EntryId'>

export type Accepted = {
  readonly entryId: EntryId
  /** Its place in the log, from 0; null until the sealer has given it one. */
  readonly index: number | null
  readonly acceptedAt: Date
  readonly bytes: Buffer
  readonly openings: readonly Opening[]
  /** As a person reads it: committed values in place of their commitments, as far as they have not been erased. */
  readonly entry: StoredEntry | null
}

/** From a link; null: none that there can be. */
export const toEntryId = (raw: unknown): EntryId | null =>
  typeof raw === 'string' && /^\d{1,18}$/.test(raw) ? (raw as EntryId) : null

export type AuditReader = {
  /** Entries of the log in their order, beginning with `fromIndex`. */
  range(fromIndex: number, limit: number): Promise<readonly Accepted[]>
  /** Everything recorded under one `x-fapi-interaction-id`, in the order of acceptance. */
  findByInteraction(id: CorrelationId): Promise<readonly Accepted[]>
  /** The latest first. Finds nothing once the consent was erased. */
  findByConsent(id: ConsentId, limit: number): Promise<readonly Accepted[]>
  /** Entries in the order in which they were accepted, the latest first; also those without a place in the log yet. */
  before(id: EntryId | null, limit: number): Promise<readonly Accepted[]>
  /** The first entry that was accepted then or later; null: there is none. Nearly so, where entries came at once. */
  firstSince(at: Date): Promise<EntryId | null>
}

export const RANGE_MAX = 1000

/** One statement, hence one round trip and all or nothing, for any number of entries. */
const ACCEPT = `
  with given as materialized (
    select nextval('audit_entry_id') as id, bytes, interaction_id, place
    from unnest(?::bytea[], ?::text[]) with ordinality as given (bytes, interaction_id, place)
  ), accepted as (
    insert into audit_entry (id, bytes, interaction_id)
    select id, bytes, nullif(interaction_id, '')::uuid from given
  ), kept as (
    insert into audit_opening (entry_id, field, salt, value)
    select given.id, opening.field, opening.salt, opening.value
    from unnest(?::bigint[], ?::text[], ?::bytea[], ?::text[]) as opening (place, field, salt, value)
    join given on given.place = opening.place
  )
  insert into audit_pending (entry_id) select id from given order by place returning entry_id`

export async function accept(db: Db | Tx, entries: readonly Encoded[]): Promise<readonly EntryId[]> {
  const openings = entries.flatMap((entry, at) => entry.openings.map((opening) => ({ place: String(at + 1), opening })))
  const { rows } = await prepared<{ entry_id: EntryId }>(db, 'audit-accept', ACCEPT, [
    entries.map((entry) => entry.bytes),
    entries.map((entry) => entry.interactionId ?? ''),
    openings.map(({ place }) => place),
    openings.map(({ opening }) => opening.field),
    openings.map(({ opening }) => opening.salt),
    openings.map(({ opening }) => opening.value),
  ])
  return rows.map((row) => row.entry_id)
}

type Row = {
  readonly id: EntryId
  readonly index: string | null
  readonly accepted_at: Date
  readonly bytes: Buffer
  readonly openings: readonly { readonly field: string; readonly salt: string; readonly value: string }[] | null
}

const SELECT = `
  select e.id, l.index, e.accepted_at, e.bytes, (
    select json_agg(json_build_object('field', o.field, 'salt', encode(o.salt, 'base64'), 'value', o.value))
    from audit_opening o where o.entry_id = e.id
  ) as openings
  from audit_entry e left join audit_leaf l on l.entry_id = e.id`

/**
 * The ids first, all of them and in no order, then the entries. In one step a planner without fresh statistics, as after
 * a day's load, takes the order and the limit for a reason to walk the whole log by id.
 */
const found = (ids: string, order: 'asc' | 'desc'): string =>
  `where e.id = any(array(${ids})) order by e.id ${order} limit ?`

/**
 * Ids rise with the time of acceptance, so that half of what is left can be ruled out at each step: some thirty
 * look-ups by the primary key, and no index that every accepted entry would pay for.
 */
const FIRST_SINCE = `
  with recursive search (low, high) as (
    select coalesce(min(id), 0), coalesce(max(id), 0) + 1 from audit_entry
    union all
    select case when mid.accepted_at < ? then mid.id + 1 else low end,
      case when mid.accepted_at < ? then high else (low + high) / 2 end
    from search cross join lateral (
      select id, accepted_at from audit_entry where id >= (low + high) / 2 order by id limit 1
    ) mid
    where low < high
  )
  select e.id from audit_entry e, search where low >= high and e.id >= low order by e.id limit 1`

export function createAuditReader(deps: { readonly db: Db }): AuditReader {
  const read = async (where: string, values: readonly (string | number)[]): Promise<readonly Accepted[]> =>
    (await query<Row>(deps.db, `${SELECT} ${where}`, values)).rows.map(acceptedOf)
  const bounded = (limit: number) => Math.min(Math.max(1, limit), RANGE_MAX)
  return {
    range: (fromIndex, limit) => read('where l.index >= ? order by l.index limit ?', [fromIndex, bounded(limit)]),
    findByInteraction: (id) =>
      read(found('select id from audit_entry where interaction_id = ?', 'asc'), [id, RANGE_MAX]),
    findByConsent: (id, limit) =>
      read(found(`select entry_id from audit_opening where value = ? and field = 'consentId'`, 'desc'), [
        id,
        bounded(limit),
      ]),
    before: (id, limit) =>
      id === null
        ? read('order by e.id desc limit ?', [bounded(limit)])
        : read('where e.id < ? order by e.id desc limit ?', [id, bounded(limit)]),
    firstSince: async (at) =>
      (await query<{ readonly id: EntryId }>(deps.db, FIRST_SINCE, [at, at])).rows[0]?.id ?? null,
  }
}

function acceptedOf(row: Row): Accepted {
  const openings = (row.openings ?? []).map(({ field, salt, value }) => ({
    field,
    salt: Buffer.from(salt, 'base64'),
    value,
  }))
  const entry = decode(row.bytes)
  return {
    entryId: row.id,
    index: row.index === null ? null : Number(row.index),
    acceptedAt: row.accepted_at,
    bytes: row.bytes,
    openings,
    entry: entry && { ...entry, ...Object.fromEntries(openings.map(({ field, value }) => [field, value])) },
  }
}
