import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/db.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded-postgres.ts'
import type { Secret } from '../../src/secret.ts'
import { freePort } from '../support/free-port.ts'
import { createTestDatabase } from '../support/postgres.ts'

let folder = ''
let port = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'falaj-embedded-'))
  await chmod(folder, 0o711)
  port = await freePort()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const start = () => startEmbeddedPostgres({ dataDirectory: join(folder, 'postgres'), port })
const pidFile = () => join(folder, 'postgres', 'cluster', 'postmaster.pid')

async function ask(url: Secret<string>, sql: string): Promise<unknown[]> {
  const db = openDatabase({ url, poolMax: 1, applicationName: 'test-embedded' })
  try {
    return (await db.raw(sql)).rows
  } finally {
    await db.destroy()
  }
}

async function using<T>(work: (server: EmbeddedPostgres) => Promise<T>): Promise<T> {
  const server = await start()
  try {
    return await work(server)
  } finally {
    await server.stop()
  }
}

/** A process that starts the server, says so, and then does nothing until it is ended. */
async function startElsewhere(): Promise<ChildProcess> {
  const script = `
    import { startEmbeddedPostgres } from ${JSON.stringify(join(process.cwd(), 'src/embedded-postgres.ts'))}
    await startEmbeddedPostgres(${JSON.stringify({ dataDirectory: join(folder, 'postgres'), port })})
    console.log('started')
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}

/** Starts and stops a server; returns where its data is. */
async function runIn(closed: string): Promise<string> {
  const dataDirectory = join(closed, 'postgres')
  await (await startEmbeddedPostgres({ dataDirectory, port })).stop()
  const note = join(dataDirectory, 'data-is-in')
  return existsSync(note) ? (await readFile(note, 'utf8')).trim() : dataDirectory
}

// Real servers are initialised and started here, several of them.
describe('the embedded server', { timeout: 60_000 }, () => {
  test('keeps its data, its passwords and its databases apart over a restart', async () => {
    const url = await using(async (server) => {
      await Promise.all([server.ensureDatabase('aurora'), server.ensureDatabase('meridian')])
      await ask(server.databaseUrl('aurora'), 'create table kept as select 7 as value')
      return server.databaseUrl('aurora').reveal()
    })
    await using(async (server) => {
      await server.ensureDatabase('aurora')
      expect(server.databaseUrl('aurora').reveal()).toBe(url)
      expect(await ask(server.databaseUrl('aurora'), 'select value, current_user as role from kept')).toEqual([
        { value: 7, role: 'aurora' },
      ])
    })
  })

  test('lets a tenant neither into the database of another nor near the server', async () => {
    await using(async (server) => {
      const crossing = new URL(server.databaseUrl('aurora').reveal())
      crossing.pathname = '/meridian'
      await expect(ask({ reveal: () => crossing.href } as Secret<string>, 'select 1')).rejects.toThrow(
        'permission denied',
      )
      await expect(ask(server.databaseUrl('aurora'), "select pg_read_file('PG_VERSION')")).rejects.toThrow('permission')
      expect(() => server.databaseUrl('aurora"; drop')).toThrow('not a name')
    })
  })

  test('ends with the process that started it, even one that is killed, and starts again at once', async () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
      const child = await startElsewhere()
      child.kill(signal)
      await once(child, 'exit')
      await using(async (server) => expect(await ask(server.adminUrl, 'select 1 as up')).toEqual([{ up: 1 }]))
      expect(await readFile(join(folder, 'postgres', 'server.log'), 'utf8')).not.toContain('not properly shut down')
    }
  })

  test('refuses a second server on the same data', async () => {
    await using(async () => {
      await expect(
        startEmbeddedPostgres({ dataDirectory: join(folder, 'postgres'), port: await freePort() }),
      ).rejects.toThrow('already running')
    })
  })

  test('recovers from a crash, also when the old process id belongs to somebody else by now', async () => {
    const server = await start()
    process.kill(Number((await readFile(pidFile(), 'utf8')).split('\n')[0]), 'SIGKILL')
    await server.stop()
    const left = await readFile(pidFile(), 'utf8')
    await writeFile(pidFile(), left.replace(/^\d+/, String(process.ppid)))
    await using(async (again) =>
      expect(await ask(again.databaseUrl('aurora'), 'select value from kept')).toHaveLength(1),
    )
  })

  test('waits for the sessions of a killed server before it touches their data', async () => {
    const server = await start()
    const holder = openDatabase({ url: server.adminUrl, poolMax: 1, applicationName: 'test-holder' })
    const session = Number((await holder.raw('select pg_backend_pid() as pid')).rows[0].pid)
    process.kill(session, 'SIGSTOP')
    process.kill(Number((await readFile(pidFile(), 'utf8')).split('\n')[0]), 'SIGKILL')
    await server.stop()
    const again = start()
    setTimeout(() => process.kill(session, 'SIGCONT'), 300)
    await (await again).stop()
    await holder.destroy()
  })

  test('names a port that is taken', async () => {
    const squatter = createServer().listen(port, '127.0.0.1')
    await once(squatter, 'listening')
    await expect(start()).rejects.toThrow(`port ${port} on 127.0.0.1 is taken`)
    squatter.close()
    await once(squatter, 'close')
  })

  test('works in a directory that only its owner can enter, and leaves nothing outside it', async () => {
    const isRoot = process.getuid?.() === 0
    const first = await mkdtemp(join(tmpdir(), 'falaj-closed-'))
    const where = await runIn(first)
    // Root's server works as another account, which could not enter.
    expect(where.startsWith(first)).toBe(!isRoot)
    expect(existsSync(where)).toBe(true)
    await rm(first, { recursive: true })
    // A stand-in is removed by the next start that needs one.
    const second = await mkdtemp(join(tmpdir(), 'falaj-closed-'))
    const next = await runIn(second)
    expect(existsSync(where)).toBe(false)
    await rm(second, { recursive: true })
    if (isRoot) await rm(dirname(next), { recursive: true })
  })

  test('says what the server said when it does not start', async () => {
    await expect(
      startEmbeddedPostgres({ dataDirectory: join(folder, 'postgres'), port, flags: ['shared_buffers=nonsense'] }),
    ).rejects.toThrow(/did not start: .*shared_buffers/)
  })
})

describe('a test database', () => {
  test('cannot be closed while somebody holds a connection to it', async () => {
    const database = await createTestDatabase()
    const leak = openDatabase({ url: database.url, poolMax: 1, applicationName: 'test-leak' })
    await leak.raw('select 1')
    await expect(database.close()).rejects.toThrow('being accessed by other users')
    await leak.destroy()
    await database.close()
  })
})
