import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Accepted,
  type AuditReader,
  createAuditReader,
  type EntryId,
  exportLog,
  verifierMain,
} from '../../src/audit/index.ts'
import { toInstant } from '../../src/clock.ts'
import { rawLog } from '../../src/reports/raw-log.ts'
import { type AuditLog, openAuditLog, silent } from '../support/audit-log.ts'
import { ENTRIES } from '../unit/audit/entries.ts'

const AT = '2026-03-01T08:00:00.000Z'
const SPAN = { from: Date.parse(AT) - 1, to: Date.parse(AT) + 1 }

/** A log of any length that is nowhere but in what was asked for. */
function endless(length: number) {
  const asked: number[] = []
  const reader = {
    range: async (from: number, limit: number): Promise<readonly Accepted[]> => {
      asked.push(limit)
      return Array.from({ length: Math.min(limit, Math.max(0, length - from)) }, (_, place) => ({
        entryId: String(from + place) as EntryId,
        index: from + place,
        acceptedAt: new Date(AT),
        bytes: Buffer.alloc(0),
        openings: [],
        entry: { v: 2, kind: 'tpp-call', at: AT, tenantId: 'aurora', interactionId: null, status: 200, hubMs: 1 },
      }))
    },
  } as Pick<AuditReader, 'range'> as AuditReader
  return { asked, reader }
}

describe('the raw log', () => {
  test('is read as it is written: nobody who stops reading makes the hub hold the rest', async () => {
    const { asked, reader } = endless(1_000_000)
    const lines = rawLog(reader, 'lfi', SPAN, 'ndjson')
    for (let line = 0; line < 600; line += 1) expect((await lines.next()).done).toBe(false)
    expect(asked).toEqual([500, 500])
    await lines.return(undefined)
    expect(asked).toHaveLength(2)
  })

  test('is complete where its portions meet, in both forms', async () => {
    for (const length of [0, 1, 499, 500, 501, 1_000]) {
      const seqs: number[] = []
      for await (const line of rawLog(endless(length).reader, 'lfi', SPAN, 'ndjson')) {
        seqs.push((JSON.parse(line) as { LogSequence: number }).LogSequence)
      }
      expect(seqs).toEqual(Array.from({ length }, (_, index) => index))
      let csv = ''
      for await (const line of rawLog(endless(length).reader, 'lfi', SPAN, 'csv')) csv += line
      expect(csv.trimEnd().split('\r\n')).toHaveLength(length + 1)
    }
  })
})

