/** Consents as a list and one by one, for the customer and for the bank's own people. */

import { type Html, html } from '../../html.ts'
import { type Consent, isLive } from './consent.ts'
import type { Change } from './history.ts'
import type { Session } from './session.ts'
import {
  accountsShared,
  asked,
  hidden,
  kindOf,
  layout,
  moment,
  problemBox,
  type Site,
  statusInWords,
  terms,
  tppName,
} from './templates.ts'

const STATES = ['AwaitingAuthorization', 'Authorized', 'Suspended', 'Rejected', 'Revoked', 'Expired', 'Consumed']

export function detailPage(
  site: Site,
  session: Session,
  view: { readonly consent: Consent; readonly history: readonly Change[] },
): string {
  const { consent, history } = view
  const home = session.isStaff ? `${site.base}/staff` : `${site.base}/consents`
  return layout(
    site,
    'One consent',
    html`<p><a id="back" href="${home}">All consents</a></p>
<h1><span dir="auto">${tppName(consent)}</span> <span class="status" id="status">${statusInWords(consent.status)}</span></h1>
<section id="terms"><h2>${kindOf(consent)}</h2>${terms(consent)}</section>
<section id="asked"><h2>${consent.payment === null ? 'What they see' : 'What is paid'}</h2>${asked(consent)}
${accountsShared(site, consent)}</section>
<section id="history"><h2>What happened</h2><ol>${history.map(
      ({ at, what, by }) => html`<li>${what} by ${by} <small>${moment(at)}</small></li>`,
    )}</ol></section>
${session.isStaff ? staffActions(site, session, consent) : customerActions(site, session, consent)}`,
  )
}

function action(site: Site, session: Session, path: string, id: string, words: string): Html {
  return html`<form method="post" action="${site.base}/${path}">
${hidden(session)}
<div class="actions"><button id="${id}">${words}</button></div>
</form>`
}

const customerActions = (site: Site, session: Session, consent: Consent): Html =>
  isLive(consent)
    ? action(
        site,
        session,
        `consents/${encodeURIComponent(consent.id)}/revoke`,
        `revoke-${consent.id}`,
        stopWords(consent),
      )
    : html``

export const stopWords = ({ payment }: Consent): string => (payment === null ? 'Stop sharing' : 'Stop these payments')

function staffActions(site: Site, session: Session, consent: Consent): Html {
  const path = `staff/consents/${encodeURIComponent(consent.id)}`
  return html`${consent.status === 'Authorized' ? action(site, session, `${path}/suspend`, 'suspend', 'Pause') : null}
${consent.status === 'Suspended' ? action(site, session, `${path}/resume`, 'resume', 'Resume') : null}
${isLive(consent) ? action(site, session, `${path}/revoke`, 'revoke', 'End for the bank') : null}`
}

export function staffLoginPage(site: Site, session: Session, problem: string | null): string {
  return layout(
    site,
    'Staff sign-in',
    html`<h1>Staff sign-in</h1>
${problemBox(problem)}
<form class="card" method="post" action="${site.base}/staff/login">
${hidden(session)}
<label for="username">User name</label>
<input type="text" id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required>
<label for="password">Password</label>
<input type="password" id="password" name="password" autocomplete="current-password" required>
<div class="actions"><button id="login">Sign in</button></div>
</form>`,
  )
}

export const stateFilter = (address: string, state: string): Html =>
  html`<form class="card" method="get" action="${address}">
${statusFilter(state)}
<div class="actions"><button class="quiet" id="filter">Show</button></div>
</form>`

export const statusFilter = (state: string): Html =>
  html`<label for="state">State</label>
<select id="state" name="state">
<option value="">All</option>
${STATES.map((one) =>
  one === state
    ? html`<option value="${one}" selected>${statusInWords(one)}</option>`
    : html`<option value="${one}">${statusInWords(one)}</option>`,
)}
</select>`
