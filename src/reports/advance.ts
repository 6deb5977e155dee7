/**
 * Counts what the log has gained. The position in the log moves in the transaction that adds the figures, so a run
 * that is broken off is as if it had not been, and a repeated one finds nothing to do. The log is read in its own
 * order, in which it has no gaps: nothing is counted twice or forgotten, however late an entry was sealed.
 */
import { type Accepted, createAuditReader } from '../audit/index.ts'
import { type Db, inTransaction, query, type Tx } from '../db.ts'
import { type Call, callOf } from './call.ts'
import { tally } from './datasets.ts'
import { changes, signalsOf } from './downtime.ts'
import { rollUp } from './roll-up.ts'
import { addRolled, applyChange, forgetAll, forgetEnded, lockCursor, moveCursor, runningClocks } from './store.ts'
import { addTally } from './tally-store.ts'
import { timed } from './times.ts'
import { addTimes } from './times-store.ts'

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

/**
 * What one position has passed and the other has not is counted for the other alone. Of a day whose figures were
 * destroyed nothing is counted, but clocks of downtime run through it: what failed before the boundary and was good
 * again after it was down from the first failure on, whoever counts, and whenever.
 */
async function countPortion(tx: Tx): Promise<number> {
  const { seq, tallySeq, destroyedBefore } = await lockCursor(tx)
  const accepted = await createAuditReader({ db: tx }).range(Math.min(seq, tallySeq), PORTION)
  const last = accepted.at(-1)?.index
  if (last === undefined || last === null) return 0
  const since = (position: number) => accepted.filter(({ index }) => index !== null && index >= position)
  const isKept = ({ entry }: Accepted): boolean =>
    entry !== null && (destroyedBefore === null || Date.parse(entry.at) >= destroyedBefore)
  const [rolled, tallied] = [since(seq), since(tallySeq).filter(isKept)]
  await addRolled(tx, rollUp(callsIn(rolled.filter(isKept))))
  for (const change of changes(await runningClocks(tx), rolled.flatMap(signalsOf))) await applyChange(tx, change)
  if (destroyedBefore !== null) await forgetEnded(tx, destroyedBefore)
  await addTally(tx, tally(tallied))
  await addTimes(tx, timed(callsIn(tallied)))
  await moveCursor(tx, { seq: Math.max(seq, last + 1), tallySeq: Math.max(tallySeq, last + 1) })
  return accepted.length
}

const callsIn = (some: readonly Accepted[]): readonly Call[] => some.map(callOf).filter((call) => call !== null)

/** How many entries are sealed and not counted. */
export async function behind(db: Db): Promise<number> {
  const { rows } = await query<{ behind: string }>(
    db,
    'select (select size from audit_head) - (select least(seq, tally_seq) from report_cursor) as behind',
  )
  return Number(rows[0]?.behind ?? 0)
}
