/** Where very many consents end at one moment, every count and page stays what a plain model says (counted-ahead.ts). */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Instant } from '../../src/clock.ts'
import { atClock, type Consent, STATUSES } from '../../src/consent-store/consent.ts'
import { countAhead, foldAhead, isCountedAhead } from '../../src/consent-store/counted-ahead.ts'
import { type ConsentFilter, createLists } from '../../src/consent-store/list.ts'
import { newRow } from '../../src/consent-store/row.ts'
import { type Db, openDatabase, query } from '../../src/db.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { consentIn, NOW, testStore } from '../unit/consent-store/support.ts'

const HOUR = 3_600_000
const SOON = (NOW + 30_000) as Instant
const LATER = (NOW + 300_000) as Instant

let database: TestDatabase
/** With the rights of a hub. */
let db: Db
beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase({ url: database.url, poolMax: 8, applicationName: 'test' })
})
afterAll(async () => {
  await db?.destroy()
  await database?.close()
})
beforeEach(() => database.db.raw('truncate consent cascade'))

/** Made an hour after one another. */
const made = (number: number, status: 'AwaitingAuthorization' | 'Authorized' | 'Suspended', end: Instant): Consent =>
  ({
    ...consentIn(status),
    id: `consent-${String(number).padStart(6, '0')}`,
    createdAt: (NOW - (number + 1) * HOUR) as Instant,
    updatedAt: (NOW - number * HOUR) as Instant,
    expiresAt: end,
    // Of those that wait, every second one lapses sooner than it expires.
    authorizeBy: (number % 2 === 0 ? end - 1 : end) as Instant,
    grantId: null,
  }) as Consent

const many = (count: number, end: Instant, from = 0): Consent[] =>
  Array.from({ length: count }, (_, at) => {
    const number = from + at
    return made(
      number,
      (['AwaitingAuthorization', 'Authorized', 'Authorized', 'Suspended'] as const)[number % 4] ?? 'Authorized',
      end,
    )
  })

async function store(consents: readonly Consent[]): Promise<void> {
  for (let at = 0; at < consents.length; at += 500) {
    await database.db('consent').insert(consents.slice(at, at + 500).map(newRow))
  }
}

/** Other databases of the server may have transactions open. */
async function counted(now: Instant, then = now): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    await countAhead(db, now)
    if (await isCountedAhead(db, then)) return
  }
  expect.fail('nothing was counted')
}

const moments = async (): Promise<number> => (await query(db, 'select 1 from consent_ahead')).rowCount
const lines = async (): Promise<number> => (await query(db, 'select 1 from consent_ahead_line')).rowCount

/** The lines of all moments that differ from what the consents themselves say, all of one snapshot; null: no moment. */
async function wrongLines(): Promise<number | null> {
  const { rows } = await query<{ moments: string; wrong: string }>(
    db,
    `with told as (
       select ahead, list, span, slot, type, status, sum(delta) as n from consent_ahead_line
       where ahead in (select id from consent_ahead where counted) group by 1, 2, 3, 4, 5, 6 having sum(delta) <> 0),
     moves as (
       select ahead.id as ahead, consent.*, case when status = 'AwaitingAuthorization' and authorize_by < expires_at
           then 'Rejected' else 'Expired' end as becomes
       from consent_ahead as ahead join consent on due_at <= until where counted),
     seen as (
       select ahead, list, span, slot, type, status, sum(delta) as n from (
         select ahead, created_at, updated_at, type, status, -1 as delta from moves
         union all select ahead, created_at, updated_at, type, becomes, 1 from moves) as ends,
         consent_slots_of(created_at, updated_at)
       group by 1, 2, 3, 4, 5, 6)
     select (select count(*) from consent_ahead where counted) as moments, count(*) as wrong
     from told full join seen using (ahead, list, span, slot, type, status) where told.n is distinct from seen.n`,
  )
  return rows[0]?.moments === '0' ? null : Number(rows[0]?.wrong)
}

type Filter = Pick<ConsentFilter, 'status' | 'updatedAfter'>
const idsOf = (all: readonly Consent[], { status, updatedAfter }: Filter, now: Instant): string[] =>
  all
    .filter((each) => atClock(each, now).status === status && each.updatedAt > (updatedAfter ?? 0))
    .sort((one, other) =>
      updatedAfter === undefined ? other.createdAt - one.createdAt : one.updatedAt - other.updatedAt,
    )
    .map(({ id }) => id)

/** From the first page to the last, as one who walks. */
async function walk(filter: Filter, now: Instant): Promise<{ ids: string[]; totals: Set<number> }> {
  const lists = createLists(db)
  const ids: string[] = []
  const totals = new Set<number>()
  for (let page = 1; ; page += 1) {
    const { rows, totalRecords } = await lists.page({ ...filter, page, pageSize: 100 }, now)
    ids.push(...rows.map(({ id }) => id))
    totals.add(totalRecords)
    if (rows.length < 100) return { ids, totals }
  }
}

async function expectLists(all: readonly Consent[], now: Instant): Promise<void> {
  for (const status of STATUSES) {
    for (const updatedAfter of [undefined, (NOW - 400 * HOUR) as Instant]) {
      const filter = { status, ...(updatedAfter === undefined ? {} : { updatedAfter }) }
      const expected = idsOf(all, filter, now)
      const { ids, totals } = await walk(filter, now)
      expect([filter, ids]).toEqual([filter, expected])
      expect([...totals]).toEqual([expected.length])
    }
  }
}

