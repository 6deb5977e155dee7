/**
 * A backup while the database works, its machine lost, and the restore: as docs/operations/backup.md has it, with the
 * functions that backup programs call. What was taken out before (checkpoints) is held against what came back.
 */
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Audit,
  auditPublicKey,
  createAudit,
  createSealer,
  exportLog,
  verifyExport,
} from '../../src/audit/index.ts'
import { systemClock } from '../../src/clock.ts'
import { type Db, inTransaction, migrate, openDatabase, query } from '../../src/db.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded-postgres.ts'
import { migrations } from '../../src/migrations.ts'
import { unprivilegedAccount } from '../../src/unprivileged.ts'
import { blockIn, typeIn } from '../docs/guide.ts'
import { newAuditKey } from '../support/audit-key.ts'
import { silent } from '../support/audit-log.ts'
import { COMPILE_CACHE } from '../support/compile-cache.ts'
import { type ConfigFiles, writeConfigFiles } from '../support/config-files.ts'
import { freePort } from '../support/free-port.ts'
import { aurora, ENTRIES } from '../unit/audit/entries.ts'

const BOOT_MS = 120_000
const key = newAuditKey()
const publicKey = auditPublicKey(aurora, key)
let place: string
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'falaj-restore-'))
  chmodSync(place, 0o755)
})
afterAll(() => rmSync(place, { recursive: true, force: true }))

function folderOf(name: string): string {
  const folder = join(place, name)
  mkdirSync(folder)
  own(folder)
  return folder
}
/** Everything below belongs to whom the server runs as. */
function own(path: string): void {
  const account = unprivilegedAccount()
  if (account === null) return
  chownSync(path, account.uid, account.gid)
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    chownSync(join(entry.parentPath, entry.name), account.uid, account.gid)
  }
}

type Site = {
  readonly server: EmbeddedPostgres
  readonly db: Db
  readonly home: string
  readonly audit: Audit
  stop(): Promise<void>
}
async function open(name: string, flags: readonly string[], port?: number): Promise<Site> {
  const home = join(place, name)
  const server = await startEmbeddedPostgres({ dataDirectory: home, port: port ?? (await freePort()), flags })
  await untilRecovered(server)
  await server.ensureDatabase('aurora')
  const db = openDatabase({ url: server.databaseUrl('aurora'), poolMax: 4, applicationName: 'test' })
  await migrate(db, migrations)
  const audit = createAudit({ db, tenantId: aurora, clock: systemClock, log: silent })
  return {
    server,
    db,
    home,
    audit,
    stop: async () => {
      await audit.close()
      await db.destroy()
      await server.stop()
    },
  }
}

/** While it reads the archive it may be asked, and not written to. */
async function untilRecovered(server: EmbeddedPostgres): Promise<void> {
  const admin = openDatabase({ url: server.adminUrl, poolMax: 1, applicationName: 'test-recovery' })
  const recovers = async (): Promise<boolean> =>
    (await query<{ recovers: boolean }>(admin, 'select pg_is_in_recovery() as recovers')).rows[0]?.recovers ?? true
  while (await recovers()) await new Promise((done) => setTimeout(done, 50))
  await admin.destroy()
}

const log = ({ db }: Site) => ({ db, tenantId: aurora, key, clock: systemClock, log: silent })
/** So many changes, each with its entry, and a signed checkpoint over them: what a regulator or a witness takes away. */
async function work(site: Site, count: number, detail: string): Promise<string> {
  for (let n = 0; n < count; n += 1) {
    await inTransaction(site.db, async (tx) => {
      await query(
        tx,
        'insert into deviation (operation_id, path, rule, count, first_at, last_at) values (?, ?, ?, 1, now(), now())',
        [detail, String(n), 'type'],
      )
      await site.audit.append(tx, { ...ENTRIES.system, detail: `${detail} ${n}` })
    })
  }
  await createSealer(log(site)).sealNow()
  const { rows } = await query<{ note: string }>(site.db, 'select note from audit_checkpoint order by id desc limit 1')
  return rows[0]?.note ?? ''
}
async function verdictOf(site: Site, name: string, checkpoints: readonly string[]) {
  const path = join(place, name)
  await exportLog(log(site), { path })
  return verifyExport(path, { key: publicKey, checkpoints })
}
const changes = async ({ db }: Site): Promise<number> => (await query(db, 'select 1 from deviation')).rowCount

