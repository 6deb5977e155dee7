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
  })
}

/** One unit of work. Rolls back and rethrows whatever is thrown inside. */
export function inTransaction<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return db.transaction((tx) => work(tx as Tx))
}

/**
 * Migrations are listed in code, by room, and only ever run forward: a release adds what the next one needs
 * (expand, backfill, contract), so the previous release keeps working while this runs.
 */
export async function migrate(db: Db, migrations: readonly Migration[]): Promise<readonly string[]> {
  const [, applied] = (await db.migrate.latest(migratorOptions(migrations))) as [number, string[]]
  return applied
}

export async function pendingMigrations(db: Db, migrations: readonly Migration[]): Promise<readonly string[]> {
  const [, pending] = (await db.migrate.list(migratorOptions(migrations))) as [unknown, { name: string }[]]
  return pending.map((migration) => migration.name)
}

function migratorOptions(migrations: readonly Migration[]): Knex.MigratorConfig {
  return {
    tableName: 'schema_migration',
    migrationSource: {
      getMigrations: async () => [...migrations],
      getMigrationName: (migration: Migration) => migration.name,
      getMigration: async (migration: Migration): Promise<Knex.Migration> => ({
        up: (schema) => migration.up(schema),
        down: () => Promise.reject(new Error('migrations only run forward')),
      }),
    },
  }
}

export type Binding = string | number | boolean | Date | Buffer | null | readonly string[]
export type Rows<Row> = { readonly rows: readonly Row[]; readonly rowCount: number }

/** One statement written out, where SQL says it better than a builder. Values only ever travel as bindings. */
export async function query<Row>(db: Db | Tx, sql: string, bindings: readonly Binding[] = []): Promise<Rows<Row>> {
  return (await db.raw(sql, bindings as readonly Knex.RawBinding[])) as Rows<Row>
}
