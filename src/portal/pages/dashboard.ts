/** How the hub is doing: traffic, the contract's time limit by operation, consents, and what waits (../figures.ts). */
import { CONSENT_STATUSES, type ConsentStatus } from '../../consent-store/index.ts'
import { type Html, html } from '../../html.ts'
import { type HourOfTraffic, type OperationFigures, RESOLUTION } from '../../reports/index.ts'
import { rows as bars, columns } from '../charts.ts'
import { consentState } from '../consent-words.ts'
import { figuresOf, LIMIT_MS, type Queue, withinOf } from '../figures.ts'
import { code, table } from '../parts.ts'
import { stateOf } from '../states.ts'
import type { Page, Visit } from '../visit.ts'

const HOUR_MS = 3_600_000
const CHARTED = 8
const LIVE_SECONDS = 10

export const dashboard: Page = {
  name: 'dashboard',
  path: '/',
  isListed: true,
  show: async (visit) => {
    const { queues, traffic, operations, consents } = await figuresOf(visit.rooms)
    return {
      body: html`${waiting(visit, queues)}${trafficChart(visit, traffic)}${speed(visit, operations)}${consentsByState(visit, consents)}`,
    }
  },
}

function waiting({ tongue }: Visit, queues: readonly Queue[]): Html {
  const { dashboard: words } = tongue.words
  const cards = queues.map(({ name, value, isHigh }) => {
    return html`<li><span class="figure">${value === null ? '?' : tongue.number(value)}</span>${words.queues[name]}
${stateOf(isHigh ? words.look : words.fine, isHigh ? 'warn' : 'good')}</li>`
  })
  return html`<section id="queues" aria-label="${words.waiting}" data-live="/" data-every="${LIVE_SECONDS}">
<h2>${words.waiting}</h2><ul class="cards">${cards}</ul></section>`
}

function trafficChart({ tongue }: Visit, hours: readonly HourOfTraffic[]): Html {
  const { dashboard: words } = tongue.words
  const total = hours.reduce((sum, { calls }) => sum + calls['2xx'] + calls['4xx'] + calls['5xx'], 0)
  const failed = hours.reduce((sum, { calls }) => sum + calls['5xx'], 0)
  const called = hours.filter(({ calls }) => calls['2xx'] + calls['4xx'] + calls['5xx'] > 0)
  return columns({
    id: 'traffic',
    title: words.traffic,
    description: words.trafficIs(tongue.number(total), tongue.number(failed)),
    unit: '',
    series: [
      { label: words.answered, tone: 'one' },
      { label: words.refused, tone: 'two' },
      { label: words.failed, tone: 'fault' },
    ],
    bars: hours.map(({ startsAt, calls }) => ({
      label: hourOf(startsAt),
      parts: [calls['2xx'], calls['4xx'], calls['5xx']],
    })),
    table: html`<p>${words.trafficIs(tongue.number(total), tongue.number(failed))}</p>
<details><summary>${words.asTable}</summary>${table({
      caption: words.traffic,
      columns: [words.hour, words.answered, words.refused, words.failed],
      empty: words.noCalls,
      rows: called.map(({ startsAt, calls }) => [
        tongue.time(startsAt),
        ...(['2xx', '4xx', '5xx'] as const).map((group) => tongue.number(calls[group])),
      ]),
    })}</details>`,
  })
}

/** The hour of the Gulf in which it began. */
const hourOf = (at: number): string => `${new Date(at + 4 * HOUR_MS).toISOString().slice(11, 13)}:00`

function speed({ tongue }: Visit, operations: readonly OperationFigures[]): Html {
  const { dashboard: words } = tongue.words
  const ms = (value: number | null | undefined): string =>
    value === null || value === undefined ? '–' : `${tongue.number(Math.round(value))}\u00a0ms`
  const figures = table({
    caption: words.operations,
    columns: [
      words.operation,
      words.calls,
      words.within,
      words.p95,
      words.hubIn,
      words.lfi,
      words.hubOut,
      words.errors,
    ],
    empty: words.noCalls,
    rows: operations.map(({ method, route, calls, overLimit, errors, p95 }) => [
      code(`${method} ${route}`),
      tongue.number(calls),
      withinLimit(tongue, calls, overLimit),
      ms(p95?.total),
      ms(p95?.hubIn),
      ms(p95?.lfi),
      ms(p95?.hubOut),
      `${tongue.number(errors['4xx'])} / ${tongue.number(errors['5xx'])}`,
    ]),
  })
  const charted = operations.filter(({ p95 }) => p95 !== null).slice(0, CHARTED)
  if (charted.length === 0) return figures
  return bars({
    id: 'speed',
    title: words.speed,
    description: words.speedIs(String(charted.length)),
    limit: LIMIT_MS,
    limitLabel: `${LIMIT_MS} ms`,
    series: [
      { label: words.hubIn, tone: 'one' },
      { label: words.lfi, tone: 'two' },
      { label: words.hubOut, tone: 'three' },
    ],
    bars: charted.map(({ method, route, p95 }) => ({
      label: `${method} ${shortOf(route)}`,
      parts: [p95?.hubIn ?? 0, p95?.lfi ?? 0, p95?.hubOut ?? 0],
    })),
    table: html`<p class="hint">${words.speedHint(tongue.number(RESOLUTION * 100))}</p>${figures}`,
  })
}

/** What all routes of the gateway begin with says nothing, and a chart has little room. */
const shortOf = (route: string): string => route.replace(/^\/open-finance\//, '').replace(/\/v\d+\.\d+/, '')

function withinLimit(tongue: Visit['tongue'], calls: number, overLimit: number): Html {
  const { dashboard: words } = tongue.words
  const { share, isMet } = withinOf(calls, overLimit)
  return html`${tongue.number(share * 100)} % ${stateOf(isMet ? words.met : words.missed, isMet ? 'good' : 'bad')}`
}

function consentsByState({ tongue }: Visit, counts: Readonly<Record<ConsentStatus, number>>): Html {
  const { dashboard: words } = tongue.words
  return html`<h2>${words.consents}</h2>
<ul class="cards">${CONSENT_STATUSES.map(
    (status) => html`<li><span class="figure">${tongue.number(counts[status])}</span>
<a href="/consents?state=${status}">${consentState(tongue, status)}</a></li>`,
  )}</ul>`
}
