/** Registered applications of TPPs, with where each stands. */
import { html } from '../../html.ts'
import { actForm, table } from '../parts.ts'
import { standingState } from '../states.ts'
import type { Page } from '../visit.ts'

export const tpps: Page = {
  name: 'tpps',
  path: '/tpps',
  isListed: true,
  show: async (visit) => {
    const { tongue, rooms } = visit
    const { tpps: words, shell } = tongue.words
    const emergency = actForm(visit, 'tpps.block-all', {}, { isGrave: true })
    const standings = await rooms.participants.standings()
    return {
      body: html`<p>${words.why}</p>
${table({
  caption: words.registered,
  columns: [words.application, words.organisation, words.roles, words.state, words.since],
  empty: shell.none,
  rows: standings.map((each) => [
    html`<a href="/tpps/${encodeURIComponent(each.clientId)}">${each.clientName}</a>`,
    each.tppName,
    each.roles.join(', '),
    standingState(tongue, each.status),
    tongue.time(each.registeredAt),
  ]),
})}
${emergency === null ? null : html`<h2>${words.emergency}</h2><p>${words.blockAllWhy}</p>${emergency}`}`,
    }
  },
}
