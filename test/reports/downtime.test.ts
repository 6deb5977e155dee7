/** What counts as downtime, definition by definition. */
import { describe, expect, test } from 'vitest'
import type { Accepted, EntryId } from '../../src/audit/index.ts'
import { availability, union } from '../../src/reports/availability.ts'
import { daysOf, periodOf, startOf, startOfDate } from '../../src/reports/calendar.ts'
import { callOf, judgeHub, judgeLfi, lfiGroupOf } from '../../src/reports/call.ts'
import { changes, signalsOf } from '../../src/reports/downtime.ts'
import { csvLine, rawColumns } from '../../src/reports/raw-log.ts'
import { boundary } from '../../src/reports/retention.ts'

const T0 = Date.parse('2026-03-01T08:00:00Z')
type Members = Readonly<Record<string, unknown>>
const accepted = (seq: number, members: Members): Accepted => ({
  entryId: String(seq) as EntryId,
  index: seq,
  acceptedAt: new Date(T0),
  bytes: Buffer.alloc(0),
  openings: [],
  entry: {
    v: 2,
    kind: 'tpp-call',
    at: new Date(T0 + seq * 60_000).toISOString(),
    tenantId: 'aurora',
    interactionId: null,
    surface: 'rs',
    apiSet: 'BankDataSharing',
    method: 'GET',
    route: '/accounts',
    status: 200,
    hubMs: 0,
    lfiMs: 0,
    hubInMs: 0,
    lfiStatus: 200,
    lfiOutcome: 'answered',
    ...members,
  } as never,
})
const minutesOf = (entries: readonly Accepted[]) =>
  changes(new Map(), entries.flatMap(signalsOf)).map((change) => [
    change.signal.subject,
    change.kind,
    (change.kind === 'end' ? change.endedAt : change.signal.at) / 60_000 - T0 / 60_000,
  ])
const FAILED = { status: 500, lfiStatus: 500 }

describe('the LFI is down', () => {
  test.each<[string, { status: number | null; outcome: string | null }, 'up' | 'down' | null]>([
    ['with 200', { status: 200, outcome: 'answered' }, 'up'],
    ['with a refusal', { status: 400, outcome: 'answered' }, 'up'],
    ['with 429', { status: 429, outcome: 'answered' }, 'up'],
    ['with 500', { status: 500, outcome: 'answered' }, 'down'],
    ['with 503', { status: 503, outcome: 'answered' }, 'down'],
    ['out of reach, or without TLS', { status: null, outcome: 'unreachable' }, 'down'],
    ['too late', { status: null, outcome: 'timeout' }, 'down'],
    ['with something that breaks the contract', { status: 200, outcome: 'invalid-response' }, 'down'],
    ['unknown, the caller hung up', { status: null, outcome: 'cancelled' }, null],
    ['as a release before recorded it', { status: 200, outcome: null }, 'up'],
  ])('or not: %s', (_what, part, expected) => {
    expect(judgeLfi({ us: 1, ...part })).toBe(expected)
  })

  test('and was not asked', () => {
    expect(judgeLfi(null)).toBeNull()
    expect(lfiGroupOf(null)).toBeNull()
    expect(lfiGroupOf({ us: 1, status: null, outcome: 'timeout' })).toBe('5xx')
  })

  test('from the first failed answer to the first good one', () => {
    expect(
      minutesOf([accepted(1, {}), accepted(2, FAILED), accepted(3, FAILED), accepted(5, {}), accepted(6, {})]),
    ).toEqual([
      ['lfi', 'begin', 2],
      ['lfi', 'end', 5],
    ])
  })

  test('by the moment of the answer, not of the question', () => {
    expect(
      minutesOf([accepted(1, { ...FAILED, lfiMs: 30_000, hubInMs: 30_000 }), accepted(4, { lfiMs: 60_000 })]),
    ).toEqual([
      ['lfi', 'begin', 2],
      ['lfi', 'end', 5],
    ])
  })

  test('operation by operation', () => {
    expect(minutesOf([accepted(1, FAILED), accepted(2, { route: '/parties' })])).toEqual([['lfi', 'begin', 1]])
  })

  test('never for a negative time, when a later call overtakes', () => {
    expect(minutesOf([accepted(5, FAILED), { ...accepted(4, {}), index: 6 }])).toEqual([
      ['lfi', 'begin', 5],
      ['lfi', 'end', 5],
    ])
  })

  test('not by what is no operation that is reported on', () => {
    expect(minutesOf([accepted(1, { ...FAILED, apiSet: null }), accepted(2, { ...FAILED, route: null })])).toEqual([])
  })

  test('by its heartbeat, for all operations', () => {
    const beat = (seq: number, event: string) => accepted(seq, { kind: 'system', event })
    expect(minutesOf([beat(1, 'lfi-down'), accepted(2, {}), beat(3, 'started'), beat(4, 'lfi-up')])).toEqual([
      ['lfi', 'begin', 1],
      ['lfi', 'end', 4],
    ])
  })
})

