/**
 * Counts that are moved before the rows are (migrations/0020-consents-ahead.ts). A hundred thousand consents may end in the
 * same second, and writing that down takes minutes, in which every count of a status would look at each of them. So a
 * moment at which very many will have ended is found a little before it comes, and counted once: the lines of that count
 * are part of every count from then on, and each change of such a consent takes its part back. Right at any moment of
 * it: lines and rows are read in one snapshot, and whatever no lines tell of is looked at as ever.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Instant } from '../clock.ts'
import { type Db, query } from '../db.ts'
import { ENDS_AS } from './by-clock.ts'
import { fold } from './fold.ts'

/** Fewer are looked at as quickly as they are counted ahead. */
const MANY = 1_000
/** Longer than two sweeps are apart: the moment is counted when it comes. */
const SOON_MS = 60_000
/** For those who were changing consents when the moment was announced; who takes longer is waited for by the next sweep. */
const WRITERS_MS = 1_000

/** The moment whose lines are part of a count at the one instant that it binds; no row where there is none. */
export const AHEAD = 'select id, until from consent_ahead where counted and until <= ? order by until desc limit 1'
/** What is due at the instant that it binds and no lines tell of; beside a common table `ahead`, which is the above. */
export const DUE_BESIDES = "due_at > coalesce((select until from ahead), '-infinity') and due_at <= ?"

/** Whether so many are due that have not been written down, that rows are better sought by place than among them. */
export async function isCountedAhead(db: Db, now: Instant): Promise<boolean> {
  return (await query(db, AHEAD, [new Date(now)])).rows.length > 0
}

/**
 * Announces the next moment at which many will have ended, counts it, and drops those that are over. Several may do it
 * at once, and any of them may die at any point: the next one goes on.
 * @returns whether there is any such moment; there is none nearly always, and that is one statement
 */
export async function countAhead(db: Db, now: Instant, many = MANY): Promise<boolean> {
  const seen = await look(db, now, many)
  if (seen.kept) await drop(db, now)
  const open = seen.open ?? (seen.next === null ? null : await announce(db, seen.next, now))
  if (open !== null && (await writersHaveSeen(db))) await count(db, open)
  return seen.kept || open !== null
}

type Moment = { readonly id: string; readonly until: Date }
/** `kept`: there are moments or lines. `open`: one that is announced and not counted. `next`: when many more have ended. */
type Seen = { readonly kept: boolean; readonly open: Moment | null; readonly next: Date | null }

async function look(db: Db, now: Instant, many: number): Promise<Seen> {
  const { rows } = await query<{ kept: boolean; id: string | null; until: Date | null; next: Date | null }>(
    db,
    `select exists (select 1 from consent_ahead) or exists (select 1 from consent_ahead_line) as kept, open.id, open.until,
       (select due_at from consent
        where due_at > coalesce((select max(until) from consent_ahead), '-infinity') and due_at <= ?
        order by due_at offset ? limit 1) as next
     from (select 1) as once left join consent_ahead as open on not counted`,
    [new Date(now + SOON_MS), many - 1],
  )
  const { kept = false, id = null, until = null, next = null } = rows[0] ?? {}
  return { kept, open: id === null || until === null ? null : { id, until }, next }
}

/** null: somebody else has announced one. */
async function announce(db: Db, next: Date, now: Instant): Promise<Moment | null> {
  // What is overdue is counted in one go, up to now.
  const until = new Date(Math.max(next.getTime(), now))
  const { rows } = await query<Moment>(
    db,
    'insert into consent_ahead (until) values (?) on conflict do nothing returning id, until',
    [until],
  )
  return rows[0] ?? null
}

/**
 * Whoever changed consents before the announcement was there to be seen takes nothing back, and is waited for: all
 * transactions whose number was given out before now (PostgreSQL, pg_current_snapshot).
 */
async function writersHaveSeen(db: Db): Promise<boolean> {
  const { rows } = await query<{ next: string }>(db, 'select pg_snapshot_xmax(pg_current_snapshot())::text as next')
  const next = rows[0]?.next ?? ''
  for (let waited = 0; waited <= WRITERS_MS; waited += 20) {
    const over = await query(db, 'select 1 where pg_snapshot_xmin(pg_current_snapshot()) >= ?::xid8', [next])
    if (over.rowCount === 1) return true
    await wait(20)
  }
  return false
}

/** What was taken back before the count is part of it already: both are seen in one snapshot. */
async function count(db: Db, { id, until }: Moment): Promise<void> {
  const counting = async (snapshot: Db): Promise<void> => {
    const first = await query(snapshot, 'update consent_ahead set counted = true where id = ? and not counted', [id])
    if (first.rowCount === 0) return
    await query(snapshot, 'delete from consent_ahead_line where ahead = ?', [id])
    await query(
      snapshot,
      `with due as materialized (
         select type, status, ${ENDS_AS} as becomes, consent_slot_at(created_at, 12) as created,
           consent_slot_at(updated_at, 12) as updated, count(*) as many
         from consent where due_at <= ? group by 1, 2, 3, 4, 5)
       insert into consent_ahead_line (ahead, list, span, slot, type, status, delta, folded)
         select ?, places.list, spans.span, places.slot >> (spans.span - 12), due.type, ends.status,
           sum(due.many * ends.delta), true
         from due
         cross join lateral (values (due.status, -1), (due.becomes, 1)) as ends (status, delta)
         cross join lateral (values ('created', due.created), ('updated', due.updated)) as places (list, slot)
         cross join (values (12), (17), (22)) as spans (span)
         group by 2, 3, 4, 5, 6 having sum(due.many * ends.delta) <> 0`,
      [until, id],
    )
  }
  try {
    await db.transaction(counting, { isolationLevel: 'repeatable read' })
  } catch (thrown) {
    if (!isOvertaken(thrown)) throw thrown
  }
}

/** serialization_failure: another sweeper has counted it, or folded what was to be cleared; the next sweep goes on. */
const isOvertaken = (thrown: unknown): boolean => thrown instanceof Error && 'code' in thrown && thrown.code === '40001'

/** A node whose clock is behind reads by an earlier moment a little longer, or looks at what is due. */
async function drop(db: Db, now: Instant): Promise<void> {
  await query(
    db,
    `delete from consent_ahead as past where counted and until <= ? and (
       not exists (select 1 from consent where due_at <= past.until)
       or exists (select 1 from consent_ahead as later where counted and later.until > past.until and later.until <= ?))`,
    [new Date(now), new Date(now)],
  )
  await query(db, 'delete from consent_ahead_line where not exists (select 1 from consent_ahead where id = ahead)')
}

/** A moment that is counted meanwhile is counted again: of two that take the same line one gives way. */
export const foldAhead = (db: Db): Promise<void> =>
  fold(db, 'consent_ahead_line', ['ahead', 'list', 'span', 'slot', 'type', 'status'])
