/** Any page of any list is what a plain model says, wherever it is and whatever happens meanwhile. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Instant, iso } from '../../src/clock.ts'
import { atClock, type Consent, type ConsentType, STATUSES, TYPES } from '../../src/consent-store/consent.ts'
import { countAhead, isCountedAhead } from '../../src/consent-store/counted-ahead.ts'
import { type ConsentFilter, createLists } from '../../src/consent-store/list.ts'
import { newRow } from '../../src/consent-store/row.ts'
import { foldSlots } from '../../src/consent-store/slots.ts'
import { query } from '../../src/db.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { consentIn, EXPIRES_AT, NOW, testStore } from '../unit/consent-store/support.ts'

const DAY = 86_400_000
const HOUR = 3_600_000

/** The same numbers on every run. */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

const KINDS = TYPES.flatMap((type) =>
  STATUSES.filter((status) => status !== 'Consumed' || type === 'service-initiation').map((status) => ({
    type,
    status,
  })),
)

/** Over two years, with hours in which hundreds were made and moments that several share; some ends are past. */
function some(count: number, roll: (below: number) => number): Consent[] {
  return Array.from({ length: count }, () => {
    // Most are of a few kinds; of some there is hardly one.
    const { type, status } = KINDS[Math.min(roll(KINDS.length), roll(KINDS.length))] ?? {
      type: 'insurance',
      status: 'Expired',
    }
    const spread = [roll(730 * DAY), 700 * DAY + roll(HOUR), 500 * DAY + roll(20)][roll(3)] ?? 0
    const createdAt = (NOW - spread - DAY) as Instant
    const updatedAt = (createdAt + ([0, roll(DAY), roll(20)][roll(3)] ?? 0)) as Instant
    const expiresAt = (roll(6) === 0 ? NOW - roll(DAY) : EXPIRES_AT) as Instant
    const authorizeBy = (roll(2) === 0 ? NOW - roll(DAY) : EXPIRES_AT) as Instant
    return {
      ...consentIn(status, { type }),
      createdAt,
      updatedAt,
      expiresAt,
      authorizeBy,
      authorizedAt: consentIn(status, { type }).authorizedAt === null ? null : createdAt,
      grantId: null,
    } as Consent
  })
}

let database: TestDatabase
const store = async (consents: readonly Consent[]): Promise<void> => {
  for (let at = 0; at < consents.length; at += 500) {
    await database.db('consent').insert(consents.slice(at, at + 500).map(newRow))
  }
}
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database?.close())

type Filter = Omit<ConsentFilter, 'page' | 'pageSize'>
const byText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
function model(all: readonly Consent[], { consentType, status, updatedAfter }: Filter, now: Instant): string[] {
  const order =
    updatedAfter === undefined
      ? (one: Consent, other: Consent) => other.createdAt - one.createdAt || byText(one.id, other.id)
      : (one: Consent, other: Consent) => one.updatedAt - other.updatedAt || byText(one.id, other.id)
  return all
    .filter((each) => consentType === undefined || each.type === consentType)
    .filter((each) => status === undefined || atClock(each, now).status === status)
    .filter((each) => updatedAfter === undefined || each.updatedAt > updatedAfter)
    .sort(order)
    .map(({ id }) => id)
}

/** Somebody who has been nowhere yet. */
const jump = (filter: ConsentFilter, now: Instant) => createLists(database.db).page(filter, now)

