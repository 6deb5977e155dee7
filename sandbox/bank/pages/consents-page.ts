/** Everything that one customer has agreed to, the live ones first. */

import { type Html, html } from '../../html.ts'
import { type Consent, isLive } from './consent.ts'
import { stateFilter, stopWords } from './consent-views.ts'
import type { Session } from './session.ts'
import { accountsShared, asked, hidden, kindOf, layout, type Site, statusInWords, terms, tppName } from './templates.ts'

export function consentsPage(
  site: Site,
  session: Session,
  view: { readonly consents: readonly Consent[]; readonly waiting: readonly Consent[]; readonly state: string },
): string {
  const chosen = view.consents
    .filter(({ status }) => view.state === '' || status === view.state)
    .toSorted((a, b) => Number(isLive(b)) - Number(isLive(a)) || byTppThenDate(a, b))
  return layout(
    site,
    'Connected apps',
    html`<h1>Connected apps</h1>
${view.waiting.map((consent) => waitingCard(site, session, consent))}
${stateFilter(`${site.base}/consents`, view.state)}
${
  chosen.length === 0
    ? html`<p id="no-consents">${view.state === '' ? 'No app sees your data or pays from your accounts.' : 'There are none in this state.'}</p>`
    : chosen.map((consent) => consentCard(site, session, consent))
}
<form method="post" action="${site.base}/logout">
${hidden(session)}
<div class="actions"><button class="quiet" id="logout">Sign out</button></div>
</form>`,
  )
}

/** Somebody who holds the account as well has agreed, and asks for the same of this customer. */
function waitingCard(site: Site, session: Session, consent: Consent): Html {
  return html`<section class="consent" id="waiting-${consent.id}">
<h2><span dir="auto">${tppName(consent)}</span> <span class="status">Waiting for you</span></h2>
<p>Somebody who holds this account with you has agreed. It counts when you agree as well.</p>
${terms(consent)}
${accountsShared(site, consent)}
<form method="post" action="${site.base}/consents/${encodeURIComponent(consent.id)}/decision">
${hidden(session)}
<div class="actions"><button id="agree-${consent.id}" name="action" value="agree">Agree</button>
<button class="quiet" id="decline-${consent.id}" name="action" value="decline">Do not agree</button></div>
</form>
</section>`
}

function byTppThenDate(a: Consent, b: Consent): number {
  return tppName(a).localeCompare(tppName(b), 'en') || (b.created ?? '').localeCompare(a.created ?? '', 'en')
}

function consentCard(site: Site, session: Session, consent: Consent): Html {
  const address = `${site.base}/consents/${encodeURIComponent(consent.id)}`
  const revoke = isLive(consent)
    ? html`<form method="post" action="${address}/revoke">
${hidden(session)}
<div class="actions"><button id="revoke-${consent.id}">${stopWords(consent)}</button></div>
</form>`
    : null
  return html`<section class="consent" id="consent-${consent.id}">
<h2><span dir="auto">${tppName(consent)}</span> <span class="status">${statusInWords(consent.status)}</span></h2>
<h3>${kindOf(consent)}</h3>
${terms(consent)}
${accountsShared(site, consent)}
${asked(consent)}
<p><a id="open-${consent.id}" href="${address}">Details and what happened</a></p>
${revoke}
</section>`
}
