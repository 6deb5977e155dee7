/** What journeys have left in the tenant's database, and in its audit log. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAuditReader } from '../../../src/audit/index.ts'
import { type Db, inTransaction, openDatabase, query } from '../../../src/db.ts'
import { toConsentId } from '../../../src/ids.ts'
import { Secret } from '../../../src/secret.ts'
import type { World } from '../../auth-server/support/world.ts'

export type Traces = {
  readonly db: Db
  /** Records of the engine that name the consent, by kind. */
  held(consentId: string): Promise<Readonly<Record<string, number>>>
  consents(consentId: string): Promise<readonly string[]>
  /** `lodged`, `authorize`, …, and the steps that were done, each as often as it is recorded. */
  recorded(consentId: string): Promise<readonly string[]>
  /** Nothing of the journey is on its way any more. */
  settled(consentId: string): Promise<void>
  keptAnswers(): Promise<readonly string[]>
  /** While `work` goes on nobody can change what belongs to the journey. */
  locked(consentId: string, work: () => Promise<void>): Promise<void>
  /** Somebody waits for what is locked. */
  awaited(): Promise<void>
}

export function openTraces(world: World): Traces {
  const url = readFileSync(join(dirname(world.manifest.lfis.aurora.hubConfigFile), 'database.url'), 'utf8').trim()
  const db = openDatabase({ url: new Secret(url), poolMax: 2, applicationName: 'test' })
  const rows = async <Row>(sql: string, ...bindings: string[]) => (await query<Row>(db, sql, bindings)).rows
  const consents: Traces['consents'] = async (id) =>
    (await rows<{ status: string }>('select status from consent where id = ?', id)).map(({ status }) => status)
  return {
    db,
    consents,
    held: async (id) => {
      const held = await rows<{ model: string; held: number }>(
        'select model, count(*)::int as held from oidc_model where payload::text like ? group by model',
        `%${id}%`,
      )
      return Object.fromEntries(held.map((row) => [row.model, row.held]))
    },
    recorded: async (id) => {
      const consentId = toConsentId(id)
      if (consentId === null) throw new Error('a consent id is a UUID')
      const entries = await createAuditReader({ db }).findByConsent(consentId, 1000)
      return entries.flatMap(({ entry }) => {
        const { kind, change, step, outcome } = { ...entry } as Readonly<Record<string, unknown>>
        if (kind === 'consent-changed') return [String(change)]
        return kind === 'authorization-step' && outcome === 'done' ? [String(step)] : []
      })
    },
    settled: async (id) => {
      const kept = `select 1 from oidc_model where model = 'KeptAnswer'
                    and grant_id = (select grant_id from consent where id = ?)`
      for (let tries = 0; (await rows(kept, id)).length > 0; tries += 1) {
        if (tries === 250) throw new Error('an answer that was handed over is still there')
        await sleep(20)
      }
    },
    keptAnswers: async () =>
      (await rows<{ row: string }>("select oidc_model::text as row from oidc_model where model = 'KeptAnswer'")).map(
        ({ row }) => row,
      ),
    locked: (id, work) =>
      inTransaction(db, async (tx) => {
        await query(tx, 'select 1 from consent where id = ? for update', [id])
        await query(tx, 'select 1 from oidc_model where payload::text like ? for update', [`%${id}%`])
        await work()
      }),
    awaited: async () => {
      const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
      while ((await rows(waiting)).length === 0) await sleep(20)
    },
  }
}