/** What pg_basebackup does: the files as they are at work, between two calls that make them a backup. */
async function backUp({ server, home }: Site, to: string): Promise<void> {
  const admin = openDatabase({ url: server.adminUrl, poolMax: 1, applicationName: 'test-backup' })
  await query(admin, "select pg_backup_start('rehearsal', true)")
  cpSync(join(home, 'cluster'), join(to, 'cluster'), {
    recursive: true,
    filter: (from) => !/postmaster\.|pg_wal\/|pgsql_tmp/.test(from),
  })
  const { rows } = await query<{ labelfile: string }>(admin, 'select labelfile from pg_backup_stop()')
  writeFileSync(join(to, 'cluster/backup_label'), rows[0]?.labelfile ?? '')
  mkdirSync(join(to, 'cluster/pg_wal'), { recursive: true })
  await admin.destroy()
}
/** All that was written until now is in the archive. */
async function archiveAll({ server }: Site, archive: string): Promise<void> {
  const admin = openDatabase({ url: server.adminUrl, poolMax: 1, applicationName: 'test-archive' })
  const { rows } = await query<{ file: string }>(admin, 'select pg_walfile_name(pg_switch_wal()) as file')
  await admin.destroy()
  while (!existsSync(join(archive, rows[0]?.file ?? ''))) await new Promise((done) => setTimeout(done, 50))
}
function bringBack(backup: string, from: string, name: string): string {
  const home = folderOf(name)
  cpSync(join(from, 'password'), join(home, 'password'))
  cpSync(join(backup, 'cluster'), join(home, 'cluster'), { recursive: true })
  writeFileSync(join(home, 'cluster/recovery.signal'), '')
  chmodSync(join(home, 'cluster'), 0o700)
  own(home)
  return home
}

/** Lines of a configuration file, as the flags that say the same. */
const settingsOf = (lines: string, archive: string): readonly string[] =>
  [...lines.matchAll(/^(\w+) = '?(.*?)'?$/gm)].map(([, name, value]) =>
    `${name}=${value}`.replaceAll('/archive', archive),
  )

test(
  'what comes back from backup and archive is the log that was, to the last checkpoint, and goes on',
  async () => {
    const archive = folderOf('archive')
    const first = await open('first', [
      'fsync=off',
      ...settingsOf(blockIn('docs/operations/backup.md', 'archive_mode = on'), archive),
    ])
    const early = await work(first, 20, 'before the backup')
    const backup = folderOf('backup')
    await backUp(first, backup)
    const late = await work(first, 30, 'after the backup')
    await archiveAll(first, archive)
    await first.stop()

    // The machine is gone; backup, archive and the keys are elsewhere.
    bringBack(backup, first.home, 'second')
    rmSync(first.home, { recursive: true })
    const reading = settingsOf(blockIn('docs/operations/backup.md', 'restore_command'), archive)
    const second = await open('second', ['fsync=off', ...reading])
    expect(await changes(second)).toBe(50)
    expect(await verdictOf(second, 'restored', [early, late])).toMatchObject({ ok: true })

    const next = await work(second, 10, 'after the restore')
    expect(await verdictOf(second, 'gone-on', [early, late, next])).toMatchObject({ ok: true })
    await second.stop()
  },
  BOOT_MS,
)

test(
  'a restore that lost what was signed is found out by the checkpoint that somebody kept',
  async () => {
    const archive = folderOf('old-archive')
    const first = await open('third', ['fsync=off', 'archive_mode=on', `archive_command=cp %p ${archive}/%f`])
    await work(first, 5, 'kept')
    const backup = folderOf('old-backup')
    await backUp(first, backup)
    const then = folderOf('archive-then')
    cpSync(archive, then, { recursive: true })
    own(then)
    const late = await work(first, 5, 'lost')
    await first.stop()
    // What was archived since the backup is lost as well.
    bringBack(backup, first.home, 'fourth')
    const second = await open('fourth', ['fsync=off', `restore_command=cp ${then}/%f %p`])
    expect(await changes(second)).toBe(5)
    expect(await verdictOf(second, 'shorter', [])).toMatchObject({ ok: true })
    expect(await verdictOf(second, 'shorter-held-against', [late])).toMatchObject({ ok: false })
    // It cannot grow into the old shape again either: other entries stand where the lost ones stood.
    await work(second, 9, 'instead')
    expect(await verdictOf(second, 'regrown', [late])).toMatchObject({ ok: false })
    await second.stop()
  },
  BOOT_MS,
)

/** The program of the guide is in none of our packages; the functions that it calls are in every server. */
const PROGRAM = baseBackupProgram()
const WAYS = ['functions', 'program'] as const

