/** What a process needs before it may be sent requests; each part is tried, and named where it fails. */
import type { Audit } from '../audit/index.ts'
import { type Clock, toMilliseconds } from '../clock.ts'
import { type Db, inTransaction, type Migration, pendingMigrations, query } from '../db.ts'
import type { TenantId } from '../ids.ts'

export type ReadyDeps = {
  readonly db: Db
  readonly audit: Audit
  /** Throws when this process cannot know its keys any more. */
  readonly keys: { now(): unknown }
  readonly migrations: readonly Migration[]
  readonly tenantId: TenantId
  readonly clock: Clock
  /** Absent: it does not stop while it is asked. */
  readonly stopping?: AbortSignal
}

/** Who asks whether a process is ready does not wait long for the answer. */
const WITHIN_MS = toMilliseconds(2_000)

type Part = 'stopping' | 'database' | 'audit' | 'keys' | 'migrations'

/** The parts that fail; none is ready. */
export async function failingParts(deps: ReadyDeps): Promise<readonly Part[]> {
  if (deps.stopping?.aborted) return ['stopping']
  // Without it nothing else can be told.
  if (!(await succeeds(query(deps.db, 'select 1')))) return ['database']
  const parts: Readonly<Record<Exclude<Part, 'stopping' | 'database'>, Promise<unknown>>> = {
    audit: canRecord(deps),
    keys: Promise.resolve().then(() => deps.keys.now()),
    migrations: upToDate(deps),
  }
  const tried = Object.entries(parts).map(async ([part, work]) => ((await succeeds(work)) ? [] : [part as Part]))
  return (await Promise.all(tried)).flat()
}

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  try {
    await Promise.race([work, late()])
    return true
  } catch {
    return false
  }
}

class Undone extends Error {}

/** An entry is really written, and taken back: nothing less shows that the next one can be. */
async function canRecord({ db, audit, tenantId, clock }: ReadyDeps): Promise<void> {
  const at = clock.now()
  const attempt = inTransaction(db, async (tx) => {
    await audit.append(tx, { kind: 'system', at, interactionId: null, tenantId, event: 'started', detail: null })
    throw new Undone()
  })
  await attempt.catch((thrown: unknown) => {
    if (!(thrown instanceof Undone)) throw thrown
  })
}

async function upToDate({ db, migrations }: ReadyDeps): Promise<void> {
  const pending = await pendingMigrations(db, migrations)
  if (pending.length > 0) throw new Error('migrations are pending')
}

const late = (): Promise<never> =>
  new Promise((_, reject) => {
    setTimeout(() => reject(new Error('too late')), WITHIN_MS).unref()
  })
