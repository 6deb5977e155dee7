/** One call by its interaction id: its stages and their times, why it was refused, and all that is recorded of it. */
import { type Html, html } from '../../html.ts'
import { toCorrelationId } from '../../ids.ts'
import type { Explanation, FoundCall, Trace } from '../../reports/index.ts'
import { code, facts, table } from '../parts.ts'
import { Refused } from '../refused.ts'
import type { Page, Shown, Visit } from '../visit.ts'
import type { Words } from '../words/index.ts'
import { type Stage, stagesOf } from './call-stages.ts'

export const call: Page = {
  name: 'call',
  path: '/calls/{id}',
  isListed: false,
  show: (visit) => callAt(visit, visit.parameters['id'] ?? ''),
}

export async function callAt(visit: Visit, raw: string): Promise<Shown> {
  const { rooms, tongue } = visit
  const id = toCorrelationId(raw)
  if (id === null) throw new Refused('notFound')
  const [trace, explained] = await Promise.all([
    rooms.reports.calls.trace(id),
    rooms.reports.explanations.ofAnybody(id),
  ])
  if (trace.records.length === 0) throw new Refused('notFound')
  const { call: words } = tongue.words
  return {
    body: html`<p>${words.interaction} ${code(id)} · <a href="/audit?receipt=${id}">${words.receipt}</a></p>
${explained.map((each) => whyOf(visit, each))}
${trace.calls.map((each) => callOf(visit, each))}
${recordsOf(visit, trace)}`,
  }
}

/** The same as `falaj explain`. */
function whyOf({ tongue }: Visit, why: Explanation): Html {
  const { call: words } = tongue.words
  return html`<section class="fault"><h2>${words.refused}</h2>
${facts([
  [words.rule, code(why.Rule ?? '–')],
  [words.clause, code(why.Clause)],
  [words.expected, english(why.Expected)],
  [words.seen, english(why.Seen)],
  [words.where, code(why.Path ?? '–')],
  [words.answered, code(`${why.Status} ${why.Code ?? ''}`.trim())],
])}</section>`
}

/** What the contract and its rules say is in English in every language. */
const english = (text: string | null): Html => html`<span lang="en" dir="ltr">${text ?? '–'}</span>`

function callOf(visit: Visit, each: FoundCall): Html {
  const { tongue } = visit
  const { call: words, calls } = tongue.words
  const ms = (us: number | null): string => (us === null ? '–' : `${tongue.number(us / 1000)} ms`)
  const about = facts([
    [calls.time, tongue.time(each.at)],
    [
      calls.operation,
      code(`${each.method} ${each.route ?? '–'}${each.operationId === null ? '' : ` (${each.operationId})`}`),
    ],
    [calls.status, code(`${each.status}${each.errorCode === null ? '' : ` ${each.errorCode}`}`)],
    [calls.client, code(each.clientId ?? '–')],
    [words.organisation, code(each.organisationId ?? '–')],
    [words.attended, each.attended ? tongue.words.shell.yes : tongue.words.shell.no],
    [calls.duration, html`<span dir="ltr">${ms(each.totalUs)}</span>`],
  ])
  const stages = stagesOf(each)
  if (stages === null) return html`<h2>${words.callAt} ${code(each.door)}</h2>${about}`
  return html`<h2>${words.callAt} ${code(each.door)}</h2>${about}
${table({
  caption: words.stages,
  columns: [words.stage, words.outcome, words.took],
  empty: '',
  rows: stages.map(({ name, state, us }, at) => [
    `${at + 1}. ${words.stageNames[name]}`,
    html`<span class="state ${STATE_CLASS[state]}">${words.states[state]}</span>`,
    tookOf(visit, each, { name, us, state }),
  ]),
})}
<p class="hint">${words.measured}</p>`
}

const STATE_CLASS = { done: 'good', stopped: 'bad', skipped: 'plain', unreached: 'plain' } as const

function tookOf({ tongue }: Visit, { at, recordedAt, index, lfi }: FoundCall, { name, us }: Stage): Html {
  const { call: words } = tongue.words
  const ms = us === null ? '' : `${tongue.number(us / 1000)} ms`
  if (name === 'arrived') return tongue.time(at)
  if (name === 'recorded') {
    return html`${tongue.time(recordedAt)} · ${index === null ? words.unsealed : `${words.place} ${index}`}`
  }
  if (name === 'asked' && lfi !== null) return html`<span dir="ltr">${ms}</span> · ${code(lfiSaid(lfi))}`
  return us === null ? html`–` : html`<span dir="ltr">${ms}</span> · ${words.segments[segmentOf(name)]}`
}

const lfiSaid = ({ status, outcome }: NonNullable<FoundCall['lfi']>): string =>
  [outcome, status].filter((each) => each !== null).join(' ') || '–'

const segmentOf = (name: Stage['name']): keyof Words['call']['segments'] =>
  name === 'permitted' ? 'hubIn' : name === 'answered' ? 'hubOut' : 'hub'

/** A consent is a page of its own, which says who looked at it. */
function written([name, value]: readonly [name: string, value: string]): Html {
  const text = code(`${name}=${value}`)
  return name === 'consentId' ? html`<a href="/consents/${value}">${text}</a>` : text
}

function recordsOf({ tongue }: Visit, { records }: Trace): Html {
  const { call: words } = tongue.words
  const kindOf = (kind: string): string => Object.entries(words.kinds).find(([name]) => name === kind)?.[1] ?? kind
  return html`${table({
    caption: words.records,
    columns: [words.kind, words.recordedAt, words.place, words.facts],
    empty: '',
    rows: records.map(({ kind, recordedAt, index, facts: known }) => [
      kindOf(kind),
      tongue.time(recordedAt),
      index === null ? words.unsealed : html`${index}`,
      known.map((fact) => html`${written(fact)} `),
    ]),
  })}
<p class="hint">${words.never}</p>`
}
