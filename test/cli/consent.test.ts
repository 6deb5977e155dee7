/** What a consent was, told on the command line. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { iso, plus, systemClock, toMilliseconds } from '../../src/clock.ts'
import { query } from '../../src/db.ts'
import type { ConsentId } from '../../src/ids.ts'
import { falaj } from '../support/cli.ts'
import { type ConfigFiles, writeConfigFiles } from '../support/config-files.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { AUTHORIZE, LFI, newConsentId, type TestStore, TPP, testStore } from '../unit/consent-store/support.ts'

let database: TestDatabase
let files: ConfigFiles
let hub: TestStore
let id: ConsentId
beforeAll(async () => {
  database = await createTestDatabase()
  files = await writeConfigFiles()
  files.write({ deployment: { ...files.deployment(), environment: 'sandbox' } })
  hub = testStore(database.db)
  // The command asks the clock on the wall, so the past of this consent lies there as well.
  hub.clock.set(plus(systemClock.now(), toMilliseconds(-60_000)))
  const ends = { ExpirationDateTime: iso(plus(systemClock.now(), toMilliseconds(86_400_000))) }
  id = await hub.lodge({ authorizeBy: plus(systemClock.now(), toMilliseconds(3_600_000)), members: ends })
  hub.clock.advance(30_000)
  await hub.store.patchByLfi(id, AUTHORIZE, LFI)
})
afterAll(async () => {
  await hub?.close()
  await files?.close()
  await database?.close()
})

const show = (...args: string[]) =>
  falaj(['consent', 'show', ...args, '--config', files.deploymentFile, '--tenant', 'example'], {
    EXAMPLE_DATABASE_URL: database.url.reveal(),
  })

describe('falaj consent show', () => {
  test('tells what a consent is, and line by line who made it so', async () => {
    const { status, out, err } = await show(id)
    expect([status, err]).toEqual([0, ''])
    const [head, lodged, authorized] = out.split('\n')
    expect(head).toMatch(new RegExp(`^${id}  Authorized  at \\S+ \\(revision 2\\)$`))
    expect(lodged).toMatch(new RegExp(`1  \\S+Z  lodged +– → AwaitingAuthorization  by tpp ${TPP.clientId}: status`))
    expect(authorized).toMatch(/2 {2}\S+Z {2}authorize +AwaitingAuthorization → Authorized {2}by lfi .*accountIds/)
  })

  test('tells what it was, as JSON if asked, with the history up to then', async () => {
    const at = iso(plus(hub.clock.now(), toMilliseconds(-1)))
    const { status, out } = await show(id, '--at', at, '--json')
    expect(status).toBe(0)
    const told = JSON.parse(out) as { record: Record<string, unknown>; history: { change: string }[] }
    expect(told.record).toMatchObject({ id, status: 'AwaitingAuthorization' })
    expect(told.record).not.toHaveProperty('accountIds')
    expect(told.history.map(({ change }) => change)).toEqual(['lodged'])
  })

  test('leaves a trace of having been asked', async () => {
    const { rows } = await query<{ bytes: Buffer }>(database.db, 'select bytes from audit_entry')
    const entries = rows.map(({ bytes }) => JSON.parse(bytes.toString()) as object)
    expect(entries).toContainEqual(expect.objectContaining({ kind: 'consent-viewed', act: 'consent read' }))
    expect(rows.some(({ bytes }) => bytes.includes(id))).toBe(false)
  })

  test.each([
    ['a consent that is not there', () => [newConsentId()], 'There is no such consent\n'],
    ['what is no id', () => ['nobody'], 'There is no such consent\n'],
    ['a moment before it', () => [id, '--at', '2001-01-01T00:00:00Z'], 'There was no such consent at that moment\n'],
    ['what is no moment', () => [id, '--at', 'yesterday'], 'at must be a date-time with an offset\n'],
  ])('says of %s what is wrong, without a stack', async (_what, args, err) => {
    expect(await show(...args())).toEqual({ status: 1, out: '', err })
  })
})
