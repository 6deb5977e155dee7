/** The reports of lfi-api 7.7, each for some days, as a table to look at and as CSV to keep. */
import { HubError } from '../../errors.ts'
import { type Html, html } from '../../html.ts'
import { csvOf, type Days, REPORT_TYPES, type Reports } from '../../reports/index.ts'
import { writtenDay } from '../moments.ts'
import { choice, code, field, table } from '../parts.ts'
import type { Page, Visit } from '../visit.ts'
import type { Words } from '../words/index.ts'

type Rows = Parameters<typeof csvOf>[0]
type Kind = {
  /** What a person can wait for: the finer the report, the fewer the days. */
  readonly daysMax: number
  read(reports: Reports, days: Days): Promise<Rows>
}

type ReportKind = keyof Words['reports']['kinds']

const YEAR = 366
const KINDS = {
  lfi: { daysMax: YEAR, read: (reports, days) => reports.lfiAvailability(days) },
  volume: { daysMax: YEAR, read: (reports, days) => reports.ofAll(REPORT_TYPES[0], days) },
  'lfi-availability': { daysMax: YEAR, read: (reports, days) => reports.ofAll(REPORT_TYPES[1], days) },
  'hub-availability': { daysMax: YEAR, read: (reports, days) => reports.ofAll(REPORT_TYPES[2], days) },
  'lfi-performance': { daysMax: YEAR, read: (reports, days) => reports.ofAll(REPORT_TYPES[3], days) },
  'hub-performance': { daysMax: YEAR, read: (reports, days) => reports.ofAll(REPORT_TYPES[4], days) },
  daily: { daysMax: 31, read: (reports, days) => reports.rollUps('day', days) },
  hourly: { daysMax: 2, read: (reports, days) => reports.rollUps('hour', days) },
  times: { daysMax: 31, read: (reports, days) => reports.dataset('times', days) },
  consents: { daysMax: YEAR, read: (reports, days) => reports.dataset('consents', days) },
  versions: { daysMax: YEAR, read: (reports, days) => reports.dataset('versions', days) },
  payments: { daysMax: 31, read: (reports, days) => reports.dataset('payments', days) },
  billing: { daysMax: 31, read: (reports, days) => reports.dataset('billing', days) },
} as const satisfies Readonly<Record<ReportKind, Kind>>

const ROWS_SHOWN = 200
const WEEK_MS = 6 * 86_400_000
/** The same in every row of a report. */
const CONSTANT: ReadonlySet<string> = new Set(['Type', 'Dataset', 'LfiId', 'LfiName'])

export const reports: Page = {
  name: 'reports',
  path: '/reports',
  isListed: true,
  show: async (visit) => {
    const { rooms, query, tongue } = visit
    const { reports: words } = tongue.words
    const kind = kindOf(query.get('report'))
    const now = rooms.clock.now()
    const days = { first: query.get('from') || writtenDay(now - WEEK_MS), last: query.get('to') || writtenDay(now) }
    const form = searchForm(visit, kind, days)
    if (kind === null) return { body: html`<p>${words.why}</p>${form}${rawCommand(visit, days)}` }
    const rows = await rowsOf(rooms.reports, kind, days)
    if (query.get('format') === 'csv') {
      const name = `${rooms.tenant.id}-${kind}-${days.first}-${days.last}.csv`
      return { file: { name, type: 'text/csv; charset=utf-8; header=present', content: csvOf(rows) } }
    }
    const link = `/reports?${new URLSearchParams({ report: kind, from: days.first, to: days.last, format: 'csv' })}`
    return {
      body: html`<p>${words.why}</p>${form}
<p><a class="button" href="${link}" download>${words.download}</a></p>
${tableOf(visit, kind, rows)}
<p class="hint">${words.bounds(tongue.number(ROWS_SHOWN))}</p>
${rawCommand(visit, days)}`,
    }
  },
}

const kindOf = (text: string | null): ReportKind | null =>
  text !== null && Object.hasOwn(KINDS, text) ? (text as ReportKind) : null

async function rowsOf(all: Reports, kind: ReportKind, days: Days): Promise<Rows> {
  const { daysMax, read }: Kind = KINDS[kind]
  const count = (Date.parse(days.last) - Date.parse(days.first)) / 86_400_000 + 1
  if (count > daysMax)
    throw new HubError('Resource.InvalidFormat', { reason: `this report is of ${daysMax} days at most` })
  return read(all, days)
}

function searchForm({ tongue }: Visit, kind: ReportKind | null, { first, last }: Days): Html {
  const { reports: words } = tongue.words
  return html`<form class="search" method="get" action="/reports">
${choice({
  name: 'report',
  label: words.report,
  chosen: kind ?? '',
  options: (Object.keys(KINDS) as ReportKind[]).map((each) => [each, words.kinds[each]]),
})}
${field({ name: 'from', label: words.first, type: 'date', value: first, isRequired: true })}
${field({ name: 'to', label: words.last, type: 'date', value: last, isRequired: true })}
<button>${words.show}</button></form>`
}

/** Columns are called as in the contract, in every language. Of many there are more than a screen is wide. */
function tableOf({ tongue }: Visit, kind: ReportKind, rows: Rows): Html {
  const { reports: words, shell } = tongue.words
  const columns = Object.keys(rows[0] ?? {}).filter((name) => !CONSTANT.has(name))
  const found = table({
    caption: words.kinds[kind],
    columns,
    empty: shell.none,
    rows: rows.slice(0, ROWS_SHOWN).map((row) =>
      columns.map((name) => {
        const value = row[name] ?? null
        return value === null || value === '' ? '–' : code(String(value))
      }),
    ),
  })
  return html`<div class="sideways" role="region" tabindex="0" aria-label="${words.kinds[kind]}">${found}</div>`
}

function rawCommand({ tongue, rooms }: Visit, { first, last }: Days): Html {
  const { reports: words } = tongue.words
  return html`<h2>${words.raw}</h2><p>${words.whyRaw}</p>
<p>${code(`falaj report raw --config deployment.json --tenant ${rooms.tenant.id} --from ${first} --to ${last} --format csv`)}</p>`
}
