/** Writes down what the clock has decided: consents that lapsed or expired. Reads never do (atClock). */
import { setTimeout as wait } from 'node:timers/promises'
import type { Instant } from '../clock.ts'
import { inTransaction } from '../db.ts'
import { recordEnds, type Unit } from './change.ts'
import { countAhead, foldAhead } from './counted-ahead.ts'
import { foldSlots } from './slots.ts'
import { clockStep } from './steps.ts'
import { dueIds, lockDue } from './store.ts'
import { foldTally } from './tally.ts'
import type { Caller } from './trail.ts'

const HUB: Caller = {
  by: 'hub',
  organisationId: null,
  clientId: null,
  softwareStatementId: null,
  interactionId: null,
}

/** Locked, and rolled back, together. */
const TOGETHER = 10
/**
 * Between two transactions the sweeper leaves database and processor to others for so many times as long as the last
 * one took: the busier the machine, the longer. Nothing is served a moment too long because of it.
 */
const REST = 2
const REST_MAX_MS = 500
/** Whoever asks comes again; a process that is to stop waits no longer than this. */
const LONGEST_MS = 5_000

/**
 * A transaction for each few; when one of them fails, for each consent of it, so that one that fails holds up no
 * other. Locked ones are skipped: several sweepers may run at once.
 * @returns how many were written down; fewer than there are when it takes long
 * @throws AggregateError after the batch, with what failed
 */
export async function sweep(unit: Unit, limit: number): Promise<number> {
  const now = unit.clock.now()
  const isAhead = await countAhead(unit.db, now)
  const failures: unknown[] = []
  let moved = 0
  const ids = await dueIds(unit.db, now, limit)
  const start = performance.now()
  let took = 0
  for (let first = 0; first < ids.length; first += TOGETHER) {
    if (performance.now() - start > LONGEST_MS) break
    if (first > 0) await wait(Math.min(took * REST, REST_MAX_MS))
    const began = performance.now()
    const some = ids.slice(first, first + TOGETHER)
    try {
      moved += await settle(unit, some, now)
    } catch {
      for (const id of some) {
        try {
          moved += await settle(unit, [id], now)
        } catch (failure) {
          failures.push(failure)
        }
      }
    }
    took = performance.now() - began
  }
  await foldTally(unit.db)
  await foldSlots(unit.db)
  if (isAhead) await foldAhead(unit.db)
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} consents could not be ended`)
  return moved
}

function settle(unit: Unit, ids: readonly string[], now: Instant): Promise<number> {
  return inTransaction(unit.db, async (tx) => {
    const ends = (await lockDue(tx, ids, now)).flatMap((before) => {
      const step = clockStep(before, now)
      return step?.ok === true ? [{ before, step }] : []
    })
    return recordEnds(tx, unit, ends, HUB)
  })
}
