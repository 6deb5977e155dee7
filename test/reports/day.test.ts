/**
 * A day of traffic, and the reports of it computed a second time from the raw log by other means: rows are counted one
 * by one, and downtime is painted millisecond by millisecond.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RESOLUTION } from '../../src/reports/index.ts'
import { BASE } from '../gateway/support/world.ts'
import { type Day, HOUR, lastDay, startDay } from './support/day.ts'

type Raw = Readonly<Record<string, string | number | boolean | null>>
type Row = Readonly<Record<string, string | number>>

const day = lastDay()
const BALANCES = `${BASE}/accounts/{AccountId}/balances`
let rig: Day
let raw: readonly Raw[]

beforeAll(async () => {
  rig = await startDay(day.from - 4 * 24 * HOUR)
  const { world, moveTo, read } = rig
  const { one, two, reports } = world
  const by = { actor: 'test', interactionId: null }
  const at = (hours: number): string => new Date(day.from + hours * HOUR).toISOString()
  await reports.outages.plan({ subject: 'lfi', reason: 'update', startsAt: at(2), endsAt: at(3.5) }, by)
  // Three days before the day that is reported on: none of it may show.
  await read(one, 'well')
  for (let quarter = 0; quarter < 96; quarter += 1) {
    moveTo(day.from + quarter * (HOUR / 4) + 1_000)
    const isDown = quarter >= 40 && quarter < 47
    await read(one, isDown ? 'fails' : 'well', quarter % 3 === 0 ? { 'x-fapi-customer-ip-address': '192.0.2.7' } : {})
    if (quarter % 8 === 0) await read(two, quarter === 64 ? 'silent' : 'well')
    if (quarter % 16 === 5) await read(two, 'refuses')
    if (quarter % 12 === 7) await world.call({ path: '/nowhere' })
    if (quarter % 24 === 9) await world.get('/accounts', 'no-token')
    if (quarter === 20) await rig.seal().then(() => reports.advance())
    if (quarter === 70) {
      const { id } = await reports.outages.begin({ subject: 'hub', reason: 'a node is lost' }, by)
      moveTo(rig.clock.at + 7 * 60_000)
      await reports.outages.end(id, by)
    }
  }
  moveTo(day.to + HOUR)
  await rig.seal()
  await reports.advance()
  raw = await rawRows()
}, 120_000)
afterAll(() => rig.world.close())

const days = { first: day.date, last: day.date }
async function rawRows(): Promise<readonly Raw[]> {
  const rows: Raw[] = []
  for await (const line of rig.world.reports.rawLog(days, 'ndjson')) rows.push(JSON.parse(line) as Raw)
  return rows
}

async function filed(type: string, tpp = rig.world.one): Promise<readonly Row[]> {
  const token = await rig.world.clientToken(tpp, { scope: 'tpp-reports' })
  const query = new URLSearchParams({ ReportingPeriodStartDate: day.date, ReportingPeriodEndDate: day.date })
  if (type !== '') query.set('ReportType', type)
  const path = `/tpp-reports?${query.toString().replaceAll('+', '%20')}`
  const answer = await rig.world.call({
    path,
    certificate: tpp.certificate,
    headers: { authorization: `Bearer ${token}` },
  })
  expect(answer.status, answer.text).toBe(200)
  const check = rig.world.registry.response('tpp-reports', 'TppReports_read', 200)
  expect(check?.(answer.json())).toEqual([])
  return (answer.json() as { Data: Row[] }).Data
}
const sorted = (rows: readonly object[]): readonly string[] => rows.map((row) => JSON.stringify(row)).sort()
const reported = (tppId: string): readonly Raw[] =>
  raw.filter((row) => row['TppId'] === tppId && row['ApiSet'] !== null)
const count = <T>(rows: readonly T[], key: (row: T) => string): ReadonlyMap<string, readonly T[]> =>
  Map.groupBy(rows, key)

describe('the raw log of the day', () => {
  test('has a row for every call of it, and of no other day', () => {
    expect(raw.filter((row) => row['UrlTemplate'] === BALANCES)).toHaveLength(96 + 12 + 6)
    expect(raw.filter((row) => row['UrlTemplate'] === null)).toHaveLength(8)
    expect(raw.every((row) => String(row['Timestamp']) >= new Date(day.from).toISOString())).toBe(true)
  })

  test('holds the segments of a call that reached the LFI, which make up the whole', () => {
    for (const row of raw.filter((each) => each['LfiMicroseconds'] !== null)) {
      const parts = ['HubInMicroseconds', 'LfiMicroseconds', 'HubOutMicroseconds'].map((name) => Number(row[name]))
      expect(parts.every((part) => Number.isInteger(part) && part > 0)).toBe(true)
      const whole = Math.round(parts.reduce((sum, part) => sum + part, 0) / 1000)
      expect(Math.abs(whole - Number(row['ExecutionTime']))).toBeLessThanOrEqual(1)
    }
  })

  test('names no account, no token, no address of a person', () => {
    const text = JSON.stringify(raw)
    for (const secret of ['acc-1', '192.0.2.7', 'user-7', 'eyJ']) expect(text).not.toContain(secret)
  })
})

describe('what is filed is what the raw log says', () => {
  test.each(['one', 'two'] as const)('call volume of TPP %s', async (name) => {
    const tpp = rig.world[name]
    const key = (row: Raw) => JSON.stringify([row['HttpMethod'], row['UrlTemplate'], row['TppResponseCodeGroup']])
    const naive = [...count(reported(tpp.organisationId), key)].map(([text, rows]) => {
      const [HttpMethod, Url, HttpResponseCodeGroup] = JSON.parse(text) as string[]
      return {
        Type: 'API Call Volume',
        ReportingPeriodDate: day.date,
        LfiId: rig.world.tenant.organisationId,
        LfiName: 'Aurora Bank PJSC',
        ApiSet: 'BankDataSharing',
        HttpMethod,
        Url,
        HttpResponseCodeGroup,
        TotalCalls: rows.length,
      }
    })
    expect(naive.length).toBeGreaterThan(1)
    expect(sorted(await filed('API Call Volume', tpp))).toEqual(sorted(naive))
  })

  test.each([
    ['LFI Performance', 'LfiResponseCodeGroup', (row: Raw) => Number(row['LfiMicroseconds'])],
    [
      'OFP Performance',
      'TppResponseCodeGroup',
      (row: Raw) =>
        row['LfiMicroseconds'] === null
          ? Number.NaN
          : Number(row['HubInMicroseconds']) + Number(row['LfiMicroseconds']) + Number(row['HubOutMicroseconds']),
    ],
  ] as const)('%s', async (type, group, time) => {
    const rows = reported(rig.world.two.organisationId).filter((row) => row[group] !== null)
    const calls = rows.filter((row) => row['UrlTemplate'] === BALANCES)
    const failed = calls.filter((row) => row[group] === '5xx').length
    for (const row of await filed(type, rig.world.two)) {
      if (row['Url'] !== BALANCES) continue
      const own = calls.filter((each) => each[group] === row['HttpResponseCodeGroup'])
      expect(row).toMatchObject({
        TotalCalls: own.length,
        ErrorRatePercentage: Math.round((failed * 100) / calls.length),
        PeriodStartDate: day.date,
        PeriodEndDate: day.date,
      })
      // The whole is recorded to the microsecond in other parts than it is added up from: one either way.
      const times = own.map(time)
      const average = times.reduce((sum, each) => sum + each, 0) / times.length
      expect(Math.abs(Number(row['MaximumResponseTimeMicroseconds']) - Math.max(...times))).toBeLessThanOrEqual(2)
      expect(Math.abs(Number(row['MinimumResponseTimeMicroseconds']) - Math.min(...times))).toBeLessThanOrEqual(2)
      expect(Math.abs(Number(row['AverageResponseTimeMicroseconds']) - average)).toBeLessThanOrEqual(2)
    }
    expect(new Set(calls.map((row) => row[group]))).toEqual(new Set(['2xx', '4xx', '5xx']))
  })

  test('the 95th percentiles of the dashboard are those of every call, within their resolution', async () => {
    const operations = await rig.world.reports.watch.operations({ from: day.from, to: day.to })
    const calls = raw.filter((row) => row['UrlTemplate'] === BALANCES)
    const told = operations.find(({ route }) => route === BALANCES)
    expect(told).toMatchObject({ calls: calls.length, p95: { of: calls.length } })
    const parts = {
      total: (row: Raw) => parts.hubIn(row) + parts.lfi(row) + parts.hubOut(row),
      hubIn: (row: Raw) => Number(row['HubInMicroseconds']),
      lfi: (row: Raw) => Number(row['LfiMicroseconds']),
      hubOut: (row: Raw) => Number(row['HubOutMicroseconds']),
    }
    for (const [segment, of] of Object.entries(parts)) {
      const exact =
        calls.map(of).toSorted((one, other) => one - other)[Math.ceil(calls.length * 0.95) - 1] ?? Number.NaN
      const us = 1_000 * Number(told?.p95?.[segment as keyof typeof parts])
      // And two, for the whole that is recorded in other parts.
      expect(Math.abs(us - exact), segment).toBeLessThanOrEqual(exact * RESOLUTION + 2)
    }
    const reported = await rig.world.reports.dataset('times', days)
    expect(reported.find((row) => row['Url'] === BALANCES)).toMatchObject({
      ...{ ReportingPeriodDate: day.date, HttpMethod: 'GET', TotalCalls: calls.length },
      CallsOverLimit: told?.overLimit,
      P95LfiMicroseconds: Math.round(1_000 * (told?.p95?.lfi ?? Number.NaN)),
    })
  })

  test('LFI availability, planned and unplanned', async () => {
    const down = paint(raw, (row) => {
      const outcome = row['LfiOutcome']
      if (outcome === null || outcome === 'cancelled') return null
      return outcome !== 'answered' || Number(row['LfiStatus']) >= 500
    })
    const planned = new Uint8Array(24 * HOUR).fill(1, 2 * HOUR, 3.5 * HOUR)
    const unplanned = down.map((each, at) => (planned[at] === 1 ? 0 : each))
    const minutes = (painted: Uint8Array) => Math.round(painted.reduce((sum, each) => sum + each, 0) / 60_000)
    const rows = await filed('LFI Availability')
    const balances = rows.find((row) => row['Url'] === BALANCES)
    const unplannedMinutes = minutes(unplanned)
    // Seven quarters of failures, of which the other TPP's good call ended the first at once; and the silent one.
    expect(unplannedMinutes).toBe(6 * 15 + 15)
    expect(balances).toMatchObject({
      TotalTimeMinutes: 1440,
      PlannedDowntimeMinutes: 90,
      UnplannedDowntimeMinutes: unplannedMinutes,
      TotalDowntimeMinutes: 90 + unplannedMinutes,
      TotalUptimeMinutes: 1440 - 90 - unplannedMinutes,
      UptimePercentage: Math.round(((1440 - 90 - unplannedMinutes) * 100) / 1440),
      UnplannedDowntimePercentage: Math.round((unplannedMinutes * 100) / (1440 - 90)),
    })
    // Operations that nobody called are as up as what was announced lets them be.
    expect(rows.find((row) => row['Url'] === `${BASE}/accounts`)).toMatchObject({ UnplannedDowntimeMinutes: 0 })
    expect(await rig.world.reports.lfiAvailability(days)).toMatchObject([
      { Period: day.date, PlannedDowntimeMinutes: 90, UnplannedDowntimeMinutes: unplannedMinutes },
      { Period: `${day.date}/${day.date}`, TotalTimeMinutes: 1440, UnplannedDowntimeMinutes: unplannedMinutes },
    ])
  })

  test('hub availability: only what was declared, since it never failed by itself', async () => {
    for (const row of await filed('OFP Availability')) {
      expect(row).toMatchObject({ PlannedDowntimeMinutes: 0, UnplannedDowntimeMinutes: 7, TotalUptimeMinutes: 1433 })
    }
  })

  test('all five come together where none is named', async () => {
    const types = new Set((await filed('')).map((row) => row['Type']))
    expect([...types].sort()).toEqual([
      'API Call Volume',
      'LFI Availability',
      'LFI Performance',
      'OFP Availability',
      'OFP Performance',
    ])
  })

  test('a recount of the whole log gives the same, to the last figure', async () => {
    const { db, reports } = rig.world
    const dump = async () =>
      JSON.stringify([
        await db('report_rollup').select().orderByRaw('1, 2, 3, 4, 5, 6, 7, 8, 9, 10'),
        await db('report_downtime').select().orderByRaw('1, 2, 3, 4, 5'),
        await db('report_tally').select().orderByRaw('1, 2, 3'),
        await db('report_times').select().orderByRaw('1, 2, 3, 4'),
        await db('report_cursor').select('seq', 'tally_seq'),
      ])
    await rig.seal()
    await reports.advance()
    const before = await dump()
    expect(before.length).toBeGreaterThan(10_000)
    expect(await reports.advance()).toBe(0)
    expect(await dump()).toBe(before)
    await reports.recompute()
    expect(await dump()).toBe(before)
    // Several that count at once do not count twice.
    await db('report_rollup').delete()
    await db('report_downtime').delete()
    await db('report_tally').delete()
    await db('report_times').delete()
    await db('report_cursor').update({ seq: 0, tally_seq: 0 })
    await Promise.all([reports.advance(), reports.advance(), reports.advance()])
    expect(await dump()).toBe(before)
    // As after an upgrade: the release before has counted calls, and nothing of what it did not know.
    await db('report_tally').delete()
    await db('report_times').delete()
    await db('report_cursor').update({ tally_seq: 0 })
    expect(await reports.behind()).toBeGreaterThan(100)
    await reports.advance()
    expect(await dump()).toBe(before)
  })
})

/** One byte per millisecond of the day: 1 from a failed answer to the next good one of the same operation. */
function paint(rows: readonly Raw[], hasFailed: (row: Raw) => boolean | null): Uint8Array {
  const painted = new Uint8Array(24 * HOUR)
  const since = new Map<string, number>()
  for (const row of [...rows].sort((a, b) => Number(a['LogSequence']) - Number(b['LogSequence']))) {
    const key = `${row['HttpMethod']} ${row['UrlTemplate']}`
    const failed = hasFailed(row)
    if (failed === null) continue
    const micros = Number(row['HubInMicroseconds']) + Number(row['LfiMicroseconds'])
    const at = Date.parse(String(row['Timestamp'])) - day.from + Math.floor(micros / 1000)
    const began = since.get(key)
    if (failed && began === undefined) since.set(key, at)
    if (!failed && began !== undefined) {
      painted.fill(1, began, at)
      since.delete(key)
    }
  }
  for (const began of since.values()) painted.fill(1, began)
  return painted
}
