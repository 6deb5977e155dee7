/**
 * One request, one transaction. The engine saves each of its records the moment it has made it, and a process that
 * dies in between would leave half of them. Here they are gathered while the engine works, and written together with
 * what the consent store has to say and the audit entries: after the answer is known and before it leaves. So either
 * all of it has happened or nothing has, and no connection is held while the engine verifies, signs, or asks others.
 *
 * A request sees what it has gathered. What others do meanwhile it meets when it is written: the statements that guard
 * single use (engine-records.ts) fail then, and the whole of it with them.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { inTransaction, type Tx } from '../db.ts'
import {
  alreadyUsed,
  consumeRow,
  type EngineRow,
  endGrant,
  findRow,
  putRows,
  type Records,
  type RecordsDeps,
  removeRow,
  removeUnder,
  useOnce,
} from './engine-records.ts'

type Work = (tx: Tx) => Promise<void>

export type Unit = Records & {
  /** Written with the rest, ahead of the engine's records. May throw, and nothing is written then. */
  join(work: Work): void
  /** Takes back what was given: a refused request takes away (a used jti, an ended grant), and gives nothing. */
  withdraw(): void
  /** Takes back everything: the request turned out to be nobody's. */
  forget(): void
  /** No grant ends after all. */
  spareGrants(): void
  endsGrant(): boolean
  gives(model: string): boolean
  isEmpty(): boolean
  commit(more: Work): Promise<void>
}

const running = new AsyncLocalStorage<Unit>()

/** The adapter's way to the unit of the request that the engine is at work on; null: what it writes is written at once. */
export const currentUnit = (): Unit | null => running.getStore() ?? null

export type InUnit = <T>(work: (unit: Unit) => Promise<T>) => Promise<T>

export function createUnits(deps: RecordsDeps): InUnit {
  return (work) => {
    const unit = createUnit(deps)
    return running.run(unit, () => work(unit))
  }
}

const keyOf = (model: string, id: string): string => `${model} ${id}`

function createUnit(deps: RecordsDeps): Unit {
  const used: EngineRow[] = []
  const endedGrants = new Set<string>()
  const joined: Work[] = []
  const consumed = new Map<string, EngineRow>()
  const put = new Map<string, EngineRow>()
  const removed = new Map<string, Pick<EngineRow, 'model' | 'id'>>()
  const removedUnder: { readonly model: string; readonly grantId: string }[] = []
  /** Read once, because the engine reads some of them three times over. */
  const read = new Map<string, EngineRow | null>()
  const now = () => new Date(deps.clock.now())

  const known = (key: string): EngineRow | null | undefined => {
    if (removed.has(key)) return null
    return consumed.get(key) ?? put.get(key) ?? read.get(key)
  }
  const find = async (model: string, id: string): Promise<EngineRow | null> => {
    const key = keyOf(model, id)
    const seen = known(key)
    if (seen !== undefined) return seen
    const row = await findRow(deps.db, model, id)
    read.set(key, row)
    return row
  }
  const spareGrants = () => {
    endedGrants.clear()
    removedUnder.length = 0
  }
  const withdraw = () => {
    joined.length = 0
    for (const given of [consumed, put, removed]) given.clear()
  }
  const write = async (tx: Tx): Promise<void> => {
    for (const row of used) await useOnce(tx, row, now())
    // The consent's row is locked before those of the engine, here and wherever a consent ends.
    for (const work of joined) await work(tx)
    for (const grantId of endedGrants) await endGrant(tx, grantId, deps.detachGrant)
    for (const { model, id } of consumed.values()) await consumeRow(tx, model, id, now())
    for (const { model, grantId } of removedUnder) {
      if (!endedGrants.has(grantId)) await removeUnder(tx, model, grantId)
    }
    for (const { model, id } of removed.values()) await removeRow(tx, model, id)
    await putRows(tx, [...put.values()])
  }

  return {
    find,
    put: async (row) => {
      const key = keyOf(row.model, row.id)
      removed.delete(key)
      put.set(key, row)
    },
    useOnce: async (row) => void used.push(row),
    consume: async (model, id) => {
      const row = await find(model, id)
      if (row === null || row.consumedAt !== null) throw alreadyUsed(model)
      consumed.set(keyOf(model, id), { ...row, consumedAt: now() })
    },
    remove: async (model, id) => {
      const key = keyOf(model, id)
      put.delete(key)
      consumed.delete(key)
      removed.set(key, { model, id })
    },
    removeUnder: async (model, grantId) => void removedUnder.push({ model, grantId }),
    endGrant: async (grantId) => void endedGrants.add(grantId),
    join: (work) => void joined.push(work),
    withdraw,
    forget: () => {
      withdraw()
      spareGrants()
      used.length = 0
    },
    spareGrants,
    endsGrant: () => endedGrants.size > 0,
    gives: (model) => [...put.values()].some((row) => row.model === model),
    isEmpty: () =>
      [used, joined, removedUnder].every(({ length }) => length === 0) &&
      [endedGrants, consumed, put, removed].every(({ size }) => size === 0),
    commit: (more) =>
      retryingOnce(() =>
        inTransaction(deps.db, async (tx) => {
          await write(tx)
          await more(tx)
        }),
      ),
  }
}

/** serialization_failure, deadlock_detected: PostgreSQL gave way to somebody else, and nothing was written. */
const TRANSIENT: ReadonlySet<unknown> = new Set(['40001', '40P01'])

async function retryingOnce(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && TRANSIENT.has(thrown.code))) throw thrown
    await work()
  }
}
