/** Who is logged in here, with which roles, and the way out of every browser at once. */
import { html } from '../../html.ts'
import { actForm, facts } from '../parts.ts'
import type { Page } from '../visit.ts'

export const account: Page = {
  name: 'account',
  path: '/account',
  isListed: false,
  show: async (visit) => {
    const { tongue, session } = visit
    const { account: words, shell } = tongue.words
    return {
      body: html`${facts([
        [words.loggedInAs, session.person.name],
        [words.roles, session.person.roles.map((role) => shell.roles[role]).join(' · ')],
        [words.until, tongue.time(session.expiresAt)],
      ])}
<p>${words.everywhere}</p>
${actForm(visit, 'session.end-mine', {})}`,
    }
  },
}
