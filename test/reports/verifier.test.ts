/**
 * A day of simulated traffic, and the reports that were filed of it. All that leaves the building is the export, the
 * verifier and the public key; with them alone the same figures come out, and one that was changed is found.
 */
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAudit, verifierMain } from '../../src/audit/index.ts'
import type { ClientId } from '../../src/ids.ts'
import { csvOf, REPORTED_SETS } from '../../src/reports/index.ts'
import { Secret } from '../../src/secret.ts'
import { blockIn, typeIn } from '../docs/guide.ts'
import { falaj } from '../support/cli.ts'
import { type ConfigFiles, writeConfigFiles } from '../support/config-files.ts'
import { aurora, ENTRIES } from '../unit/audit/entries.ts'
import { type Day, dateOf, HOUR, lastDay, log, startDay } from './support/day.ts'

type Rows = readonly Readonly<Record<string, string | number | null>>[]
type ByName = Readonly<Record<string, Rows>>
type Reports = { readonly lfi: Rows; readonly daily: Rows; readonly tpps: ByName; readonly datasets: ByName }
type Verdict = {
  readonly ok: boolean
  readonly reports: Reports
  readonly comparisons: readonly { readonly destroyed: number; readonly difference: string | null }[]
}

const CALLS = 4_000
const day = lastDay()
const days = ['--from', day.date, '--to', day.date]
const at = (hours: number): string => new Date(day.from + hours * HOUR).toISOString()
const by = { actor: 'test', interactionId: null }
let rig: Day
let files: ConfigFiles
let env: Record<string, string>
/** The empty directory of somebody who has nothing of ours. */
let away: string
let key: string

beforeAll(async () => {
  files = await writeConfigFiles()
  const tenant = { ...files.tenant(), id: 'aurora' }
  const { keyFile } = (tenant as unknown as { keys: { audit: { keyFile: string } } }).keys.audit
  // The database of a test speaks no TLS.
  files.write({ tenant, deployment: { ...files.deployment(), environment: 'sandbox' } })
  rig = await startDay(
    day.from - 4 * 24 * HOUR,
    new Secret(readFileSync(join(files.folder, 'tenants', keyFile), 'utf8')),
  )
  env = { EXAMPLE_DATABASE_URL: rig.world.tenant.databaseUrl.reveal() }
  await traffic()
  away = mkdtempSync(join(tmpdir(), 'falaj-away-'))
  const made = await command('audit', 'export', '--out', join(files.folder, 'export'), '--json')
  key = (JSON.parse(made) as { publicKey: string }).publicKey
  cpSync(join(files.folder, 'export'), join(away, 'log'), { recursive: true })
  copyFileSync('src/audit/verifier/falaj-verify.ts', join(away, 'falaj-verify.ts'))
  await fileReports()
  // From here on there is no hub and no database: what is judged is judged without them.
  await rig.world.close()
}, 240_000)
afterAll(() => {
  files.close()
  rmSync(away, { recursive: true, force: true })
})

/** Through the listener what a TPP and the bank do, and through the audit door what makes a day full. */
async function traffic(): Promise<void> {
  const { world, moveTo, read } = rig
  const { one, two, reports } = world
  await reports.outages.plan({ subject: 'lfi', reason: 'update', startsAt: at(2), endsAt: at(4.5) }, by)
  const audit = createAudit({ db: world.db, tenantId: aurora, clock: rig.clock, log })
  const heartbeat = (event: 'lfi-down' | 'lfi-up') =>
    audit.record({ ...ENTRIES.system, at: rig.clock.at, event, detail: null })
  moveTo(day.from - 30 * HOUR)
  await read(one, 'well')
  for (let quarter = 0; quarter < 96; quarter += 1) {
    moveTo(day.from + quarter * (HOUR / 4) + 1_000)
    if (quarter % 4 === 0) await read(one, quarter >= 40 && quarter < 48 ? 'fails' : 'well')
    if (quarter % 16 === 5) await read(two, 'refuses')
    if (quarter % 24 === 7) await world.call({ path: '/nowhere' })
    if (quarter % 24 === 9) await world.get('/accounts', 'no-token')
    if (quarter === 60) await read(two, 'silent')
    if (quarter === 66) await heartbeat('lfi-down')
    if (quarter === 68) await heartbeat('lfi-up')
    if (quarter === 12) {
      // Announced, and over early.
      const [planned] = await reports.outages.list()
      if (planned !== undefined) await reports.outages.end(planned.id, by)
    }
    if (quarter === 70) {
      const { id } = await reports.outages.begin({ subject: 'hub', reason: 'a node is lost' }, by)
      moveTo(rig.clock.at + 7 * 60_000)
      await reports.outages.end(id, by)
    }
    await audit.record(
      ...Array.from({ length: Math.ceil(CALLS / 96) }, (_, n) => made(quarter * 50 + n)),
      ...Array.from({ length: 5 }, (_, n) => agreed(quarter * 5 + n)),
      ...Array.from({ length: 5 }, (_, n) => paid(quarter * 5 + n)),
    )
  }
  moveTo(day.to + HOUR)
  await audit.close()
  await rig.seal()
}

