/** What a consent was, told on the command line. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { iso, plus, systemClock, toMilliseconds } from '../../src/clock.ts'
import { query } from '../../src/db.ts'
import type { ConsentId } from '../../src/ids.ts'
import { type ConfigFiles, writeConfigFiles } from '../support/config-files.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { AUTHORIZE, LFI, newConsentId, type TestStore, TPP, testStore } from '../unit/consent-store/support.ts'
import { falajHere, falajSaid } from './commands.ts'

let database: TestDatabase
let files: ConfigFiles
let hub: TestStore
let id: ConsentId
beforeAll(async () => {
  database = await createTestDatabase()
  files = await writeConfigFiles()
  files.write({ deployment: { ...files.deployment(), environment: 'sandbox' } })
  vi.stubEnv('EXAMPLE_DATABASE_URL', database.url.reveal())
  hub = testStore(database.db)
  // The command asks the clock on the wall, so the past of this consent lies there as well.
  hub.clock.set(plus(systemClock.now(), toMilliseconds(-60_000)))
  id = await hub.lodge({ authorizeBy: plus(systemClock.now(), toMilliseconds(3_600_000)), members: ends() })
  hub.clock.advance(30_000)
  await hub.store.patchByLfi(id, AUTHORIZE, LFI)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await hub?.close()
  await files?.close()
  await database?.close()
})

const ends = () => ({ ExpirationDateTime: iso(plus(systemClock.now(), toMilliseconds(86_400_000))) })
const show = (...args: string[]) =>
  falajSaid(['consent', 'show', ...args, '--config', files.deploymentFile, '--tenant', 'example'])

const consent = (...args: string[]) =>
  falajHere(['consent', ...args, '--config', files.deploymentFile, '--tenant', 'example'])

describe('falaj consent search and revoke', () => {
  test('find one by whatever is known of it, and end one, as the portal does', async () => {
    const other = await hub.lodge({ authorizeBy: plus(systemClock.now(), toMilliseconds(3_600_000)), members: ends() })
    const asked = [
      [['--user', 'u-42'], [id]],
      [['--account', 'acc-1', '--state', 'Authorized'], [id]],
      [['--tpp', TPP.clientId ?? '', '--state', 'AwaitingAuthorization'], [other]],
      [['--id', id], [id]],
      [['--user', 'nobody'], []],
    ] as const
    const found = []
    for (const [args, ids] of asked) {
      const { out } = await consent('search', ...args)
      found.push(out)
      const { consents } = JSON.parse(out) as { consents: { id: string }[] }
      expect(
        consents.map((each) => each.id),
        args.join(' '),
      ).toEqual(ids)
    }
    expect(found.join()).not.toMatch(/u-42|acc-1/)
    const done = await consent('revoke', other, '--by', 'LFI')
    const unsaid = await consent('revoke', id, '--by', 'somebody')
    const nobody = await consent('revoke', newConsentId(), '--by', 'LFI')
    expect(JSON.parse(done.out)).toMatchObject({ target: other, after: 'Revoked, revision 2' })
    expect((await hub.store.find(other))?.status).toBe('Revoked')
    expect(JSON.parse(unsaid.err)).toEqual({
      error: { code: 'Body.InvalidFormat', message: 'say who wants the consent to end' },
    })
    expect(JSON.parse(nobody.err)).toMatchObject({ error: { code: expect.stringMatching(/NotFound|Consent/) } })
    const { rows } = await query<{ bytes: Buffer }>(database.db, 'select bytes from audit_entry')
    const acts = rows.map(
      ({ bytes }) => JSON.parse(bytes.toString()) as { kind: string; act?: string; outcome?: string },
    )
    // By a person, by an account: those two and the one for nobody. By TPP or id there is nothing to note.
    expect(acts.filter(({ act }) => act === 'consents searched')).toHaveLength(3)
    expect(
      acts
        .filter(({ act }) => act === 'consent.revoke')
        .map(({ outcome }) => outcome)
        .sort(),
    ).toEqual(['done', 'failed', 'failed'])
  })
})

test.each([
  [
    'is not there',
    'postgres://u:hunter2@127.0.0.1:1/x',
    'GenericRecoverableError',
    /^the database does not answer: .*ECONNREFUSED/,
  ],
  ['does not know the account', '', 'Refused', /^the database refuses: .*nobody/],
])('a database that %s is told in a sentence, without its secret', async (_what, url, code, sentence) => {
  const foreign = new URL(database.url.reveal())
  foreign.username = 'nobody'
  foreign.password = 'hunter2'
  vi.stubEnv('EXAMPLE_DATABASE_URL', url === '' ? foreign.href : url)
  const { status, out, err } = await consent('search')
  vi.stubEnv('EXAMPLE_DATABASE_URL', database.url.reveal())
  const { error } = JSON.parse(err) as { error: { code: string; message: string } }
  expect([status, out, error]).toEqual([1, '', { code, message: expect.stringMatching(sentence) }])
  expect(err).not.toContain('hunter2')
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
