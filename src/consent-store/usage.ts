/** When data was last shared under a consent (lfi-api 2.3, consentUsage): approximate, and no change of the consent. */
import type { Instant } from '../clock.ts'
import type { Db } from '../db.ts'
import type { ConsentId } from '../ids.ts'

const ONCE_PER_MS = 60_000
const REMEMBERED_MAX = 10_000

/** Remembers what this process wrote, so that most calls do not reach the database; the database holds the rule. */
export function createUsage(db: Db): (id: ConsentId, at: Instant) => Promise<void> {
  const written = new Map<ConsentId, Instant>()
  return async (id, at) => {
    const last = written.get(id)
    if (last !== undefined && at - last < ONCE_PER_MS) return
    if (written.size >= REMEMBERED_MAX) written.clear()
    written.set(id, at)
    await db('consent')
      .where({ id })
      .andWhere((either) =>
        either.whereNull('last_data_shared_at').orWhere('last_data_shared_at', '<=', new Date(at - ONCE_PER_MS)),
      )
      .update({ last_data_shared_at: new Date(at) })
  }
}
