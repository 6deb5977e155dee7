/** Writes down what the clock has decided: consents that lapsed or expired. Reads never do (atClock). */
import type { Instant } from '../clock.ts'
import { inTransaction } from '../db.ts'
import { record, type Unit } from './change.ts'
import { clockStep } from './steps.ts'
import { dueIds, lockIfDue } from './store.ts'
import type { Caller } from './trail.ts'

const HUB: Caller = {
  by: 'hub',
  organisationId: null,
  clientId: null,
  softwareStatementId: null,
  interactionId: null,
}

/**
 * A transaction for each consent, so that one that fails holds up no other, and locked ones are skipped: several
 * sweepers may run at once.
 * @returns how many were written down
 * @throws AggregateError after the batch, with what failed
 */
export async function sweep(unit: Unit, limit: number): Promise<number> {
  const now = unit.clock.now()
  const failures: unknown[] = []
  let moved = 0
  for (const id of await dueIds(unit.db, now, limit)) {
    try {
      if (await settle(unit, id, now)) moved += 1
    } catch (failure) {
      failures.push(failure)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} consents could not be ended`)
  return moved
}

function settle(unit: Unit, id: string, now: Instant): Promise<boolean> {
  return inTransaction(unit.db, async (tx) => {
    const consent = await lockIfDue(tx, id, now)
    const step = consent === null ? null : clockStep(consent, now)
    if (consent === null || step === null || !step.ok) return false
    await record(tx, unit, consent, step, { caller: HUB })
    return true
  })
}
