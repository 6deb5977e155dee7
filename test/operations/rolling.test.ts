/**
 * Two processes of a hub on one PostgreSQL, behind a TCP balancer, under load. The bank moves to another address, they
 * are restarted one after the other with new certificates in the place of the old, upgraded to a release that has
 * migrated the database before, and one of them is killed.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { query } from '../../src/db.ts'
import { inDatabase } from '../auth-server/support/database.ts'
import { send } from '../auth-server/support/tpp.ts'
import { startWorld, type World } from '../auth-server/support/world.ts'
import { executed } from '../loss-proof/support/payment.ts'
import { startBalancer } from './support/balancer.ts'
import { type Gate, startGate } from './support/gate.ts'
import { startLoad } from './support/load.ts'
import { createNode, type HubNode, ROLES } from './support/node.ts'
import { renewCertificates, shownAt } from './support/renewal.ts'

const BOOT_MS = 240_000
const RUN_MS = 400_000
const WORKERS = 3
/** Longer than the balancer takes to ask a node how it is. */
const NOTICE_SECONDS = 2
const RELEASE = resolve(import.meta.dirname, '../..')

let world: World
let balancer: Awaited<ReturnType<typeof startBalancer>>
let nodes: readonly [HubNode, HubNode]
let gate: Gate
let next: string
let doors: Readonly<Record<(typeof ROLES)[number], string>>
beforeAll(async () => {
  world = await startWorld()
  gate = await startGate()
  balancer = await startBalancer(ROLES)
  const at = (role: string): string => `https://localhost:${balancer.ports[role]}`
  doors = { as: at('as'), rs: at('rs'), hh: at('hh'), cm: at('cm') }
  nodes = [
    await createNode(world, 'node-one', doors, NOTICE_SECONDS),
    await createNode(world, 'node-two', doors, NOTICE_SECONDS),
  ]
  for (const node of nodes) {
    const ready = `https://localhost:${node.ports.admin}/health/ready`
    balancer.add({ ...node, isReady: async () => (await world.console.send(ready)).status === 200 })
    await node.start(RELEASE)
    await balancer.untilHealthy(node.name)
  }
  next = releaseWithOneMoreColumn()
}, BOOT_MS)
afterAll(async () => {
  for (const node of nodes) await node.stop()
  await balancer.close()
  await gate.close()
  await world.close()
  rmSync(next, { recursive: true, force: true })
}, BOOT_MS)

/** The release after this one: the same sources, and one migration more. */
function releaseWithOneMoreColumn(): string {
  const folder = mkdtempSync(join(tmpdir(), 'falaj-next-'))
  for (const each of ['src', 'schemas', 'config', 'package.json']) {
    cpSync(join(RELEASE, each), join(folder, each), { recursive: true })
  }
  symlinkSync(join(RELEASE, 'node_modules'), join(folder, 'node_modules'))
  const file = join(folder, 'src/migrations.ts')
  const added =
    "  { name: '9999-next', up: async (db) => void (await db.raw('alter table consent add column of_the_next_release text')) },\n]"
  writeFileSync(file, readFileSync(file, 'utf8').replace(/\]\s*$/, `${added}\n`))
  return folder
}

/** As two people set it in the portal; both processes say that they have followed. */
async function moveBank(): Promise<void> {
  const [file] = (JSON.parse(readFileSync(nodes[0].configFile, 'utf8')) as { tenants: string[] }).tenants
  const folder = dirname(nodes[0].configFile)
  const { lfi } = JSON.parse(readFileSync(join(folder, file ?? ''), 'utf8')) as { lfi: { ozoneConnectUrl: string } }
  gate.aim({ host: '127.0.0.1', port: Number(new URL(lfi.ozoneConnectUrl).port) })
  const moved = `https://localhost:${gate.port}`
  await inDatabase(world, async (db) => {
    await query(
      db,
      `insert into lfi_endpoint (name, version, before, after, set_at, proposed_by, approved_by)
       values ('ozone-connect', 1, ?, ?, now(), 'one', 'another')`,
      [lfi.ozoneConnectUrl, moved],
    )
  })
  for (const { name } of nodes) {
    const said = () => readFileSync(join(folder, `${name}.log`), 'utf8')
    await expect.poll(said, { timeout: 15_000 }).toContain(`"url":"${moved}"`)
  }
  const before = gate.opened()
  await expect.poll(() => gate.opened(), { timeout: 15_000 }).toBeGreaterThan(before)
}