describe('the hub is down', () => {
  const judge = (members: Members) => judgeHub(callOf(accepted(1, members)) as never)
  test('when it fails by itself, and not when the LFI does', () => {
    expect(judge({})).toBe('up')
    expect(judge({ status: 404 })).toBe('up')
    expect(judge({ status: 500, lfiMs: null, lfiStatus: null, lfiOutcome: null })).toBe('down')
    expect(judge({ status: 500 })).toBe('down')
    expect(judge(FAILED)).toBeNull()
    expect(judge({ status: 500, lfiStatus: null, lfiOutcome: 'timeout' })).toBeNull()
    expect(judge({ status: 500, lfiOutcome: 'invalid-response' })).toBeNull()
  })
})

describe('availability', () => {
  const hour = (from: number, to: number) => ({ from: from * 3_600_000, to: to * 3_600_000 })
  const day = hour(0, 24)

  test('what was announced stays planned, also while something fails', () => {
    expect(availability(day, [hour(2, 4)], [hour(3, 5), hour(4.5, 6), hour(23, 30)])).toEqual({
      TotalTimeMinutes: 1440,
      TotalUptimeMinutes: 1440 - 300,
      PlannedDowntimeMinutes: 120,
      UnplannedDowntimeMinutes: 180,
      TotalDowntimeMinutes: 300,
      UptimePercentage: 79,
      DowntimePercentage: 21,
      UnplannedDowntimePercentage: 14,
    })
  })

  test.each([
    ['nothing', [], [], [0, 0, 100, 0]],
    ['all of it, planned', [day], [], [1440, 0, 0, 0]],
    ['all of it, unplanned', [], [hour(-5, 40)], [0, 1440, 0, 100]],
    ['half a minute counts as one', [], [{ from: 0, to: 30_000 }], [0, 1, 100, 0]],
    ['less does not', [], [{ from: 0, to: 29_999 }], [0, 0, 100, 0]],
  ])('%s', (_what, planned, unplanned, expected) => {
    const found = availability(day, planned, unplanned)
    const { PlannedDowntimeMinutes, UnplannedDowntimeMinutes, UptimePercentage, UnplannedDowntimePercentage } = found
    expect([PlannedDowntimeMinutes, UnplannedDowntimeMinutes, UptimePercentage, UnplannedDowntimePercentage]).toEqual(
      expected,
    )
    expect(found.TotalUptimeMinutes + found.TotalDowntimeMinutes).toBe(1440)
  })

  test('of no time is whole', () => {
    expect(availability(hour(1, 1), [], [])).toMatchObject({ TotalTimeMinutes: 0, UptimePercentage: 100 })
  })

  test('spans that touch are one', () => {
    expect(union([hour(4, 5), hour(1, 2), hour(2, 3), hour(1.5, 1.6)])).toEqual([hour(1, 3), hour(4, 5)])
  })
})

describe('the calendar', () => {
  test('has days of the Gulf', () => {
    expect(startOfDate('2026-03-01')).toBe(Date.parse('2026-02-28T20:00:00Z'))
    expect(startOf('day', Date.parse('2026-02-28T19:59:59.999Z'))).toBe(Date.parse('2026-02-27T20:00:00Z'))
    expect(startOf('hour', Date.parse('2026-02-28T19:59:59.999Z'))).toBe(Date.parse('2026-02-28T19:00:00Z'))
    expect(daysOf(periodOf('2026-02-28', '2026-03-01', 2) ?? { from: 0, to: 0 })).toHaveLength(2)
  })

  test.each(['2026-02-29', '2026-3-1', '', 'today', '2026-03-01T00:00:00Z'])('"%s" is no day', (text) => {
    expect(startOfDate(text)).toBeNull()
  })

  test('keeps whole days, as many years as the policy says', () => {
    expect(boundary(Date.parse('2026-03-01T12:00:00Z'), 5)).toBe(Date.parse('2021-02-28T20:00:00Z'))
  })
})

describe('CSV', () => {
  test('quotes what needs it, and starts no formula', () => {
    expect(csvLine(['a', 'b,c', 'd"e', '=1+1', '-2', 7, null, true])).toBe(`a,"b,c","d""e",'=1+1,'-2,7,,true\r\n`)
  })

  test('has a column for every field of the UAE raw API log, each with its meaning', () => {
    const columns = rawColumns('lfi')
    expect(columns.map(({ name }) => name).slice(0, 17)).toEqual(
      (
        'Timestamp LfiId TppId TppClientId TppSoftwareStatementId ApiSet HttpMethod UrlTemplate TppResponseCodeGroup ' +
        'ExecutionTime InteractionId ResourceName LfiResponseCodeGroup IsAttended Records PaymentType MerchantId'
      ).split(' '),
    )
    expect(columns.every(({ meaning, type }) => meaning.length > 10 && type !== '')).toBe(true)
  })
})