/** Filed by the hub, and judged by the verifier over an export of the same log. */
describe('the raw log beside the log', () => {
  type Line = Readonly<Record<string, unknown>>
  /** The first of March begins in the Gulf at 20:00 of the day before. */
  const [from, to] = [Date.parse('2026-02-28T20:00:00Z'), Date.parse('2026-03-01T20:00:00Z')]
  const CALLS = 30
  let log: AuditLog
  let path: string
  let lines: readonly Line[]
  let table: string
  beforeAll(async () => {
    const clock = { now: () => toInstant(to + 1) }
    log = await openAuditLog({ clock })
    const ends = [from - 1, to].map((at) => ({ ...ENTRIES['tpp-call'], at: toInstant(at) }))
    await log.audit.record(...ends, ENTRIES.system, ENTRIES['lfi-call'])
    // What a table has to quote, and what a spreadsheet would compute.
    const merchants = ['a,b', '"quoted"', 'two\nlines', 'cr\r\nlf', '=1+1', '-1', null]
    for (let n = 0; n < CALLS; n += 1) {
      const at = toInstant(from + n * 60_000)
      const call = {
        ...ENTRIES['tpp-call'],
        at,
        merchantId: merchants[n % merchants.length] ?? null,
        lfiMs: 20 + n / 8,
      }
      const silenced = {
        ...call,
        lfiStatus: null,
        lfiOutcome: n % 2 === 0 ? 'timeout' : 'cancelled',
        status: 499,
      } as const
      await log.audit.record(n % 7 === 3 ? silenced : n % 7 === 5 ? { ...ENTRIES['lfi-request'], at } : call)
    }
    await log.audit.record(...ends)
    await log.seal()
    const deps = { db: log.db, tenantId: ENTRIES.system.tenantId, key: log.key, clock, log: silent }
    path = (await exportLog(deps, { path: join(log.folder, 'raw') })).path
    const written = async (format: 'csv' | 'ndjson'): Promise<string> => {
      let text = ''
      for await (const line of rawLog(createAuditReader({ db: log.db }), 'the-lfi', { from, to }, format)) text += line
      return text
    }
    table = await written('csv')
    lines = (await written('ndjson'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
  })
  afterAll(() => log.close())

  const quoted = (value: unknown): string => {
    const text = String(value ?? '')
    const safe = typeof value === 'string' && /^[=+\-@]/.test(text) ? `'${text}` : text
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
  }
  const asTable = (rows: readonly Line[]): string =>
    [Object.keys(lines[0] ?? {}), ...rows.map(Object.values)].map((row) => `${row.map(quoted).join(',')}\r\n`).join('')
  const asJson = (rows: readonly Line[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  const judge = (text: string, period = '2026-03-01/2026-03-01'): { status: number; out: string } => {
    const file = join(log.folder, 'filed')
    writeFileSync(file, text)
    let out = ''
    const more = period === '' ? [] : ['--period', period]
    const status = verifierMain([path, '--key', log.publicKey, '--compare', file, ...more], (said) => {
      out += said
    })
    return { status, out }
  }
  const put = (at: number, more: Line) => (rows: readonly Line[]) => rows.with(at, { ...rows[at], ...more })
  const entry = (at: number): string => `entry ${String(lines.at(at)?.['LogSequence'])}`

  test('is confirmed, also where somebody wrote the same in another way', () => {
    expect([lines.length, asTable(lines)]).toEqual([CALLS, table])
    const turned = lines.map((row) => Object.fromEntries(Object.entries(row).reverse()))
    for (const text of [asJson(lines), table, asJson(turned), table.replaceAll(/,(\d+)(?=\r?\n)/g, ',"$1"')])
      expect(judge(text)).toMatchObject({
        status: 0,
        out: expect.stringContaining(`all ${CALLS} rows follow from the log`),
      })
  })

  test.each<[string, (rows: readonly Line[]) => readonly Line[], () => string]>([
    ['a status', put(16, { Status: 599 }), () => `row 17, ${entry(16)}: Status is filed as 599, the log has 200`],
    ['a time', put(16, { LfiMicroseconds: 1 }), () => `row 17, ${entry(16)}: LfiMicroseconds is filed as 1, `],
    ['who called', put(0, { TppId: 'x' }), () => `row 1, ${entry(0)}: TppId is filed as x, the log has `],
    [
      'a merchant, behind line feeds',
      put(2, { MerchantId: 'x' }),
      () => `row 3, ${entry(2)}: MerchantId is filed as x`,
    ],
    ['another LFI in one line', put(9, { LfiId: 'x' }), () => `row 10, ${entry(9)}: LfiId is filed as x, `],
    ['a place', put(9, { LogSequence: 1 }), () => `row 10: entry 1 stands where ${entry(9)} belongs`],
    ['a line missing', (rows) => rows.toSpliced(9, 1), () => `row 10: ${entry(10)} stands where ${entry(9)} belongs`],
    ['the first missing', (rows) => rows.slice(1), () => `row 1: ${entry(1)} stands where ${entry(0)} belongs`],
    ['the last missing', (rows) => rows.slice(0, -1), () => `${entry(-1)} is missing: the file ends before it`],
    [
      'a line twice',
      (rows) => rows.toSpliced(9, 0, rows[8] ?? {}),
      () => `row 10: ${entry(8)} stands where ${entry(9)}`,
    ],
    ['a line more', (rows) => [...rows, rows[3] ?? {}], () => `row ${CALLS + 1}: the log has no further call`],
    [
      'two lines swapped',
      (rows) => rows.with(9, rows[10] ?? {}).with(10, rows[9] ?? {}),
      () => `row 10: ${entry(10)} stands where ${entry(9)} belongs`,
    ],
    ['a line without its place', put(4, { LogSequence: '' }), () => `row 5 cannot be read, where ${entry(4)} belongs`],
  ])('is not when it was changed: %s', (_what, change, difference) => {
    for (const as of [asJson, asTable])
      expect(judge(as(change(lines)))).toEqual({ status: 1, out: expect.stringContaining(difference()) })
  })

  test('has to be said which days it is of, so that none can be left out', () => {
    expect(judge(table, '')).toEqual({ status: 2, out: expect.stringContaining('--period') })
    expect(judge(table, '2026-03-01/2026-03-02')).toEqual({ status: 2, out: expect.stringContaining('log ends at') })
    const [header = ''] = table.split('\n')
    expect(judge(`${header}\n`, '2026-02-01/2026-02-02')).toMatchObject({ status: 0 })
    expect(judge(`${header}\n`).out).toContain(`${entry(0)} is missing`)
    expect(judge(table, '2026-02-01/2026-02-02').out).toContain('row 1: the log has no further call of these days')
    expect(judge(table, '2026-02-28/2026-03-01').out).toContain(`row 1: ${entry(0)} stands where entry 2 belongs`)
  })
})
