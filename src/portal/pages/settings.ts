/** What this tenant is configured to be, with the description of each line, and who may do what. Secrets are not here. */

import { PORTAL_ROLES } from '../../config.ts'
import { type Html, html } from '../../html.ts'
import { VERBS } from '../acts/verbs.ts'
import { code, table } from '../parts.ts'
import { RIGHTS } from '../roles.ts'
import { type Setting, settingsOf } from '../settings.ts'
import type { Page, Visit } from '../visit.ts'

export const settings: Page = {
  name: 'settings',
  path: '/settings',
  isListed: true,
  show: async (visit) => {
    const { settings: words } = visit.tongue.words
    const all = settingsOf(visit.rooms.tenant)
    return {
      body: html`<p>${words.why}</p>
${tableOf(
  visit,
  words.flags,
  all.filter(({ isFlag }) => isFlag),
)}
${tableOf(
  visit,
  words.settings,
  all.filter(({ isFlag }) => !isFlag),
)}
${rights(visit)}`,
    }
  },
}

/** Descriptions are those of the schema, which is in English. */
function tableOf({ tongue, rooms }: Visit, caption: string, all: readonly Setting[]): Html {
  const { settings: words } = tongue.words
  const stored = rooms.endpoints.now().filter(({ from }) => from === 'stored')
  const overruled = (key: string): Html | null => {
    const by = stored.find((each) => each.key === key || each.key.startsWith(`${key}.`))
    return by === undefined ? null : html` – <a href="/lfi">${words.overruled}</a> ${code(by.url)}`
  }
  return table({
    caption,
    columns: [words.key, words.value, words.meaning],
    empty: '',
    rows: all.map(({ key, value, description }) => [
      code(key),
      value === null ? words.secret : value === '' ? words.notSet : html`${code(value)}${overruled(key)}`,
      html`<span lang="en" dir="ltr">${description}</span>`,
    ]),
  })
}

function rights({ tongue }: Visit): Html {
  const { settings: words, shell, pages, acts } = tongue.words
  const called: Readonly<Record<string, string>> = { ...pages, ...acts }
  const two = new Set(Object.entries(VERBS).flatMap(([name, { people }]) => (people === 'two' ? [name] : [])))
  return table({
    caption: words.rights,
    columns: [words.what, words.people, ...PORTAL_ROLES.map((role) => shell.roles[role])],
    empty: '',
    rows: Object.entries(RIGHTS).map(([name, roles]) => [
      `${name.includes('.') ? words.act : words.page}: ${called[name] ?? name}`,
      two.has(name) ? words.two : name.includes('.') ? words.one : '–',
      ...PORTAL_ROLES.map((role) => (roles.includes(role) ? shell.yes : '–')),
    ]),
  })
}