/** Of many kinds of calls one, always the same for the same number. */
function made(n: number): (typeof ENTRIES)['tpp-call' | 'lfi-request' | 'lfi-call'] {
  const common = { at: rig.clock.at, interactionId: null }
  if (n % 11 === 3) return { ...ENTRIES['lfi-request'], ...common, hubMs: (n % 70) / 8 }
  if (n % 11 === 5) return { ...ENTRIES['lfi-call'], ...common }
  const call = {
    ...ENTRIES['tpp-call'],
    ...common,
    organisationId: rig.world[n % 3 === 0 ? 'one' : 'two'].organisationId,
  }
  const route = n % 2 === 0 ? '/open-finance/account-information/v2.1/accounts' : '/open-finance/payment/v2.1/payments'
  const lfiMs = 5 + ((n * 7_919) % 700_001) / 1_000
  const answered = { ...call, route, method: n % 2 === 0 ? 'GET' : 'POST', lfiMs, attended: n % 5 === 0, hubMs: 3.2071 }
  if (n % 97 === 0) return { ...answered, status: 502, lfiStatus: null, lfiOutcome: 'timeout', records: null }
  if (n % 89 === 0) return { ...answered, status: 500, lfiStatus: 200 }
  if (n % 83 === 0) return { ...answered, status: 499, lfiStatus: null, lfiOutcome: 'cancelled' }
  if (n % 13 === 0)
    return { ...call, route, status: 403, lfiMs: null, lfiStatus: null, lfiOutcome: null, hubInMs: null }
  return answered
}

const tppOf = (n: number) => {
  const { organisationId, clientId } = rig.world[n % 3 === 0 ? 'one' : 'two']
  return { at: rig.clock.at, interactionId: null, organisationId, clientId: clientId as ClientId }
}

/** Any change of any consent, whether or not it could be: what is counted is what is recorded. */
function agreed(n: number): (typeof ENTRIES)['consent-changed'] {
  const changes = [
    'lodged',
    'authorize',
    'revoke',
    'lapse',
    'patched',
    'suspend',
    'resume',
    'expire',
    'reject',
  ] as const
  const change = changes[n % changes.length] ?? 'lodged'
  const revokers = ['TPP', 'LFI.InitiatedByUser', 'TPP.InitiatedByUser'] as const
  return {
    ...ENTRIES['consent-changed'],
    ...tppOf(n),
    change,
    consentType: n % 4 === 0 ? 'insurance' : 'account-access',
    standardVersion: n % 7 === 0 ? 'v2.0' : 'v2.1',
    userType: n % 4 === 0 ? null : 'Retail',
    isLargeCorporate: n % 5 === 0 ? true : null,
    isRenewal: n % 6 === 0,
    revokedBy: change === 'revoke' ? (revokers[n % 5] ?? null) : null,
  }
}

function paid(n: number): (typeof ENTRIES)['resource-changed'] {
  const moves = [
    ['asked', null, 'open', 0],
    ['answered', 'open', 'Pending', 0],
    ['patched', 'Pending', 'AcceptedSettlementCompleted', 1],
    ['patched', 'AcceptedSettlementCompleted', 'AcceptedCreditSettlementCompleted', 0],
    ['unanswered', 'open', 'open', 0],
    ['answered', 'open', 'refused', 0],
    ['patched', 'Pending', 'Rejected', 0],
    ['patched', 'AcceptedSettlementCompleted', 'AcceptedSettlementCompleted', 12],
  ] as const
  const [change, from, to, successfulTransactions] = moves[n % moves.length] ?? moves[0]
  const merchantId = n % 2 === 0 ? null : `merchant-${n % 12}`
  return { ...ENTRIES['resource-changed'], ...tppOf(n), change, from, to, successfulTransactions, merchantId }
}

