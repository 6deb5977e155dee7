/**
 * Where answers of the LFI break the contract, counted by operation, path and rule, for the LFI's engineers. Never a
 * value. Counted in memory and written down now and then, so that no call waits for it: what a process has not written
 * when it dies is lost, and the next answers tell it again.
 */
import type { Clock } from '../clock.ts'
import { type Db, type Migration, query } from '../db.ts'
import type { Log } from '../log.ts'
import { every } from '../timer.ts'
import { deviation } from './migrations/0060-deviation.ts'

export const migrations: readonly Migration[] = [deviation]

export type Deviation = {
  readonly operationId: string
  /** JSON path in the body, of all list items alike; empty for the body as a whole. */
  readonly path: string
  readonly rule: string
  readonly count: number
  readonly firstAt: string
  readonly lastAt: string
}

export type Deviations = {
  /** `found`: path and rule, with a blank between them, and how often (transform/quality.ts). */
  note(operationId: string, found: Readonly<Record<string, number>>): void
  /** Most frequent first. */
  list(): Promise<readonly Deviation[]>
  /** Forgets what was counted so far, as after a correction at the LFI. How many lines that were. */
  clear(): Promise<number>
  close(): Promise<void>
}

const FLUSH_EVERY_MS = 2_000
/** Different lines of one tenant. An LFI that invents names all day fills this and no more. */
const LINES_MAX = 500
/** Different lines between two writes. */
const WAITING_MAX = 500
const PATH_LENGTH_MAX = 300

export function createDeviations(deps: { readonly db: Db; readonly clock: Clock; readonly log: Log }): Deviations {
  const { db, clock, log } = deps
  let waiting = new Map<string, Line>()

  const flush = async (): Promise<void> => {
    if (waiting.size === 0) return
    const lines = [...waiting.values()]
    waiting = new Map()
    await write(db, lines, new Date(clock.now()))
  }
  const timer = every(FLUSH_EVERY_MS, 'writing of deviations', log, flush)

  return {
    note(operationId, found) {
      for (const [place, count] of Object.entries(found)) {
        const line = lineOf(operationId, place, count)
        const key = `${line.operationId} ${line.path} ${line.rule}`
        const known = waiting.get(key)
        if (known !== undefined) known.count += count
        else if (waiting.size < WAITING_MAX) waiting.set(key, line)
      }
    },
    async list() {
      await flush()
      const { rows } = await query<Row>(
        db,
        'select operation_id, path, rule, count, first_at, last_at from deviation order by count desc, operation_id, path, rule limit ?',
        [LINES_MAX],
      )
      return rows.map(toDeviation)
    },
    async clear() {
      waiting = new Map()
      return (await query(db, 'delete from deviation')).rowCount
    },
    async close() {
      await timer.stop()
      await flush().catch((error: unknown) => log.error({ err: error }, 'the last deviations were not written'))
    },
  }
}

type Line = { readonly operationId: string; readonly path: string; readonly rule: string; count: number }

function lineOf(operationId: string, place: string, count: number): Line {
  const blank = place.lastIndexOf(' ')
  // A member that the LFI made up may be named after what it holds.
  const path = place
    .slice(0, blank)
    .replaceAll(/\d{4,}/g, '#')
    .slice(0, PATH_LENGTH_MAX)
  return { operationId: operationId.slice(0, 128), path, rule: place.slice(blank + 1).slice(0, 40), count }
}

type Row = {
  readonly operation_id: string
  readonly path: string
  readonly rule: string
  /** A bigint, as a text. */
  readonly count: string
  readonly first_at: Date
  readonly last_at: Date
}

const toDeviation = (row: Row): Deviation => ({
  operationId: row.operation_id,
  path: row.path,
  rule: row.rule,
  count: Number(row.count),
  firstAt: row.first_at.toISOString(),
  lastAt: row.last_at.toISOString(),
})

/** A new line only while there is room; nodes that write at once may go over by what each of them brings. */
async function write(db: Db, lines: readonly Line[], at: Date): Promise<void> {
  for (const { operationId, path, rule, count } of lines) {
    await query(
      db,
      `insert into deviation as known (operation_id, path, rule, count, first_at, last_at)
       select ?, ?, ?, ?, ?, ?
       where exists (select 1 from deviation where (operation_id, path, rule) = (?, ?, ?))
          or (select count(*) from deviation) < ?
       on conflict (operation_id, path, rule)
       do update set count = known.count + excluded.count, last_at = greatest(known.last_at, excluded.last_at)`,
      [operationId, path, rule, count, at, at, operationId, path, rule, LINES_MAX],
    )
  }
}
