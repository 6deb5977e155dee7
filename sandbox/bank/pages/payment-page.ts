/** The page on which a customer agrees to payments: how much, how often, to whom, from which account. */

import { html } from '../../html.ts'
import type { AccountSpec, UserSpec } from '../data/spec.ts'
import type { Payee } from '../payments/personal.ts'
import type { Consent } from './consent.ts'
import type { PaymentAsk } from './payment.ts'
import type { Session } from './session.ts'
import { accountChoice, hidden, layout, problemBox, type Site, terms, tppName } from './templates.ts'

export function paymentPage(
  site: Site,
  session: Session,
  view: {
    readonly consent: Consent
    readonly payment: PaymentAsk
    readonly payees: readonly Payee[]
    readonly user: UserSpec
    readonly accounts: readonly AccountSpec[]
  },
  problem: string | null,
): string {
  const { consent, payment, payees, user, accounts } = view
  return layout(
    site,
    'Agree to pay',
    html`<h1>May <span dir="auto">${tppName(consent)}</span> pay from your account?</h1>
${problemBox(problem)}
<section id="payments"><h2>What is paid</h2><ul>${payment.words.map((line) => html`<li>${line}</li>`)}</ul>
${payment.reference === null ? null : html`<p class="note">Reference: <span id="payment-reference" dir="auto">${payment.reference}</span></p>`}
</section>
<section id="payees"><h2>Who is paid</h2>${
      payees.length === 0
        ? html`<p>Whoever the app names when it pays</p>`
        : html`<ul>${payees.map(({ name, account }) => html`<li><span dir="auto">${name}</span> <small>${account}</small></li>`)}</ul>`
    }</section>
<section id="who"><h2>Who asks</h2>${terms(consent)}</section>
<form class="card" method="post" action="${site.base}/consent">
${hidden(session)}
<fieldset id="accounts">
<legend>Pay from</legend>
${accounts.map((account) => accountChoice(site.book, account, 'radio'))}
</fieldset>
<p class="note">Signed in as <span dir="auto">${user.person.given} ${user.person.family}</span>. Nothing else is paid with this, and you can end it at any time under connected apps.</p>
<div class="actions">
<button id="approve" name="action" value="approve">Agree</button>
<button class="quiet" id="refuse" name="action" value="refuse">Do not agree</button>
</div>
</form>`,
  )
}
