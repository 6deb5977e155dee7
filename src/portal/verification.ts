/**
 * «Verify now»: in the background, one at a time among all nodes, over a bounded number of the newest entries. What came
 * out is written down, so that it shows wherever the page is opened.
 */
import { auditLogOf, verifyRecent } from '../audit/index.ts'
import { type Clock, type Instant, toInstant } from '../clock.ts'
import type { TenantConfig } from '../config.ts'
import { type Db, query } from '../db.ts'
import type { Log } from '../log.ts'

export type Verified = {
  readonly beganAt: Instant
  /** As they are called. */
  readonly beganBy: string
  readonly result: {
    readonly endedAt: Instant
    readonly ok: boolean
    readonly size: number
    readonly first: number
    readonly checked: number
    readonly fault: string | null
  } | null
}
export type Verification = {
  /** False: one is running. */
  begin(by: string): Promise<boolean>
  /** The latest first. */
  list(): Promise<readonly Verified[]>
  /** When what this process has begun has ended and is written down. */
  ended(): Promise<void>
  /** Gives up what is running. */
  close(): Promise<void>
}

export const VERIFIED_MAX = 100_000
const LISTED_MAX = 10
/** Whose process has not written an end by then is not running any more. */
const RUNNING_MS = 900_000

type Row = {
  readonly began_at: Date
  readonly began_by: string
  readonly ended_at: Date | null
  readonly ok: boolean | null
  readonly size: string | null
  readonly first: string | null
  readonly checked: string | null
  readonly fault: string | null
}

export function createVerification(deps: {
  readonly db: Db
  readonly tenant: TenantConfig
  readonly clock: Clock
  readonly log: Log
}): Verification {
  const { db, tenant, clock, log } = deps
  const ending = new AbortController()
  let running: Promise<void> = Promise.resolve()

  const run = async (id: string): Promise<void> => {
    const verdict = await verifyRecent(
      { ...auditLogOf(tenant), db },
      { newest: VERIFIED_MAX, signal: ending.signal },
    ).catch((thrown: unknown) => {
      log.error({ err: thrown }, 'the log could not be verified')
      const fault = ending.signal.aborted
        ? 'the process was stopped'
        : 'it could not be judged: see the log of the process'
      return { ok: false, size: 0, first: 0, checked: 0, fault }
    })
    if (!verdict.ok && !ending.signal.aborted) log.fatal({ fault: verdict.fault }, 'the audit log does not verify')
    await query(
      db,
      'update portal_verification set ended_at = ?, ok = ?, size = ?, first = ?, checked = ?, fault = ? where id = ?',
      [new Date(clock.now()), verdict.ok, verdict.size, verdict.first, verdict.checked, verdict.fault, id],
    )
  }

  return {
    begin: async (by) => {
      const since = new Date(clock.now() - RUNNING_MS)
      const { rows } = await query<{ readonly id: string }>(
        db,
        `insert into portal_verification (began_at, began_by) select ?, ?
         where not exists (select from portal_verification where ended_at is null and began_at > ?) returning id`,
        [new Date(clock.now()), by, since],
      )
      const [row] = rows
      if (row === undefined) return false
      running = run(row.id).catch((thrown: unknown) => log.error({ err: thrown }, 'a verdict was not written down'))
      return true
    },
    list: async () =>
      (await query<Row>(db, 'select * from portal_verification order by id desc limit ?', [LISTED_MAX])).rows.map(
        verifiedOf,
      ),
    ended: () => running,
    close: async () => {
      ending.abort()
      await running
    },
  }
}

const verifiedOf = ({ began_at, began_by, ended_at, ok, size, first, checked, fault }: Row): Verified => ({
  beganAt: toInstant(began_at),
  beganBy: began_by,
  result:
    ended_at === null || ok === null
      ? null
      : {
          endedAt: toInstant(ended_at),
          ok,
          size: Number(size),
          first: Number(first),
          checked: Number(checked),
          fault,
        },
})
