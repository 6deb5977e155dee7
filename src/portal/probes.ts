/** Whether the LFI is there: asked by an act, kept until the next time. */
import { type Clock, type Instant, toInstant } from '../clock.ts'
import { type Db, query } from '../db.ts'
import type { Connector } from '../lfi/index.ts'

const PATHS = ['/hello', '/hello-mtls'] as const

export type Probed = {
  readonly path: string
  readonly at: Instant
  readonly ok: boolean
  readonly ms: number
  readonly detail: string | null
}
export type Probes = {
  run(): Promise<void>
  list(): Promise<readonly Probed[]>
}

type Row = Omit<Probed, 'at'> & { readonly probed_at: Date }

export function createProbes(deps: {
  readonly db: Db
  readonly clock: Clock
  readonly connector: Pick<Connector, 'hello'>
}): Probes {
  const { db, clock, connector } = deps
  return {
    run: async () => {
      await Promise.all(
        PATHS.map(async (path) => {
          const { ok, ms, detail } = await connector.hello(path)
          await query(
            db,
            `insert into portal_probe (path, probed_at, ok, ms, detail) values (?, ?, ?, ?, ?)
             on conflict (path) do update
             set probed_at = excluded.probed_at, ok = excluded.ok, ms = excluded.ms, detail = excluded.detail`,
            [path, new Date(clock.now()), ok, ms, detail],
          )
        }),
      )
    },
    list: async () =>
      (await query<Row>(db, 'select * from portal_probe order by path')).rows.map(({ probed_at, ...row }) => ({
        ...row,
        at: toInstant(probed_at),
      })),
  }
}