async function restart(node: HubNode, release: string): Promise<void> {
  expect(await node.stop()).toBe(0)
  await node.start(release)
  await balancer.untilHealthy(node.name)
}

/** The certificate of every listener of both. */
const shown = (): Promise<readonly string[]> =>
  Promise.all(
    nodes.flatMap(({ ports }) => ROLES.map((role) => shownAt(ports[role], world.manifest.trustFramework.caFile))),
  )

test(
  'the bank moved, both restarted in turn with new certificates, upgraded, and one killed: no call fails but those that the killed one was answering',
  async () => {
    const load = startLoad(world, doors, WORKERS)
    const [one, other] = nodes
    await expect.poll(() => load.calls.count, { timeout: 30_000 }).toBeGreaterThan(10)
    await moveBank()
    await sleep(500)
    expect(load.failures).toEqual([])

    // Certificates are read at the start: new files, and one process after the other.
    const renewed = await renewCertificates(world)
    expect(await shown()).not.toContain(renewed)
    for (const node of nodes) await restart(node, RELEASE)
    expect(await shown()).toEqual(nodes.flatMap(() => ROLES.map(() => renewed)))
    expect(load.failures).toEqual([])

    const { stdout } = await promisify(execFile)(process.execPath, [
      join(next, 'src/main.ts'),
      ...['migrate', '--config', one.configFile],
    ])
    expect(stdout).toBe('aurora: applied 9999-next\n')
    // The previous release goes on with the new table.
    await sleep(1_000)
    for (const node of nodes) await restart(node, next)
    expect(load.failures).toEqual([])

    // Callers keep their connections, so most of them are at one of the two.
    const busy = balancer.open(one.name) > balancer.open(other.name) ? one : other
    const open = balancer.open(busy.name)
    expect(open).toBeGreaterThan(0)
    await busy.kill()
    // Until its callers have heard that their connections ended with it.
    await sleep(200)
    const goneAt = performance.now()
    // Whoever is sent there meanwhile is sent on: nobody takes the connection.
    await sleep(2_000)
    await busy.start(next)
    await balancer.untilHealthy(busy.name)
    await sleep(1_000)
    await load.stop()

    // A call at most for each connection that was open to it.
    expect(load.failures.length).toBeLessThanOrEqual(open)
    for (const { startedAt, what, why } of load.failures) expect(startedAt, `${what}: ${why}`).toBeLessThan(goneAt)

    await expectNothingLost(load)
    process.stdout.write(
      `\n${load.calls.count} calls, ${load.shared.length} consents, ${load.paid.length} payments; ` +
        `1 move of the bank, 4 restarts, 1 migration: 0 failed; 1 kill with ${open} connections: ${load.failures.length} failed\n`,
    )
  },
  RUN_MS,
)

async function expectNothingLost(load: ReturnType<typeof startLoad>): Promise<void> {
  expect(load.shared.length).toBeGreaterThan(10)
  expect(load.paid.length).toBeGreaterThan(5)
  for (const { consentId } of load.paid) expect(executed(world, consentId), consentId).toHaveLength(1)
  await inDatabase(world, async (db) => {
    const { rows } = await query<{ payments: number; doubled: number }>(
      db,
      `select count(*)::integer as payments, count(*)::integer - count(distinct consent_id)::integer as doubled
       from payment_log where state = 'made' and consent_id = any(?)`,
      [load.paid.map(({ consentId }) => consentId)],
    )
    expect(rows).toEqual([{ payments: load.paid.length, doubled: 0 }])
    const authorized = await query(db, "select 1 from consent where status = 'Authorized' and id = any(?)", [
      load.shared.map(({ consentId }) => consentId),
    ])
    expect(authorized.rowCount).toBe(load.shared.length)
  })
  for (const { refreshToken } of load.shared) {
    expect((await send({ ...world.tpp.refresh(refreshToken), url: `${doors.as}/token` })).status).toBe(200)
  }
}
