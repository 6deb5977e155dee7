/** The API log: calls of TPPs and of the LFI, the latest first. With an interaction id, that call itself. */
import { type Html, html } from '../../html.ts'
import { CALLS_PER_PAGE, CALLS_READ_MAX, type CallFilter, type FoundCall } from '../../reports/index.ts'
import { momentIn } from '../moments.ts'
import { choice, code, field, table } from '../parts.ts'
import type { Page, Visit } from '../visit.ts'
import { callAt } from './call.ts'

const LIVE_SECONDS = 5
const GROUPS = ['2xx', '4xx', '5xx'] as const

export const calls: Page = {
  name: 'calls',
  path: '/calls',
  isListed: true,
  show: async (visit) => {
    const { query, tongue, rooms } = visit
    const { calls: words } = tongue.words
    const id = query.get('id')?.trim() ?? ''
    if (id !== '') return callAt(visit, id)
    const before = query.get('before')
    const page = await rooms.reports.calls.search(filterOf(query), before)
    const isLive = before === null && (query.get('to') ?? '') === ''
    const bounds = [
      words.newestFirst,
      ...(page.isCut ? [words.cut(tongue.number(CALLS_READ_MAX))] : []),
      ...(isLive ? [words.live] : []),
    ].join(' ')
    return {
      body: html`${searchForm(visit)}
<p class="hint">${words.bounds(tongue.number(CALLS_PER_PAGE), tongue.number(CALLS_READ_MAX))}</p>
<div id="found"${isLive ? html` data-live="${visit.here}" data-every="${LIVE_SECONDS}"` : null}>
<p>${bounds}${page.readTo === null ? null : html` ${words.readTo} ${tongue.time(page.readTo)}.`}</p>
${table({
  caption: words.found,
  columns: [words.time, words.operation, words.status, words.client, words.door, words.duration, words.interaction],
  empty: tongue.words.shell.none,
  rows: page.calls.map((call) => rowOf(visit, call)),
})}
<p>${page.next === null ? null : html`<a href="${linkWith(query, 'before', page.next)}" rel="next">${words.older}</a> `}<a href="${linkWith(query, 'before', null)}">${words.refresh}</a></p>
</div>`,
    }
  },
}

function filterOf(query: URLSearchParams): CallFilter {
  const given = (name: string): string | null => {
    const value = query.get(name)?.trim() ?? ''
    return value === '' ? null : value
  }
  return {
    clientId: given('client'),
    operation: given('operation'),
    status: given('status'),
    isRefused: given('refused') === 'yes',
    from: momentIn(given('from')),
    to: momentIn(given('to')),
  }
}

function searchForm({ query, tongue: { words: all } }: Visit): Html {
  const { calls: words, shell } = all
  const value = (name: string): { readonly name: string; readonly value: string } => ({
    name,
    value: query.get(name) ?? '',
  })
  const chosen = (name: string): { readonly name: string; readonly chosen: string } => ({
    name,
    chosen: query.get(name) ?? '',
  })
  return html`<form class="search" method="get" action="/calls" role="search">
${field({ ...value('id'), label: words.interaction, type: 'search' })}
${field({ ...value('client'), label: words.client })}
${field({ ...value('operation'), label: words.operationOrPath })}
${choice({ ...chosen('status'), label: words.status, options: [['', words.any], ...GROUPS.map((each) => [each, each] as const)] })}
${choice({
  ...chosen('refused'),
  label: words.which,
  options: [
    ['', words.any],
    ['yes', words.refusedOnly],
  ],
})}
${field({ ...value('from'), label: words.from, type: 'datetime-local' })}
${field({ ...value('to'), label: words.to, type: 'datetime-local' })}
<button>${shell.search}</button>
</form>`
}

function rowOf({ tongue }: Visit, call: FoundCall): readonly Html[] {
  const { calls: words } = tongue.words
  const total = `${tongue.number(call.totalUs / 1000)} ms`
  return [
    tongue.time(call.at),
    code(call.operationId ?? `${call.method} ${call.route ?? '–'}`),
    statusOf(call, words.ruled),
    code(call.clientId ?? '–'),
    code(call.door),
    html`<span dir="ltr">${total}</span>`,
    call.interactionId === null
      ? html`–`
      : html`<a href="/calls/${call.interactionId}" dir="ltr"><code>${call.interactionId}</code></a>`,
  ]
}

/** Never by colour alone: the number says it, and the rule says why. */
const statusOf = ({ status, rule }: FoundCall, ruled: string): Html =>
  html`<span class="state ${status >= 500 ? 'bad' : status >= 400 ? 'warn' : 'good'}">${status}</span>${
    rule === null ? null : html` <span class="unseen">${ruled}</span> ${code(rule)}`
  }`

function linkWith(query: URLSearchParams, name: string, value: string | null): string {
  const next = new URLSearchParams(query)
  next.delete('done')
  if (value === null) next.delete(name)
  else next.set(name, value)
  return next.size === 0 ? '/calls' : `/calls?${next}`
}