async function command(...args: string[]): Promise<string> {
  const { status, out, err } = await falaj([...args, '--config', files.deploymentFile, '--tenant', 'aurora'], env)
  expect([status, err]).toEqual([0, ''])
  return out
}

/** What was filed while the hub was there, by name. */
const kept = new Map<string, string>()
const ago = (count: number): string => dateOf(day.from - count * 24 * HOUR)

/** Of each kind one as the command line prints it; the others as it would. */
const PRINTED: Readonly<Record<string, readonly string[]>> = {
  lfi: ['csv'],
  hourly: ['json'],
  consents: ['csv'],
  billing: ['json'],
}

async function fileReports(): Promise<void> {
  for (const report of FILED) {
    for (const format of ['json', 'csv']) {
      const isPrinted = PRINTED[report]?.includes(format) === true
      const rows = await rowsFrom(report, { first: day.date, last: day.date })
      const printed = isPrinted ? await command('report', report, ...days, '--format', format) : null
      const written = format === 'csv' ? csvOf(rows) : `${JSON.stringify(rows, null, 2)}\n`
      kept.set(`${report}.${format}`, printed ?? written)
    }
    kept.set(`${report}, three days`, JSON.stringify(await rowsFrom(report, { first: ago(2), last: day.date })))
  }
  for (const format of ['ndjson', 'csv'])
    kept.set(`raw.${format}`, await command('report', 'raw', ...days, '--format', format))
  for (const name of ['one', 'two'] as const) kept.set(name, await tppReports(name))
}

const FILED = ['lfi', 'daily', 'hourly', ...REPORTED_SETS] as const
async function rowsFrom(report: (typeof FILED)[number], asked: { first: string; last: string }): Promise<Rows> {
  const { reports } = rig.world
  await reports.advance()
  if (report === 'lfi') return (await reports.lfiAvailability(asked)).map((row) => ({ ...row }))
  if (report === 'daily' || report === 'hourly') return reports.rollUps(report === 'daily' ? 'day' : 'hour', asked)
  return reports.dataset(report, asked)
}

function filed(name: string): string {
  const text = kept.get(name)
  if (text === undefined) throw new Error(`no report ${name}`)
  return text
}

/** Nothing but Node.js: no environment, and no right to read anything but the directory, to write or to start anything. */
function verifyAway(...args: string[]): { readonly status: number | null; readonly out: string } {
  const run = ['--permission', `--allow-fs-read=${away}`, 'falaj-verify.ts', 'log', '--key', key, ...args]
  const { status, stdout } = spawnSync(process.execPath, run, {
    cwd: away,
    env: {},
    encoding: 'utf8',
    maxBuffer: 2 ** 27,
  })
  return { status, out: stdout }
}

/** The same without another process: what follows asks thirty times. */
function verify(...args: string[]): { readonly status: number; readonly out: string } {
  const there = args.map((arg, at) => (args[at - 1] === '--compare' ? join(away, arg) : arg))
  let out = ''
  const status = verifierMain([join(away, 'log'), '--key', key, ...there], (text) => {
    out += text
  })
  return { status, out: out.replaceAll(`${away}/`, '') }
}

async function tppReports(name: 'one' | 'two'): Promise<string> {
  const tpp = rig.world[name]
  const token = await rig.world.clientToken(tpp, { scope: 'tpp-reports' })
  const query = `ReportingPeriodStartDate=${day.date}&ReportingPeriodEndDate=${day.date}`
  const headers = { authorization: `Bearer ${token}` }
  const answer = await rig.world.call({ path: `/tpp-reports?${query}`, certificate: tpp.certificate, headers })
  expect(answer.status, answer.text).toBe(200)
  return answer.text
}

