/** The sandbox from its first start to its last: what it keeps, what it says, and that it never leaves anything behind. */
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { delimiter, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Manifest } from '../../sandbox/manifest.ts'
import { openDatabase, query } from '../../src/db.ts'
import { Secret } from '../../src/secret.ts'
import { falaj } from '../support/cli.ts'
import { findPlace, type Place, type Running, startProgram, untilUp } from '../support/sandbox-process.ts'

const START_MS = 180_000
/** A participant that does not stop by itself is ended after 15 s (sandbox/children.ts), which a busy machine may need. */
const GONE_WITHIN_MS = 20_000

let place: Place
let running: Running | null = null
beforeAll(async () => {
  place = await findPlace()
})
afterAll(() => place.remove())
afterEach(async () => {
  // Only after a failed test is there anything left to end.
  running?.child.kill('SIGKILL')
  await place.untilGone(20_000)
  running = null
})

function start(...args: string[]): Running {
  running = startProgram([...place.arguments, ...args])
  return running
}

async function run(...args: string[]) {
  const ran = startProgram(args, { program: [process.execPath, 'src/main.ts', 'sandbox'] })
  return { status: await ran.ended, output: ran.output() }
}

/** Clients and consents of a bank's hub. */
async function kept(): Promise<{ readonly clients: string[]; readonly consents: string[] }> {
  const url = new Secret(readFileSync(join(place.dataDir, 'hubs', 'aurora', 'database.url'), 'utf8').trim())
  const db = openDatabase({ url, poolMax: 1, applicationName: 'test-lifecycle' })
  const ids = async (sql: string) => (await query<{ id: string }>(db, sql)).rows.map((row) => row.id)
  try {
    return {
      clients: await ids('select client_id as id from client order by 1'),
      consents: await ids('select id from consent order by 1'),
    }
  } finally {
    await db.destroy()
  }
}

/** Status of a GET with the TPP's certificate, the server's being verified. */
async function statusOf(url: string, manifest: Manifest): Promise<number> {
  const transport = manifest.tpp.clients[0]?.transport
  const sent = request(url, {
    agent: false,
    ca: readFileSync(manifest.trustFramework.caFile),
    cert: readFileSync(transport?.certificateFile ?? ''),
    key: readFileSync(transport?.keyFile ?? ''),
  })
  sent.end()
  const [response] = await once(sent, 'response')
  response.resume()
  return response.statusCode as number
}

function textsIn(part: unknown): readonly string[] {
  if (typeof part === 'string') return [part]
  return part !== null && typeof part === 'object' ? Object.values(part).flatMap(textsIn) : []
}

const stopped = async (sandbox: Running, signal: () => void): Promise<number | NodeJS.Signals | null> => {
  const began = performance.now()
  signal()
  const status = await sandbox.ended
  await place.untilGone(GONE_WITHIN_MS)
  expect(performance.now() - began).toBeLessThan(GONE_WITHIN_MS)
  return status
}

