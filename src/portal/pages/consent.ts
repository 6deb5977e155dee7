/** One consent: in words, its history, what it was at any moment, and the way to end it. */
import { createConsentView, type HistoryRow } from '../../admin/index.ts'
import { isTerminal } from '../../consent-store/index.ts'
import { type Html, html } from '../../html.ts'
import { REVOKERS } from '../acts/consents.ts'
import { consentInWords } from '../consent-words.ts'
import { actForm, choice, field, table } from '../parts.ts'
import type { Page, Visit } from '../visit.ts'
import { tppOf } from './consents.ts'

export const consent: Page = {
  name: 'consent',
  path: '/consents/{id}',
  isListed: false,
  show: async (visit) => {
    const { tongue, rooms, parameters, query } = visit
    const { consents: words } = tongue.words
    const view = createConsentView({ ...rooms, tenantId: rooms.tenant.id })
    const viewer = { actor: visit.session.person.subject, interactionId: visit.interactionId }
    const id = parameters['id'] ?? ''
    const typed = query.get('at') ?? ''
    const found = await view.findAt(id, typed === '' ? null : inTheGulf(typed), viewer)
    const history = await view.history(id, viewer)
    return {
      title: `${tongue.words.pages.consent} ${found.consent.id}`,
      body: html`<p class="hint">${typed === '' ? words.now : html`${words.asOf} ${tongue.time(found.at)}`} · ${words.revision} ${found.revision}</p>
${consentInWords(found.consent, tongue, tppOf(found.consent))}
<form class="search" method="get">${field({ name: 'at', label: words.at, type: 'datetime-local', value: typed })}
<button>${words.show}</button></form>
${historyOf(visit, history)}
${typed !== '' || isTerminal(found.consent) ? null : ending(visit, found.consent.id)}`,
    }
  },
}

const inTheGulf = (text: string): string =>
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/.test(text) ? `${text}+04:00` : text

function historyOf({ tongue }: Visit, rows: readonly HistoryRow[]): Html {
  const { consents: words, shell } = tongue.words
  const { states, changes }: Readonly<Record<'states' | 'changes', Readonly<Record<string, string>>>> = words
  return table({
    caption: words.history,
    columns: [words.revision, words.when, words.change, words.state, words.who],
    empty: shell.none,
    rows: rows.map((row) => [
      String(row.revision),
      tongue.time(row.at),
      changes[row.change] ?? row.change,
      states[row.to] ?? row.to,
      words.parties[row.by.by],
    ]),
  })
}

function ending(visit: Visit, id: string): Html | null {
  const { consents: words } = visit.tongue.words
  const options = REVOKERS.map((each) => [each, words.wanted[each]] as const)
  const form = actForm(
    visit,
    'consent.revoke',
    { id },
    {
      isGrave: true,
      isWide: true,
      fields: () => choice({ name: 'revokedBy', label: words.wantedBy, options }),
    },
  )
  return form === null ? null : html`<details><summary>${words.end}</summary><p>${words.endWhy}</p>${form}</details>`
}
