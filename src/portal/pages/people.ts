/** Who is logged in, and what each role may do: the table of roles.ts as it is. */

import { PORTAL_ROLES } from '../../config.ts'
import { html } from '../../html.ts'
import { actForm, table } from '../parts.ts'
import { type ActName, type PageName, RIGHTS } from '../roles.ts'
import type { Page } from '../visit.ts'

export const people: Page = {
  name: 'people',
  path: '/people',
  isListed: true,
  show: async (visit) => {
    const { tongue, rooms, session } = visit
    const { people: words, shell, acts, pages } = tongue.words
    const labels: Readonly<Record<string, string>> = { ...pages, ...acts }
    return {
      body: html`<p>${words.why}</p>
${table({
  caption: words.sessions,
  columns: [words.name, words.roles, words.began, words.seen, words.expires, shell.actions],
  empty: shell.none,
  rows: (await rooms.sessions.list()).map((each) => [
    each.person.name,
    each.person.roles.map((role) => shell.roles[role]).join(' · '),
    tongue.time(each.beganAt),
    tongue.time(each.seenAt),
    tongue.time(each.expiresAt),
    each.handle === session.handle
      ? words.yours
      : actForm(visit, 'session.end', { handle: each.handle }, { about: each.person.name, isGrave: true }),
  ]),
})}
${table({
  caption: words.rights,
  columns: [words.right, ...PORTAL_ROLES.map((role) => shell.roles[role])],
  empty: shell.none,
  rows: (Object.keys(RIGHTS) as (ActName | PageName)[]).map((what) => [
    labels[what] ?? what,
    ...PORTAL_ROLES.map((role) => (RIGHTS[what].includes(role) ? shell.yes : shell.no)),
  ]),
})}`,
    }
  },
}