/** What the operator finds by status alone, page after page. */
async function expectSearch(all: readonly Consent[], now: Instant): Promise<void> {
  const hub = testStore(db)
  hub.clock.set(now)
  for (const status of STATUSES) {
    const ids: string[] = []
    for (let last: Consent | undefined; ; ) {
      const after = last === undefined ? {} : { after: { createdAt: last.createdAt, id: last.id } }
      const found = await hub.store.search({ status, limit: 300, ...after })
      ids.push(...found.map(({ id }) => id))
      last = found.at(-1)
      if (last === undefined) break
    }
    expect([status, ids]).toEqual([status, idsOf(all, { status }, now)])
  }
  await hub.close()
}

test('it is counted before it comes, holds when it has come, and goes when all is written down', async () => {
  const all = [...many(1_200, SOON), ...many(300, LATER, 1_200)]
  await store(all)
  await counted(NOW, SOON)
  expect(await isCountedAhead(db, (SOON - 1) as Instant)).toBe(false)
  expect(await wrongLines()).toBe(0)
  for (const now of [NOW, (SOON - 1) as Instant, SOON, (SOON + 1) as Instant, LATER]) await expectLists(all, now)
  for (const now of [NOW, SOON]) await expectSearch(all, now)

  const hub = testStore(db)
  hub.clock.set(SOON)
  expect(await hub.store.sweep(500)).toBe(500)
  expect(await wrongLines()).toBe(0)
  const left = Object.fromEntries(STATUSES.map((status) => [status, idsOf(all, { status }, SOON).length]))
  expect(await hub.store.countByStatus()).toEqual(left)
  while ((await hub.store.sweep(500)) > 0);
  await hub.close()
  expect([await moments(), await lines()]).toEqual([0, 0])
  expect(await isCountedAhead(db, SOON)).toBe(false)
})

test('nobody counts ahead for fewer, or for what is far away', async () => {
  await store([...many(999, SOON), ...many(1_200, LATER, 999)])
  await countAhead(db, NOW)
  expect(await moments()).toBe(0)
  await store(many(1, SOON, 2_199))
  await counted(NOW, SOON)
  expect(await moments()).toBe(1)
})

test('of two such moments the later one holds once it has come, and the earlier one goes', async () => {
  const all = [...many(1_000, SOON), ...many(1_000, LATER, 1_000)]
  await store(all)
  await counted(NOW, SOON)
  await counted((LATER - 10_000) as Instant, LATER)
  expect([await moments(), await wrongLines()]).toEqual([2, 0])
  for (const now of [SOON, LATER]) await expectLists(all, now)
  await countAhead(db, LATER)
  expect([await moments(), await wrongLines()]).toEqual([1, 0])
  await expectLists(all, LATER)
})

test('who began to change a consent before the announcement is waited for', async () => {
  const all = many(1_000, SOON)
  await store(all)
  const change = (tx: Db, number: number) =>
    query(tx, `update consent set updated_at = updated_at + interval '3 hours' where id = ?`, [all[number]?.id ?? ''])
  const early = await database.db.transaction()
  await change(early, 1)
  await countAhead(db, NOW)
  // Announced, and seen by whoever changes something from now on; but not counted.
  expect([await moments(), await isCountedAhead(db, SOON)]).toEqual([1, false])
  await change(database.db, 2)
  await early.commit()
  await counted(NOW, SOON)
  expect(await wrongLines()).toBe(0)
}, 60_000)

test('it stays right while consents are lodged, changed, ended and folded, and sweepers come and go', async () => {
  const all = many(2_000, SOON)
  await store(all)
  let over = false
  const until = async (work: () => Promise<unknown>): Promise<void> => {
    while (!over) await work()
  }
  let lodged = 2_000
  const hub = testStore(db)
  hub.clock.set(SOON)
  const others = [
    until(async () => {
      await store(many(3, SOON, lodged))
      lodged += 3
    }),
    until(() =>
      database.db.raw(`update consent set updated_at = updated_at + interval '90 minutes' where id in
        (select id from consent order by random() limit 5 for update skip locked)`),
    ),
    until(() =>
      database.db.raw(`update consent set status = 'Suspended', revision = revision + 1 where id in
        (select id from consent where status = 'Authorized' order by random() limit 5 for update skip locked)`),
    ),
    until(() => countAhead(db, SOON)),
    until(() => countAhead(db, SOON)),
    until(() => foldAhead(db)),
  ]
  let compared = 0
  const failures: unknown[] = []
  const compare = async () => {
    const wrong = await wrongLines()
    if (wrong === null) return
    compared += 1
    if (wrong > 0) failures.push(wrong)
  }
  while (compared < 30) await compare()
  const sweeping = (async () => {
    for (let sweeps = 0; sweeps < 3; sweeps += 1) await hub.store.sweep(60)
    over = true
  })()
  while (!over) await compare()
  await Promise.all([sweeping, ...others])
  await hub.close()
  expect(failures).toEqual([])
}, 120_000)
