/** Outages: what is announced and what lasts, and forms to say so. */
import { type Html, html } from '../../html.ts'
import type { Outage } from '../../reports/index.ts'
import { actForm, choice, field, table } from '../parts.ts'
import type { Page, Visit } from '../visit.ts'

export const outages: Page = {
  name: 'outages',
  path: '/outages',
  isListed: true,
  show: async (visit) => {
    const { tongue, rooms } = visit
    const { outages: words, shell } = tongue.words
    const all = await rooms.reports.outages.list()
    const isOpen = ({ endsAt }: Outage): boolean => endsAt === null || Date.parse(endsAt) > rooms.clock.now()
    return {
      body: html`<p>${words.why}</p>
${table({
  caption: words.all,
  columns: [words.reason, words.subject, words.kind, words.from, words.to, shell.actions],
  empty: shell.none,
  rows: all.map((each) => [
    each.reason,
    words.subjects[each.subject],
    words.kinds[each.kind],
    tongue.time(each.startsAt),
    each.endsAt === null ? words.lasts : tongue.time(each.endsAt),
    isOpen(each) ? actForm(visit, 'outage.end', { id: each.id }, { about: each.reason }) : null,
  ]),
})}
${declare(visit)}`,
    }
  },
}

function declare(visit: Visit): Html {
  const { outages: words } = visit.tongue.words
  const subject = (name: string, chosen: string): Html =>
    choice({ name, as: 'subject', label: words.subject, options: Object.entries(words.subjects), chosen })
  const reason = (name: string, value: string): Html =>
    field({ name, as: 'reason', label: words.reason, value, isRequired: true })
  const moment = (name: string, label: string, value: string): Html =>
    field({ name, label, type: 'datetime-local', value, isRequired: true })
  const plan = actForm(
    visit,
    'outage.plan',
    {},
    {
      isWide: true,
      fields: (typed) => html`${subject('plan-subject', typed('subject'))}
${moment('startsAt', words.from, typed('startsAt'))}
${moment('endsAt', words.to, typed('endsAt'))}
${reason('plan-reason', typed('reason'))}`,
    },
  )
  const begin = actForm(
    visit,
    'outage.begin',
    {},
    {
      isWide: true,
      fields: (typed) => html`${subject('begin-subject', typed('subject'))}${reason('begin-reason', typed('reason'))}`,
    },
  )
  return html`${plan === null ? null : html`<h2>${words.plan}</h2><p class="hint">${words.planWhy}</p>${plan}`}
${begin === null ? null : html`<h2>${words.begin}</h2>${begin}`}`
}