test.for(WAYS)(
  `the commands of the guide take a checkpoint out, start what was restored, and hold the one against the other: by the %s${
    PROGRAM ? '' : ' (without the program: no pg_basebackup 18 here)'
  }`,
  { timeout: BOOT_MS },
  async (way, { skip }) => {
    skip(way === 'program' && !PROGRAM)
    const [archive, elsewhere] = [folderOf(`${way}-archive`), folderOf(`${way}-elsewhere`)]
    const port = await freePort()
    const first = await open(
      `${way}-first`,
      ['fsync=off', 'archive_mode=on', `archive_command=cp %p ${archive}/%f`],
      port,
    )
    await work(first, 5, 'kept')
    const files = await deployment()
    const bin = folderOf(`${way}-bin`)
    writeFileSync(join(bin, 'falaj'), `#!/bin/sh\nexec ${process.execPath} ${resolve('src/main.ts')} "$@"\n`, {
      mode: 0o755,
    })
    const type = (commands: string) => {
      const own = commands.replaceAll('/elsewhere', elsewhere).replace('falaj/aurora+…', publicKey)
      const environment = { PATH: `${bin}:${process.env['PATH']}`, ...COMPILE_CACHE }
      return typeIn(
        files.folder,
        { ...environment, EXAMPLE_DATABASE_URL: first.server.databaseUrl('aurora').reveal() },
        own,
      )
    }
    await type(
      blockIn(
        'docs/operations/backup.md',
        'falaj audit export --config deployment.json --tenant aurora --out exported',
      ),
    )
    const [day = ''] = readdirSync(elsewhere)
    expect(day).toMatch(/^\d{4}-\d\d-\d\d$/)

    const backup = folderOf(`${way}-backup`)
    await (way === 'program' ? backUpByProgram(first, backup) : backUp(first, backup))
    await work(first, 5, 'since')
    await archiveAll(first, archive)
    const programs = await programsOf(first)
    await first.stop()
    const cluster = join(bringBack(backup, first.home, `${way}-second`), 'cluster')
    const archived = blockIn('docs/operations/backup.md', 'restore_command').replaceAll('/archive', archive)
    const place = [`port = ${port}`, 'fsync = off', "unix_socket_directories = ''", "listen_addresses = '127.0.0.1'"]
    appendFileSync(join(cluster, 'postgresql.conf'), [archived, ...place, ''].join('\n'))
    rmSync(join(cluster, 'recovery.signal'))
    const home = folderOf(`${way}-server`)
    const typeAsServer = (commands: string) =>
      typeIn(home, { PATH: `${programs}:${process.env['PATH']}` }, commands, unprivilegedAccount())
    await typeAsServer(
      blockIn('docs/operations/backup.md', 'touch /restored/recovery.signal').replaceAll('/restored', cluster),
    )
    try {
      await untilRecovered(first.server)
      const verify = blockIn(
        'docs/operations/backup.md',
        'falaj audit export --config deployment.json --tenant aurora --out restored',
      )
      expect(await type(verify.replace('2026-03-01', day))).toMatch(/^VERIFIED/m)
    } finally {
      await typeAsServer(`pg_ctl stop -D ${cluster}`)
      files.close()
    }
  },
)

function baseBackupProgram(): boolean {
  const { stdout } = spawnSync('pg_basebackup', ['--version'], { encoding: 'utf8' })
  return /\(PostgreSQL\) 18\./.test(stdout ?? '')
}

/** As the guide has it, with the account that it makes. */
async function backUpByProgram({ server }: Site, to: string): Promise<void> {
  const admin = openDatabase({ url: server.adminUrl, poolMax: 1, applicationName: 'test-backup' })
  await query(admin, "create role falaj_backup login replication password 'backup'")
  await admin.destroy()
  const url = new URL(server.adminUrl.reveal())
  url.username = 'falaj_backup'
  url.password = 'backup'
  const commands = blockIn('docs/operations/backup.md', 'pg_basebackup').replaceAll('/backup', to)
  await typeIn(to, { BACKUP_URL: url.href }, commands)
  const [made = ''] = readdirSync(to).filter((name) => /^\d{4}-\d\d-\d\d$/.test(name))
  renameSync(join(to, made), join(to, 'cluster'))
}

/** Where the server that runs was started from, and pg_ctl is as well. */
async function programsOf({ server }: Site): Promise<string> {
  const admin = openDatabase({ url: server.adminUrl, poolMax: 1, applicationName: 'test-programs' })
  const { rows } = await query<{ setting: string }>(admin, "select setting from pg_config() where name = 'BINDIR'")
  await admin.destroy()
  return rows[0]?.setting ?? ''
}

async function deployment(): Promise<ConfigFiles> {
  const files = await writeConfigFiles()
  const tenant = { ...files.tenant(), id: 'aurora' }
  // The database of a test speaks no TLS.
  files.write({ tenant, deployment: { ...files.deployment(), environment: 'sandbox' } })
  const { keyFile } = (tenant as unknown as { keys: { audit: { keyFile: string } } }).keys.audit
  writeFileSync(join(files.folder, 'tenants', keyFile), key.reveal())
  return files
}