describe('lists', () => {
  const roll = dice(20_260_301)
  const all = some(3_000, roll)
  const filters: Filter[] = [
    {},
    ...TYPES.map((consentType) => ({ consentType })),
    ...STATUSES.map((status) => ({ status })),
    ...KINDS.map(({ type, status }) => ({ consentType: type as ConsentType, status })),
    { status: 'Unheard' },
    { consentType: 'insurance', status: 'Consumed' },
  ]

  const compare = async (consents: readonly Consent[], now: Instant): Promise<number> => {
    let pages = 0
    for (const filter of filters) {
      for (const updatedAfter of [undefined, all[roll(all.length)]?.updatedAt]) {
        const wanted = { ...filter, ...(updatedAfter === undefined ? {} : { updatedAfter }) }
        const expected = model(consents, wanted, now)
        const last = Math.ceil(expected.length / 40)
        for (const page of [1 + roll(last), last, last + 1 + roll(900)]) {
          if (page < 1) continue
          const { rows, totalRecords } = await jump({ ...wanted, page, pageSize: 40 }, now)
          const told = `${JSON.stringify(wanted)}, page ${page} of ${last}`
          expect(
            rows.map(({ id }) => id),
            told,
          ).toEqual(expected.slice((page - 1) * 40, page * 40))
          expect(totalRecords, told).toBe(expected.length)
          pages += 1
        }
      }
    }
    return pages
  }

  test('jumped into anywhere, before and after the clock is written down, changes, folds and deletions', {
    timeout: 300_000,
  }, async () => {
    await store(all)
    expect(await compare(all, NOW)).toBeGreaterThan(150)
    const hub = testStore(database.db)
    const counted = (consents: readonly Consent[]) =>
      Object.fromEntries(STATUSES.map((status) => [status, model(consents, { status }, NOW).length]))
    expect(await hub.store.countByStatus()).toEqual(counted(all))
    // The same among many that are due: counted ahead, and sought by place.
    await countAhead(database.db, NOW, 100)
    expect(await isCountedAhead(database.db, NOW)).toBe(true)
    expect(await compare(all, NOW)).toBeGreaterThan(150)
    expect(await hub.store.countByStatus()).toEqual(counted(all))
    while ((await hub.store.sweep(1_000)) > 0);
    await hub.close()
    const gone = all.slice(0, 300).map(({ id }) => id)
    const without = 'not exists (select 1 from consent_trail where consent_id = ?? and consent_id = any(?))'
    await database.db.raw(`delete from consent_version where consent_id = any(?) and ${without}`, [
      gone,
      'consent_version.consent_id',
      gone,
    ])
    await database.db.raw(`delete from consent where id = any(?) and ${without}`, [gone, 'consent.id', gone])
    const { rows } = await query<{ id: string; updated_at: Date; status: Consent['status'] }>(
      database.db,
      'select id, updated_at, status from consent',
    )
    const stored = new Map(rows.map((row) => [row.id, row]))
    const swept = all.flatMap((each) => {
      const row = stored.get(each.id)
      if (row === undefined) return []
      return [{ ...atClock(each, NOW), updatedAt: row.updated_at.getTime() as Instant } as Consent]
    })
    expect(swept.length).toBeLessThan(all.length - 100)
    expect(swept.filter(({ id, status }) => stored.get(id)?.status !== status)).toEqual([])
    for (let folds = 0; folds < 3; folds += 1) await foldSlots(database.db)
    expect(await hub.store.countByStatus()).toEqual(counted(swept))
    expect(await compare(swept, NOW)).toBeGreaterThan(150)
  })

  test('are counted as they are, line by line', async () => {
    const { rows } = await query(
      database.db,
      `select coalesce(told.list, true_.list) as list, told.n as told, true_.n as counted from (
         select list, span, slot, type, status, sum(delta) as n from consent_slot group by 1, 2, 3, 4, 5 having sum(delta) <> 0
       ) as told full join (
         select list, span, slot, type, status, count(*) as n from consent, consent_slots_of(created_at, updated_at)
         group by 1, 2, 3, 4, 5
       ) as true_ using (list, span, slot, type, status) where told.n is distinct from true_.n`,
    )
    expect(rows).toEqual([])
    const lines = await query<{ fresh: string; doubled: string }>(
      database.db,
      `select count(*) filter (where not folded) as fresh,
         count(*) filter (where folded) - count(distinct (list, span, slot, type, status)) filter (where folded) as doubled
       from consent_slot`,
    )
    expect(Number(lines.rows[0]?.fresh)).toBeLessThan(1_000)
    expect(lines.rows[0]?.doubled).toBe('0')
  })
})

/** An order of ids by time alone is the order in which they came, and that never changes for those that are there. */
test('a page and its total are of one moment while others lodge and sweepers fold', { timeout: 120_000 }, async () => {
  await database.db.raw('truncate consent cascade')
  const born = (number: number): Consent =>
    ({
      ...consentIn('Authorized'),
      id: `consent-${number}`,
      createdAt: (NOW + number * 60_000) as Instant,
      updatedAt: (NOW + number * 60_000) as Instant,
      grantId: null,
    }) as Consent
  const BEFORE = 2_000
  const AFTER = 3_000
  await store(Array.from({ length: BEFORE }, (_, number) => born(number)))
  let lodged = BEFORE
  let isOver = false
  const lodging = (async () => {
    while (lodged < AFTER) {
      await store(Array.from({ length: 5 }, (_, at) => born(lodged + at)))
      lodged += 5
    }
    isOver = true
  })()
  const folding = Promise.all(
    [1, 2].map(async () => {
      while (!isOver) await foldSlots(database.db)
    }),
  )
  let jumps = 0
  const totals = new Set<number>()
  while (!isOver) {
    for (const filter of [{}, { status: 'Authorized' }, { consentType: 'account-access' }] as const) {
      const page = 5 + (jumps % 30)
      const { rows, totalRecords } = await jump({ ...filter, page, pageSize: 50 }, NOW)
      const newest = totalRecords - 1 - (page - 1) * 50
      expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, at) => `consent-${newest - at}`))
      totals.add(totalRecords)
      const stream = await jump({ ...filter, updatedAfter: (NOW + 90_000) as Instant, page, pageSize: 50 }, NOW)
      const oldest = 2 + (page - 1) * 50
      expect(stream.rows.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, at) => `consent-${oldest + at}`))
      jumps += 1
    }
  }
  await Promise.all([lodging, folding])
  expect(totals.size).toBeGreaterThan(3)
  expect((await jump({ page: 20, pageSize: 50 }, NOW)).totalRecords).toBe(AFTER)
})

test('a jump reads the stretch that it ends in, not what comes before', async () => {
  await database.db.raw('truncate consent cascade')
  const roll = dice(7)
  await store(
    Array.from({ length: 3_000 }, (_, number) => {
      const at = (NOW - number * 2 * HOUR) as Instant
      return { ...some(1, roll)[0], ...consentIn('Authorized'), createdAt: at, updatedAt: at, grantId: null } as Consent
    }),
  )
  await database.db.raw('vacuum analyze')
  const skipped: string[] = []
  database.db.on('query', ({ sql }: { sql: string }) => {
    const offset = / offset (\d+)/.exec(sql)?.[1]
    if (offset !== undefined) skipped.push(offset)
  })
  for (const page of [10, 60, 119, 120]) {
    const { rows } = await jump({ page, pageSize: 25 }, NOW)
    expect(rows[0]?.createdAt, iso(rows[0]?.createdAt ?? NOW)).toBe(NOW - (page - 1) * 25 * 2 * HOUR)
  }
  expect(skipped.map(Number)).toEqual([0, 0, 0, 0])
})