describe('a sandbox', { timeout: START_MS }, () => {
  let first: Awaited<ReturnType<typeof kept>>

  test('starts, tells everything in its manifest, serves one demo and stops at SIGINT', async () => {
    const sandbox = start()
    const manifest = await untilUp(sandbox, place)
    const texts = textsIn(manifest)
    // One address is left free for the reader's own program.
    const free = manifest.tpp.ownWebhooks.url
    const urls = texts.filter((text) => text.startsWith('https://') && text !== free)
    expect(urls.length).toBeGreaterThan(12)
    for (const url of urls) expect(await statusOf(url, manifest), url).toBeLessThan(500)
    for (const url of [manifest.edge, manifest.trustFramework.participants, manifest.lfis.meridian.discovery]) {
      expect(await statusOf(url, manifest), url).toBe(200)
    }
    const files = texts.filter((text) => text.startsWith('/'))
    expect(files.length).toBeGreaterThan(20)
    expect(files.filter((file) => !existsSync(file))).toEqual([])
    expect(sandbox.output()).toContain(manifest.edge)
    for (const lfi of Object.values(manifest.lfis)) {
      for (const user of lfi.users) expect(sandbox.output()).toMatch(new RegExp(`${user.username} +${user.password}`))
    }

    // And beside that some calls are made at each bank, for the portals to show.
    const day = new Date(Date.now() + 4 * 3_600_000).toISOString().slice(0, 10)
    for (const [code, { hubConfigFile }] of Object.entries(manifest.lfis)) {
      const raw = ['report', 'raw', '--config', hubConfigFile, '--tenant', code, '--from', day, '--to', day]
      const rules = async () => (await falaj(raw)).out
      await expect.poll(rules, { timeout: 90_000, interval: 1_000 }).toContain('"consent.permission"')
    }

    const again = await run('start', ...place.arguments)
    expect(again.status).toBe(1)
    expect(again.output).toBe(
      `a sandbox is already running from this folder: ${manifest.edge} (process ${manifest.pid})\n`,
    )
    const reset = await run('reset', ...place.arguments)
    expect([reset.status, existsSync(manifest.trustFramework.caFile)]).toEqual([1, true])

    const elsewhere = join(place.dataDir, '..', 'other')
    const taken = await run('start', '--port', String(place.basePort), '--data', elsewhere)
    expect(taken.status).toBe(1)
    expect(taken.output).toMatch(/^these ports are taken by other programs:\n/)
    expect(taken.output).toContain(`  ${place.basePort + 3}  edge (the page you open)\n`)
    expect(taken.output).toContain(`  ${place.basePort + 22}  hub of Aurora Bank, rs\n`)
    expect(taken.output).toContain('choose another base with --port')
    expect(existsSync(elsewhere)).toBe(false)

    const demo = await run('demo', ...place.arguments)
    expect(demo.status, demo.output).toBe(0)
    first = await kept()
    expect([first.clients.length > 0, first.consents.length > 0]).toEqual([true, true])

    expect(await stopped(sandbox, () => sandbox.child.kill('SIGINT'))).toBe(0)
    expect(sandbox.output()).toContain('asked to stop; stopping …')
    expect(existsSync(join(place.dataDir, 'manifest.json'))).toBe(false)
  })

  test('keeps its state over a restart, and ends with the program that started it, even if that is killed', async () => {
    const sandbox = start()
    await untilUp(sandbox, place)
    expect(await kept()).toEqual(first)
    expect(await stopped(sandbox, () => sandbox.child.kill('SIGKILL'))).toBe('SIGKILL')
  })

  test('leaves no orphans when its orchestrator is killed, and starts again after that', async () => {
    const sandbox = start()
    const manifest = await untilUp(sandbox, place)
    expect(await stopped(sandbox, () => process.kill(manifest.pid, 'SIGKILL'))).toBe(1)
    expect(existsSync(join(place.dataDir, 'manifest.json'))).toBe(true)
  })

  test('stops when a participant crashes, and says which', async () => {
    const sandbox = start()
    await untilUp(sandbox, place)
    expect(await kept()).toEqual(first)
    const bank = place.processes().find((line) => line.includes('bank-meridian.settings.json'))
    const pid = Number(bank?.trim().split(' ')[0])
    expect(pid).toBeGreaterThan(1)
    expect(await stopped(sandbox, () => process.kill(pid, 'SIGKILL'))).toBe(1)
    const log = join(place.dataDir, 'logs', 'bank-meridian.log')
    expect(sandbox.output()).toContain(`bank-meridian ended on its own (see ${log}); stopping …`)
  })

  test('started by npm with another Node first on the PATH, forgets when asked, and stops at Ctrl-C', async () => {
    // As from a shell: npm itself puts node_modules/.bin first.
    const folders = (process.env['PATH'] ?? '').split(delimiter)
    const path = folders.filter((folder) => !folder.includes('node_modules')).join(delimiter)
    const npm = ['npm', 'start', '--', ...place.arguments, '--fresh']
    const sandbox = startProgram([], { program: npm, path, isGroup: true })
    running = sandbox
    await untilUp(sandbox, place)
    expect(await kept()).toEqual({ clients: [], consents: [] })
    // A terminal sends the signal to everybody in the foreground, and npm's shell does not wait for the rest of us.
    const status = await stopped(sandbox, () => process.kill(-(sandbox.child.pid ?? 0), 'SIGINT'))
    expect([0, 'SIGINT']).toContain(status)
    expect(sandbox.output().match(/asked to stop/g)).toHaveLength(1)
    expect(sandbox.output()).toContain('stopped. Everything is kept')
  })

  test('that is stopped while it starts leaves nothing behind', async () => {
    const sandbox = start()
    while (!sandbox.output().includes('trust framework, hubs')) await new Promise((resolve) => setTimeout(resolve, 20))
    await stopped(sandbox, () => sandbox.child.kill('SIGINT'))
  })
})

describe('a folder that is no sandbox', () => {
  test('is not deleted, whatever was asked', async () => {
    const folder = join(place.dataDir, '..', 'precious')
    mkdirSync(folder)
    writeFileSync(join(folder, 'thesis.txt'), 'years of work')
    for (const args of [['reset'], ['start', '--fresh']]) {
      const { status, output } = await run(...args, '--port', String(place.basePort), '--data', folder)
      expect([status, output]).toEqual([1, `${folder} is not the folder of a sandbox, so it is not deleted\n`])
    }
    expect(existsSync(join(folder, 'thesis.txt'))).toBe(true)
    const { status } = await run('reset', ...place.arguments)
    expect([status, existsSync(place.dataDir)]).toEqual([0, false])
  })
})