const ofDay = ['--period', `${day.date}/${day.date}`]
const file = (name: string, text: string): string => {
  writeFileSync(join(away, name), text)
  return name
}
const anonymous = (rows: Rows): Rows => rows.map(({ LfiId: _id, LfiName: _name, ...row }) => row)
const byMember = (rows: Rows) => sorted(rows.map((row) => Object.fromEntries(Object.entries(row).sort())))
const sorted = (rows: Rows): readonly string[] => rows.map((row) => JSON.stringify(row)).sort()

describe('with the export, the verifier and the key alone', () => {
  test('there is nothing else in the directory', () => {
    expect(readdirSync(away).sort()).toEqual(['falaj-verify.ts', 'log'])
  })

  test('and the hub is gone, with its listener and its database', async () => {
    await expect(rig.world.call({ path: '/' })).rejects.toThrow(/ECONNREFUSED/)
    await expect(rig.world.db.raw('select 1')).rejects.toThrow()
  })

  test('the reports are recomputed, to the last figure', () => {
    const lfi = JSON.parse(filed('lfi.json')) as Rows
    const daily = JSON.parse(filed('daily.json')) as Rows
    const { status, out } = verifyAway('--reports', '--json')
    expect(status).toBe(0)
    const verdict = JSON.parse(out) as Verdict
    const { reports } = verdict
    expect(verdict.ok).toBe(true)
    const [own] = anonymous(lfi)
    expect(own).toMatchObject({ PlannedDowntimeMinutes: 60, Period: day.date })
    expect(Number(own?.['UnplannedDowntimeMinutes'])).toBeGreaterThan(60)
    expect(reports.lfi.filter((row) => row['Period'] === day.date)).toEqual([own])
    expect(daily.length).toBeGreaterThan(20)
    expect(sorted(reports.daily.filter((row) => row['starts_at'] === new Date(day.from).toISOString()))).toEqual(
      sorted(daily),
    )
    for (const name of ['consents', 'payments', 'billing', 'times']) {
      const told = reports.datasets[name]?.filter((row) => row['ReportingPeriodDate'] === day.date) ?? []
      expect(told.length, name).toBeGreaterThan(name === 'times' ? 3 : 5)
      expect(byMember(told)).toEqual(byMember(anonymous(JSON.parse(filed(`${name}.json`)) as Rows)))
    }
    expect(reports.datasets['versions']?.some((row) => row['StandardVersion'] !== row['NewestVersion'])).toBe(true)
    for (const name of ['one', 'two'] as const) {
      const told = anonymous((JSON.parse(filed(name)) as { Data: Rows }).Data)
      const mine = (reports.tpps[rig.world[name].organisationId] ?? []).filter((row) =>
        [row['ReportingPeriodDate'], row['PeriodStartDate']].includes(day.date),
      )
      // The report has a row also of operations that nobody called.
      const called = new Set(mine.map((row) => `${row['HttpMethod']} ${row['Url']}`))
      const isCalled = (row: Rows[number]) => called.has(`${row['HttpMethod']} ${row['Url']}`)
      expect(sorted(mine)).toEqual(sorted(told.filter(isCalled)))
      expect(new Set(mine.map((row) => row['Type'])).size).toBe(5)
    }
    expect(verify('--reports').out).toContain(`\n${day.date},1440,`)
  })

  test('what was filed is confirmed, as JSON and as CSV', () => {
    const names: string[] = []
    for (const report of FILED)
      for (const format of ['json', 'csv']) names.push(file(`${report}.${format}`, filed(`${report}.${format}`)))
    for (const format of ['ndjson', 'csv']) names.push(file(`raw.${format}`, filed(`raw.${format}`)))
    const { status, out } = verifyAway(...names.flatMap((name) => ['--compare', name]), ...ofDay)
    expect([status, out]).toEqual([0, expect.stringContaining(`report hourly.csv, ${day.date} to ${day.date}: all`)])
    expect(out.match(/rows follow from the log/g)).toHaveLength(2 * FILED.length + 2)
    for (const format of ['ndjson', 'csv']) expect(out).toContain(`raw.${format}, ${day.date} to ${day.date}: all 3705`)
    for (const name of ['one', 'two'] as const) {
      const told = file(`${name}.json`, filed(name))
      expect(verify('--compare', told, '--tpp', rig.world[name].organisationId)).toMatchObject({ status: 0 })
    }
    expect(verify('--compare', 'one.json', '--tpp', rig.world.two.organisationId).status).toBe(1)
  })

  test.each([
    ['lfi', 'csv', 'PlannedDowntimeMinutes'],
    ['lfi', 'json', 'UptimePercentage'],
    ['daily', 'csv', 'calls'],
    ['daily', 'json', 'lfi_us_max'],
    ['hourly', 'json', 'over_limit'],
    ['consents', 'csv', 'RevokedByTpp'],
    ['payments', 'json', 'NumberOfSuccessfulTransactions'],
    ['billing', 'csv', 'Records'],
    ['versions', 'json', 'ConsentsCreated'],
    ['times', 'csv', 'P95LfiMicroseconds'],
    ['times', 'json', 'CallsOverLimit'],
  ])('one figure of %s as %s is altered: %s', (report, format, column) => {
    const rows = JSON.parse(filed(`${report}.json`)) as Record<string, string | number | null>[]
    const place = rows.findIndex((row) => typeof row[column] === 'number')
    const row = rows[place] as Record<string, string | number | null>
    const right = Number(row[column])
    row[column] = right + 1
    const text =
      format === 'json'
        ? JSON.stringify(rows)
        : [Object.keys(row), ...rows.map(Object.values)].map((line) => `${line.join(',')}\r\n`).join('')
    const { status, out } = verify('--compare', file(`altered.${format}`, text.replace('Example Bank PJSC', 'Example')))
    expect(status).toBe(1)
    expect(out).toContain(`${column} is filed as ${right + 1}, the log has ${right}`)
  })

  test.each([
    ['API Call Volume', 'TotalCalls'],
    ['LFI Performance', 'AverageResponseTimeMicroseconds'],
    ['OFP Performance', 'ErrorRatePercentage'],
    ['LFI Availability', 'UnplannedDowntimeMinutes'],
    ['OFP Availability', 'UptimePercentage'],
  ])('one figure of a TPP’s report is altered: %s, %s', (type, column) => {
    const answer = JSON.parse(filed('two')) as { Data: Record<string, string | number>[] }
    const row = answer.Data.find((each) => each['Type'] === type)
    if (row === undefined) throw new Error(`no row of ${type}`)
    row[column] = Number(row[column]) - 1
    const { status, out } = verify(
      ...['--compare', file('altered.json', JSON.stringify(answer)), '--tpp', rig.world.two.organisationId],
    )
    expect([status, out]).toEqual([1, expect.stringContaining(`${column} is filed as ${row[column]},`)])
  })

  test('a row that is left out, invented or twice is named', () => {
    const rows = JSON.parse(filed('daily.json')) as Rows
    const compared = (some: Rows) => verify('--compare', file('rows.json', JSON.stringify(some)))
    expect(compared(rows.slice(1))).toMatchObject({ status: 1, out: expect.stringContaining('it is missing') })
    expect(compared([...rows, { ...rows[0], route: '/invented' }])).toMatchObject({
      status: 1,
      out: expect.stringContaining('the log has nothing of this'),
    })
    expect(compared([...rows, ...rows.slice(0, 1)])).toMatchObject({
      status: 1,
      out: expect.stringContaining('it is there twice'),
    })
  })

  describe('what is cut off is noticed', () => {
    const wide = (): readonly [first: string, last: string] => [ago(2), day.date]
    const rowsOf = (report: string): Rows => JSON.parse(filed(`${report}, three days`)) as Rows
    const compared = (rows: Rows, ...more: string[]) =>
      verify('--compare', file('cut.json', JSON.stringify(rows)), ...more)
    const period = (): string[] => ['--period', wide().join('/')]

    test.each([
      ['the first', (rows: Rows) => rows.slice(1)],
      ['one in the middle', (rows: Rows) => rows.toSpliced(1, 1)],
      ['the last', (rows: Rows) => rows.toSpliced(2, 1)],
    ])('days of availability: %s, by the row of all of them', (_which, cut) => {
      const rows = rowsOf('lfi')
      expect(rows).toHaveLength(4)
      expect(compared(rows)).toMatchObject({ status: 0 })
      expect(compared(cut(rows))).toMatchObject({ status: 1, out: expect.stringContaining('it is missing') })
    })

    test('both ends and the row of all of them, by the period that is asked for', () => {
      const rows = rowsOf('lfi').slice(1, 2)
      expect(compared(rows)).toMatchObject({ status: 0, out: expect.stringContaining(`${ago(1)} to ${ago(1)}`) })
      expect(compared(rows, ...period())).toMatchObject({ status: 1, out: expect.stringContaining('it is missing') })
    })

    test.each(['daily', 'hourly'])('a whole day of %s calls', (report) => {
      const rows = rowsOf(report)
      const ofDay = (row: Rows[number]) => Date.parse(String(row['starts_at'])) >= day.from
      expect(rows.some((row) => !ofDay(row))).toBe(true)
      expect(compared(rows, ...period())).toMatchObject({ status: 0 })
      for (const some of [rows.filter(ofDay), rows.filter((row) => !ofDay(row))]) {
        expect(compared(some)).toMatchObject({ status: 0 })
        expect(compared(some, ...period())).toMatchObject({ status: 1, out: expect.stringContaining('it is missing') })
      }
      expect(compared(rows, '--period', `${day.date}/${day.date}`)).toMatchObject({
        status: 1,
        out: expect.stringContaining('the log has nothing of this'),
      })
    })

    test.each(['LFI Availability', 'OFP Availability'])('an operation that was called, from %s', (type) => {
      const answer = JSON.parse(filed('one')) as { Data: Rows }
      const called = answer.Data.find((row) => row['Type'] === 'API Call Volume')
      const isLeftOut = (row: Rows[number]) =>
        row['Type'] === type && row['Url'] === called?.['Url'] && row['HttpMethod'] === called?.['HttpMethod']
      expect(answer.Data.filter(isLeftOut)).toHaveLength(1)
      const left = answer.Data.filter((row) => !isLeftOut(row))
      expect(compared(left, '--tpp', rig.world.one.organisationId)).toMatchObject({
        status: 1,
        out: expect.stringContaining(`${type} | ${day.date}`),
      })
    })
  })

  test.each([
    ['days that had not ended', [{ Period: '2099-01-01' }], 'before the days that were reported on'],
    ['no report', [{ what: 1 }], 'no report that can be recomputed'],
    ['a TPP that is not named', [{ Type: 'API Call Volume' }], 'whose report it is'],
    ['no rows', [], 'has no rows'],
  ])('%s cannot be judged', (_what, rows, why) => {
    const { status, out } = verify('--compare', file('odd.json', JSON.stringify(rows)))
    expect([status, out]).toEqual([2, expect.stringContaining(why)])
  })

  test('an entry that was changed is found before any figure', () => {
    const bundle = join(away, 'log/tile/entries', readdirSync(join(away, 'log/tile/entries'))[0] as string)
    mkdirSync(join(away, 'kept'))
    copyFileSync(bundle, join(away, 'kept/bundle'))
    const bytes = readFileSync(bundle)
    bytes[100] = (bytes[100] as number) ^ 1
    writeFileSync(bundle, bytes)
    const { status, out } = verify('--reports')
    copyFileSync(join(away, 'kept/bundle'), bundle)
    expect([status, out]).toEqual([1, expect.stringContaining('NOT VERIFIED')])
    expect(out).not.toContain('LFI by day')
  })
})

test('the guide for regulators holds filed reports against the log', async () => {
  for (const name of ['daily.json', 'consents.csv']) writeFileSync(join(away, name), filed(name))
  writeFileSync(join(away, 'lfi-availability.csv'), filed('lfi.csv'))
  writeFileSync(join(away, 'tpp-reports.json'), filed('one'))
  const beginning = 'node falaj-verify.ts aurora-audit --key "$KEY" --compare'
  const commands = blockIn('docs/regulator.md', 'node falaj-verify.ts aurora-audit --key "$KEY" --compare')
  expect(commands.split('\n').filter((line) => line.startsWith(beginning))).toHaveLength(2)
  const typed = commands.replace('3f0e…', rig.world.one.organisationId)
  symlinkSync('log', join(away, 'aurora-audit'))
  expect((await typeIn(away, { KEY: key }, typed)).match(/^VERIFIED/gm)).toHaveLength(2)
  writeFileSync(join(away, 'daily.json'), filed('daily.json').replace(/"calls": \d+/, '"calls": 7'))
  await expect(typeIn(away, { KEY: key }, typed)).rejects.toThrow(/status 1/)
})
