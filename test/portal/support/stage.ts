/** A hub with something to do for everybody: what each act of the portal is about, and how it stands in the database. */
import { createKeyOperations } from '../../../src/keys/index.ts'
import { type Bank, startBank } from './bank.ts'
import { type Seeded, seed } from './seed.ts'
import { createPortalWorld, type PortalWorld, personNamed } from './world.ts'

export type Stage = {
  readonly world: PortalWorld
  readonly bank: Bank
  readonly seeded: Seeded
  /** Of the TPP: its own, its software statement's and its client's. */
  readonly ids: readonly [tpp: string, statement: string, client: string]
  /** The first column of the first row, or of all rows. */
  value(sql: string, ...given: readonly unknown[]): Promise<unknown>
  column(sql: string, ...given: readonly unknown[]): Promise<readonly unknown[]>
  /** As each step of its activation stands from now on. */
  steps(status: 'inactive' | 'active'): Promise<void>
  /** The one key that is next. */
  nextKey(): Promise<string>
  /** An event that nobody took. */
  deadLetter(name: string): Promise<string>
  /** Of somebody for everybody's TPPs to be blocked. */
  proposal(name: string, by: string): Promise<string>
  /** The hub is given the bank's second address, where it has the first. */
  moved(): Promise<void>
  close(): Promise<void>
}

export async function createStage(): Promise<Stage> {
  let bank: Bank | undefined
  const world = await createPortalWorld(
    {},
    {
      keys: 'stored',
      tenant: async (tenant) => {
        bank = await startBank(tenant)
        return bank.tenant
      },
    },
  )
  if (bank === undefined) throw new Error('no bank')
  const { doors, close } = bank
  const seeded = await seed(world)
  const { db } = world.database
  const column: Stage['column'] = async (sql, ...given) => {
    const { rows } = (await db.raw(sql, given as never)) as { rows: Record<string, unknown>[] }
    return rows.map((row) => Object.values(row)[0])
  }
  const value: Stage['value'] = async (sql, ...given) => (await column(sql, ...given))[0]
  const { organisationId } = world.framework.enrolment.tpp
  const statement = String(await value('select software_statement_id from client'))
  const made = new Map<string, string>()
  const once = async (name: string, make: () => Promise<unknown>): Promise<string> => {
    const id = made.get(name) ?? String(await make())
    made.set(name, id)
    return id
  }
  const next = () =>
    value(`select kid from tenant_key where use = 'sig' and activates_at > ?`, new Date(world.clock.now()))
  return {
    world,
    bank,
    seeded,
    ids: [organisationId, statement, seeded.clientId],
    value,
    column,
    steps: async (status) => {
      for (const table of ['tpp', 'software_statement', 'client'])
        await db.raw(`update ${table} set status = ?`, [status])
    },
    nextKey: async () => {
      const { tenant, config, audit, clock } = world
      const operations = createKeyOperations({
        db,
        tenant,
        environment: config.environment,
        audit,
        clock,
        actor: 'test',
      })
      const ask = { use: 'sig', kid: null, when: 'ahead', accepted: 'no harm' } as const
      return String((await next()) ?? (await operations.rotate(ask)).kid)
    },
    deadLetter: (name) =>
      once(`letter ${name}`, () =>
        value(
          `insert into outbox (at, kind, event, revision, resource, resource_id, client_id, url, body, state, attempts, settled_at, outcome)
           values (now(), 'tpp-webhook', 'moved', 2, 'account-opening', ?, 'client-1', 'https://tpp.example/events', '{}', 'dead', 7, now() + interval '1 day', 'answered 503')
           returning id`,
          name,
        ),
      ),
    proposal: (name, by) =>
      once(`proposal ${name}`, () =>
        value(
          `insert into portal_proposal (verb, input, proposed_by, proposed_name, proposed_at, expires_at)
           values ('tpps.block-all', '{}', ?, ?, now(), now() + interval '1 hour') returning id`,
          personNamed(by).subject,
          personNamed(by).name,
        ),
      ),
    moved: async () => {
      const [first, second] = doors
      await db.raw(
        `insert into lfi_endpoint select 'ozone-connect', coalesce(max(version), 0) + 1, ?, ?, now(), 'one', 'another'
         from lfi_endpoint where name = 'ozone-connect'`,
        [first.url, second.url],
      )
    },
    close: async () => {
      await world.close()
      await close()
    },
  }
}
