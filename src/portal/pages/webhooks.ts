/** Events for the webhooks of TPPs: what waits, what nobody took, and once more for one of them. Never what they say. */
import { type Html, html } from '../../html.ts'
import { type ListedWebhook, NOTICE_STATES, type NoticeState } from '../../notices/index.ts'
import { actForm, choice, code, table } from '../parts.ts'
import type { Page, Visit } from '../visit.ts'

/** What has been settled may go out again (src/notices). */
const SETTLED: readonly NoticeState[] = ['delivered', 'dropped', 'dead']

export const webhooks: Page = {
  name: 'webhooks',
  path: '/webhooks',
  isListed: true,
  show: async (visit) => {
    const { desk } = visit.rooms
    const { webhooks: words, shell } = visit.tongue.words
    const state = NOTICE_STATES.find((each) => each === visit.query.get('state')) ?? null
    const states: readonly NoticeState[] = state === null ? ['dead', 'waiting'] : [state]
    const [counts, ...lists] = await Promise.all([desk.counts(), ...states.map((each) => desk.list(each))])
    return {
      body: html`<p>${words.why}</p>
${table({
  caption: words.counts,
  columns: [words.receiver, words.state, words.count],
  empty: shell.none,
  rows: counts.map(({ kind, state: of, count }) => [
    words.receivers[kind],
    words.states[of],
    visit.tongue.number(count),
  ]),
})}
<form class="search" method="get" action="/webhooks">
${choice({
  name: 'state',
  label: words.state,
  chosen: state ?? '',
  options: [['', words.open], ...NOTICE_STATES.map((each) => [each, words.states[each]] as const)],
})}
<button>${shell.search}</button></form>
${lists.map((list, at) => listOf(visit, states[at] ?? 'dead', list))}
<p class="hint">${words.bounds}</p>`,
    }
  },
}

function listOf(visit: Visit, state: NoticeState, list: readonly ListedWebhook[]): Html {
  const { tongue } = visit
  const { webhooks: words, shell } = tongue.words
  return table({
    caption: words.states[state],
    columns: [words.id, words.at, words.about, words.client, words.attempts, words.outcome, words.next, shell.actions],
    empty: shell.none,
    rows: list.map((each) => [
      code(each.id),
      tongue.time(each.at),
      html`${words.abouts[each.resource]} ${code(each.resourceId ?? each.consentId ?? '–')}`,
      code(each.clientId),
      tongue.number(each.attempts),
      html`<span lang="en" dir="ltr">${each.outcome ?? '–'}</span>`,
      each.dueAt === null ? '–' : tongue.time(each.dueAt),
      SETTLED.includes(each.state) ? actForm(visit, 'webhook.redeliver', { id: each.id }, { about: each.id }) : null,
    ]),
  })
}
