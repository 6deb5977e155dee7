/** What goes next: the oldest that may, locked, so that what is read of it is what is deleted; and all that belongs to it. */
import type { Instant } from '../clock.ts'
import { type Binding, query, type Tx } from '../db.ts'
import { ENDED_REQUESTS } from '../resource-log/index.ts'
import { type Lines, SOURCES, type Source } from './manifest.ts'

/** How far a run has looked: what may not go is not looked at again by it. */
export type Position = { readonly updatedAt: string; readonly id: string; readonly requestId: string }
export const BEGINNING: Position = { updatedAt: '-infinity', id: '', requestId: '0' }

export type Chosen = {
  readonly consents: readonly string[]
  readonly requests: readonly { readonly kind: string; readonly id: string }[]
  readonly requestIds: readonly string[]
  readonly next: Position
  /** There was nothing left to look at. */
  readonly isEnd: boolean
}
export type Line = { readonly source: Source; readonly row: string }

/** A consent may have been paid under any number of times: a batch ends where so many rows are in it. */
const PAYMENTS_MAX = 2_000

type Candidate = { readonly id: string; readonly updated_at: string; readonly weight: string }

export async function choose(tx: Tx, before: Instant, from: Position, limit: number): Promise<Chosen> {
  const until = new Date(before)
  const { rows } = await query<Candidate>(
    tx,
    `select id, updated_at::text, sum(payments) over (order by due.updated_at, id) as weight from (
       select c.id, c.updated_at, (select count(*) from payment_log p where p.consent_id = c.id) as payments
       from consent c where c.updated_at < ? and (c.updated_at, c.id) > (?::timestamptz, ?) and archive_may_go(c, ?)
       order by c.updated_at, c.id limit ?) as due
     order by due.updated_at, id`,
    [until, from.updatedAt, from.id, until, limit],
  )
  const candidates = rows.filter(({ weight }, at) => at === 0 || Number(weight) <= PAYMENTS_MAX)
  const asked = await query<{ readonly id: string; readonly kind: string; readonly resource_id: string }>(
    tx,
    `select r.id, r.kind, r.resource_id from service_request r
     where r.created_at < ? and r.id > ?::bigint and archive_may_go(r, ?, ?::text[])
     order by r.id limit ? for update skip locked`,
    [until, from.requestId, until, [...ENDED_REQUESTS], limit],
  )
  const last = candidates.at(-1)
  return {
    consents: await lock(
      tx,
      until,
      candidates.map(({ id }) => id),
    ),
    requests: asked.rows.map(({ kind, resource_id }) => ({ kind, id: resource_id })),
    requestIds: asked.rows.map(({ id }) => id),
    next: {
      updatedAt: last?.updated_at ?? from.updatedAt,
      id: last?.id ?? from.id,
      requestId: asked.rows.at(-1)?.id ?? from.requestId,
    },
    isEnd: candidates.length === 0 && asked.rows.length === 0,
  }
}

/** Of those, the ones that nobody else holds and that still may go, with what hangs on them. */
async function lock(tx: Tx, before: Date, candidates: readonly string[]): Promise<readonly string[]> {
  const held = await query<{ readonly id: string }>(
    tx,
    'select id from consent where id = any(?) order by id for update skip locked',
    [candidates],
  )
  const ids = held.rows.map(({ id }) => id)
  await query(tx, 'select from payment_log where consent_id = any(?) order by id for update', [ids])
  await query(tx, 'select from outbox where consent_id = any(?) order by id for update', [ids])
  const left = await query<{ readonly id: string }>(
    tx,
    'select c.id from consent c where c.id = any(?) and archive_may_go(c, ?) order by c.id',
    [ids, before],
  )
  return left.rows.map(({ id }) => id)
}

/** The credential of a payment consent, sealed as it is, does not belong into files. */
const READ: Readonly<Record<Source, readonly [sql: string, of: 'consents' | 'requests' | 'both']>> = {
  consent: ["select to_jsonb(c) - 'connect_token' as row from consent c where c.id = any(?) order by c.id", 'consents'],
  consent_version: [
    'select to_jsonb(v) as row from consent_version v where v.consent_id = any(?) order by v.consent_id, v.revision',
    'consents',
  ],
  consent_trail: [
    'select to_jsonb(t) as row from consent_trail t where t.consent_id = any(?) order by t.consent_id, t.revision',
    'consents',
  ],
  payment_log: [
    'select to_jsonb(p) as row from payment_log p where p.consent_id = any(?) order by p.consent_id, p.id',
    'consents',
  ],
  payment_tally: [
    'select to_jsonb(t) as row from payment_tally t where t.consent_id = any(?) order by t.consent_id, t.day',
    'consents',
  ],
  service_request: [
    'select to_jsonb(r) as row from service_request r where r.id = any(?::bigint[]) order by r.id',
    'requests',
  ],
  resource_trail: [
    `select to_jsonb(t) as row from resource_trail t
     where (t.resource = 'payment' and t.log_id in (select id from payment_log where consent_id = any(?)))
        or (t.resource <> 'payment' and t.log_id = any(?::bigint[])) order by t.id`,
    'both',
  ],
  outbox: [
    `select to_jsonb(o) as row from outbox o
     where o.consent_id = any(?) or exists (select from service_request r where r.id = any(?::bigint[])
       and o.resource = r.kind and coalesce(o.resource_id, o.consent_id) = r.resource_id) order by o.id`,
    'both',
  ],
}

/** As the database writes them, number by number and letter by letter. */
export async function read(tx: Tx, { consents, requestIds }: Chosen): Promise<readonly Line[]> {
  const lines: Line[] = []
  for (const source of SOURCES) {
    const [sql, of] = READ[source]
    const bindings: readonly Binding[] =
      of === 'both' ? [consents, requestIds] : [of === 'consents' ? consents : requestIds]
    const { rows } = await query<{ readonly row: string }>(tx, `select row::text from (${sql}) as found`, bindings)
    lines.push(...rows.map(({ row }) => ({ source, row })))
  }
  return lines
}

export function countOf(lines: readonly Line[]): Lines {
  const counts = Object.fromEntries(SOURCES.map((source) => [source, 0])) as Record<Source, number>
  for (const { source } of lines) counts[source] += 1
  return counts
}
