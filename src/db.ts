import knex, { type Knex } from 'knex'
import type { Secret } from './secret.ts'

export type Db = Knex
declare const inside: unique symbol
/** Exists only inside a unit of work: a function that writes takes a Tx, and only `inTransaction` makes one. */
export type Tx = Knex.Transaction & { readonly [inside]: true }

export type Migration = { readonly name: string; up(db: Knex): Promise<void> }

export function openDatabase(options: {
  readonly url: Secret<string>
  readonly poolMax: number
  readonly applicationName: string
}): Db {
  return knex({
    client: 'pg',
    connection: {
      connectionString: options.url.reveal(),
      application_name: options.applicationName,
      keepAlive: true,
      statement_timeout: 15_000,
      idle_in_transaction_session_timeout: 15_000,
    },
    pool: { min: 0, max: options.poolMax, acquireTimeoutMillis: 10_000, idleTimeoutMillis: 30_000 },
    asyncStackTraces: false,
    // The message of a failed statement must not carry its values: it is logged.
    compileSqlOnError: false,
    // Whoever asked hears of a fault as an error; lines of knex's own would not be JSON.
    log: { warn: () => {}, error: () => {}, deprecate: () => {}, debug: () => {} },
  })
}

/** How busy the pool of connections is. */
export function poolUsage(db: Db): { readonly used: number; readonly free: number; readonly waiting: number } {
  const { pool } = db.client as { pool: Record<'numUsed' | 'numFree' | 'numPendingAcquires', () => number> }
  return { used: pool.numUsed(), free: pool.numFree(), waiting: pool.numPendingAcquires() }
}

/** One unit of work. Rolls back and rethrows whatever is thrown inside. */
export function inTransaction<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return db.transaction((tx) => work(tx as Tx))
}

/** Several reads of one and the same moment. */
export function inSnapshot<T>(db: Db, work: (snapshot: Db) => Promise<T>): Promise<T> {
  return db.transaction(work, { isolationLevel: 'repeatable read', readOnly: true })
}

/** Any number that nothing else locks; processes of all releases agree on it. */
const MIGRATION_LOCK = 1_178_692_970

/** Whoever changes tables, or rights to them, waits here until nobody else does. */
export async function takeTurn(tx: Tx): Promise<void> {
  // Neither waiting for one's turn nor a long migration is a statement gone astray.
  await query(tx, 'set local statement_timeout = 0')
  await query(tx, 'select pg_advisory_xact_lock(?)', [MIGRATION_LOCK])
}

/**
 * Migrations are listed in code, by room, and only ever run forward: a release adds what the next one needs
 * (expand, backfill, contract), so the previous release keeps working while this runs; a name it does not know is no
 * fault for the same reason. Processes that do this at once take turns, and a crash leaves no lock behind.
 */
export async function migrate(db: Db, migrations: readonly Migration[]): Promise<readonly string[]> {
  const applied: string[] = []
  // The account of a running hub may not create tables: it finds that it need not.
  if ((await pendingMigrations(db, migrations)).length === 0) return applied
  for (const migration of migrations) {
    const isNew = await inTransaction(db, (tx) => applyOnce(tx, migration))
    if (isNew) applied.push(migration.name)
  }
  return applied
}

async function applyOnce(tx: Tx, migration: Migration): Promise<boolean> {
  await takeTurn(tx)
  await query(
    tx,
    `create table if not exists schema_migration
       (name text primary key, applied_at timestamptz not null default now())`,
  )
  const inserted = await query(
    tx,
    `insert into schema_migration (name) select ?::text
     where not exists (select 1 from schema_migration where name = ?)`,
    [migration.name, migration.name],
  )
  if (inserted.rowCount === 0) return false
  await migration.up(tx)
  return true
}

export async function pendingMigrations(db: Db, migrations: readonly Migration[]): Promise<readonly string[]> {
  const known = await query<{ readonly exists: boolean }>(
    db,
    "select to_regclass('schema_migration') is not null as exists",
  )
  const applied = known.rows[0]?.exists
    ? (await query<{ readonly name: string }>(db, 'select name from schema_migration')).rows
    : []
  const names = new Set(applied.map((row) => row.name))
  return migrations.map((migration) => migration.name).filter((name) => !names.has(name))
}

export type Binding = string | number | boolean | Date | Buffer | null | readonly string[] | readonly Buffer[]
export type Rows<Row> = { readonly rows: readonly Row[]; readonly rowCount: number }

/** One statement written out, where SQL says it better than a builder. Values only ever travel as bindings. */
export async function query<Row>(db: Db | Tx, sql: string, bindings: readonly Binding[] = []): Promise<Rows<Row>> {
  return (await db.raw(sql, bindings as readonly Knex.RawBinding[])) as Rows<Row>
}

/** The same, planned once per connection: for statements that every call makes. The name stands for the text. */
export async function prepared<Row>(
  db: Db | Tx,
  name: string,
  sql: string,
  bindings: readonly Binding[],
): Promise<Rows<Row>> {
  return (await db.raw(sql, bindings as readonly Knex.RawBinding[]).options({ name })) as Rows<Row>
}
