/**
 * Counts what the log has gained. The position in the log moves in the transaction that adds the figures, so a run
 * that is broken off is as if it had not been, and a repeated one finds nothing to do. The log is read in its own
 * order, in which it has no gaps: nothing is counted twice or forgotten, however late an entry was sealed.
 */
import { createAuditReader } from '../audit/index.ts'
import { type Db, inTransaction, query, type Tx } from '../db.ts'
import { callOf } from './call.ts'
import { changes, signalsOf } from './downtime.ts'
import { rollUp } from './roll-up.ts'
import { addRolled, applyChange, forgetAll, lockCursor, moveCursor, runningClocks } from './store.ts'

const PORTION = 1_000

/** All there is; the number of entries that were looked at. */
export async function advance(db: Db): Promise<number> {
  let total = 0
  for (;;) {
    const counted = await inTransaction(db, countPortion)
    total += counted
    if (counted < PORTION) return total
  }
}

/** From the beginning of the log, in one transaction: readers see the old figures until the new ones are complete. */
export async function recompute(db: Db): Promise<number> {
  return inTransaction(db, async (tx) => {
    await lockCursor(tx)
    await forgetAll(tx)
    let total = 0
    for (;;) {
      const counted = await countPortion(tx)
      total += counted
      if (counted < PORTION) return total
    }
  })
}

async function countPortion(tx: Tx): Promise<number> {
  const { seq, destroyedBefore } = await lockCursor(tx)
  const accepted = await createAuditReader({ db: tx }).range(seq, PORTION)
  const last = accepted.at(-1)?.index
  if (last === undefined || last === null) return 0
  const kept = accepted.filter(
    ({ entry }) => entry !== null && (destroyedBefore === null || Date.parse(entry.at) >= destroyedBefore),
  )
  await addRolled(tx, rollUp(kept.map(callOf).filter((call) => call !== null)))
  for (const change of changes(await runningClocks(tx), kept.flatMap(signalsOf))) await applyChange(tx, change)
  await moveCursor(tx, last + 1)
  return accepted.length
}

/** How many entries are sealed and not counted. */
export async function behind(db: Db): Promise<number> {
  const { rows } = await query<{ behind: string }>(
    db,
    'select (select size from audit_head) - (select seq from report_cursor) as behind',
  )
  return Number(rows[0]?.behind ?? 0)
}
