import type { Socket } from 'node:net'
import knex, { type Knex } from 'knex'
import type { Secret } from './secret.ts'

export type Db = Knex
declare const inside: unique symbol
/** Exists only inside a unit of work: a function that writes takes a Tx, and only `inTransaction` makes one. */
export type Tx = Knex.Transaction & { readonly [inside]: true }

export type Migration = { readonly name: string; up(db: Knex): Promise<void> }

/** In milliseconds, as deployment.schema.json has them. */
export type Patience = {
  /** For a connection that is free, or a new one. */
  readonly acquireMs: number
  /** For a statement, and between two of a transaction; PostgreSQL ends what takes longer. */
  readonly statementMs: number
}
export const PATIENCE: Patience = { acquireMs: 10_000, statementMs: 15_000 }
/** Longer than a statement may take, the server would have said something: there is none any more. */
const SILENCE_MS = 2_000

export function openDatabase(options: {
  readonly url: Secret<string>
  readonly poolMax: number
  readonly applicationName: string
  readonly patience?: Patience
  /** For whoever migrates: a statement takes as long as it takes, and nothing is heard meanwhile. */
  readonly isLong?: boolean
}): Db {
  const { acquireMs, statementMs } = options.patience ?? PATIENCE
  return knex({
    client: 'pg',
    connection: {
      connectionString: options.url.reveal(),
      application_name: options.applicationName,
      keepAlive: true,
      connectionTimeoutMillis: acquireMs,
      statement_timeout: statementMs,
      idle_in_transaction_session_timeout: statementMs,
    },
    pool: {
      min: 0,
      max: options.poolMax,
      acquireTimeoutMillis: acquireMs,
      idleTimeoutMillis: 30_000,
      afterCreate: (connection: Connection, done: (error: null, connection: Connection) => void) => {
        if (options.isLong !== true) endSilence(connection, statementMs + SILENCE_MS)
        done(null, connection)
      },
    },
    asyncStackTraces: false,
    // The message of a failed statement must not carry its values: it is logged.
    compileSqlOnError: false,
    // Whoever asked hears of a fault as an error; lines of knex's own would not be JSON.
    log: { warn: () => {}, error: () => {}, deprecate: () => {}, debug: () => {} },
  })
}

type Connection = { readonly connection: { readonly stream: Socket }; readonly readyForQuery: boolean }

/**
 * `statement_timeout` is kept by the server. Where that has gone without a word (a cable, a firewall that forgot), a
 * statement would wait for ever, and with it its caller and the connection.
 */
function endSilence(client: Connection, afterMs: number): void {
  const { stream } = client.connection
  stream.setTimeout(afterMs)
  stream.on('timeout', () => {
    if (!client.readyForQuery) stream.destroy(new Error('the database has gone silent'))
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
