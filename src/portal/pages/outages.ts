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
  const subject = (name: string): Html =>
    choice({ name, as: 'subject', label: words.subject, options: Object.entries(words.subjects) })
  const reason = (name: string): Html => field({ name, as: 'reason', label: words.reason, isRequired: true })
  const plan = actForm(
    visit,
    'outage.plan',
    {},
    {
      isWide: true,
      fields: html`${subject('plan-subject')}
${field({ name: 'startsAt', label: words.from, type: 'datetime-local', isRequired: true })}
${field({ name: 'endsAt', label: words.to, type: 'datetime-local', isRequired: true })}
${reason('plan-reason')}`,
    },
  )
  const begin = actForm(
    visit,
    'outage.begin',
    {},
    {
      isWide: true,
      fields: html`${subject('begin-subject')}${reason('begin-reason')}`,
    },
  )
  return html`${plan === null ? null : html`<h2>${words.plan}</h2><p class="hint">${words.planWhy}</p>${plan}`}
${begin === null ? null : html`<h2>${words.begin}</h2>${begin}`}`
}
