/** A database that dies at a chosen statement: before it took effect, or after. */
import type { Db } from '../../src/db.ts'

export type Fault = { readonly at: number; readonly when: 'before' | 'after' }

export class InjectedFault extends Error {}

/**
 * Counts the statements inside transactions, the commit being the last. At the chosen one the server process of that
 * connection is ended; a fault after the commit is a crash of the caller, who never learns that it went through.
 * `struck()` tells whether the fault was reached.
 */
export function failing(db: Db, fault: Fault): { readonly db: Db; struck(): boolean } {
  let count = 0
  let struck = false
  const isHere = (when: Fault['when']) => count === fault.at && when === fault.when && !struck
  const strike = async (tx: Db): Promise<never> => {
    struck = true
    await tx.raw('select pg_terminate_backend(pg_backend_pid())').catch(() => undefined)
    throw new InjectedFault(`fault ${fault.when} statement ${fault.at}`)
  }
  const wrap = (tx: Db): Db =>
    new Proxy(tx, {
      get(target, name) {
        if (name !== 'raw') return Reflect.get(target, name)
        return (...statement: Parameters<Db['raw']>) =>
          asRaw(async (options) => {
            count += 1
            if (isHere('before')) return strike(target)
            const result = await target.raw(...statement).options(options)
            return isHere('after') ? strike(target) : result
          })
      },
    })
  const transaction = async (work: (tx: Db) => Promise<unknown>): Promise<unknown> => {
    const result = await db.transaction(async (tx) => {
      const value = await work(wrap(tx))
      count += 1
      return isHere('before') ? strike(tx) : value
    })
    if (isHere('after')) {
      struck = true
      throw new InjectedFault('fault after the commit')
    }
    return result
  }
  const faulty = new Proxy(db, {
    get: (target, name) => (name === 'transaction' ? transaction : Reflect.get(target, name)),
  })
  return { db: faulty, struck: () => struck }
}

/** As knex has it: made when it is awaited, and until then it may be told to be prepared. */
function asRaw(run: (options: object) => Promise<unknown>) {
  let options = {}
  let running: Promise<unknown> | null = null
  const begun = (): Promise<unknown> => (running ??= run(options))
  const raw = {
    options: (wanted: object) => {
      options = wanted
      return raw
    },
    // biome-ignore lint/suspicious/noThenProperty: what knex returns is awaited as it is
    then: (...then: Parameters<Promise<unknown>['then']>) => begun().then(...then),
    catch: (...caught: Parameters<Promise<unknown>['catch']>) => begun().catch(...caught),
  }
  return raw
}
