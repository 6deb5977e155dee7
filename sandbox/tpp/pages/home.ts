/** First page: which bank, how much of it, and the connections there already are. */

import { type Html, html } from '../../html.ts'
import type { Lfi } from '../directory.ts'
import type { LfiFault } from '../errors.ts'
import { OFFERS } from '../offers.ts'
import type { Connection } from '../state.ts'
import { problem } from './problem.ts'

export type BankChoice = { readonly lfi: Lfi; readonly fault: LfiFault | null }
export type HomeView = {
  readonly banks: readonly BankChoice[]
  readonly connections: readonly Connection[]
  readonly fault: LfiFault | null
  readonly csrf: string
}

export function homePage(view: HomeView): Html {
  return html`<section class="hero"><h1>All your accounts, one quiet place.</h1>
<p>Choose a bank. You will sign in there, not here, and decide which accounts to share.
You can end the sharing at any time, here or at the bank.</p></section>
${view.fault === null ? '' : problem(view.fault, 'The list of banks is not available')}
${view.connections.length === 0 ? '' : connections(view.connections)}
${view.banks.length === 0 ? '' : chooser(view)}
${view.banks.length === 0 ? '' : openData(view.banks)}`
}

const chooser = (view: HomeView): Html => html`<form method="post" action="/connect" class="card">
<input type="hidden" name="csrf" value="${view.csrf}">
<fieldset id="permissions"><legend>What should Wadi Budget do for you?</legend>
${[...OFFERS].map(
  ([name, offer], n) => html`<label class="choice"><input type="radio" name="preset" value="${name}" id="preset-${name}"
 ${n === 0 ? 'checked' : ''}><span><b>${offer.label}</b><small>${offer.about}</small></span></label>`,
)}
</fieldset>
<h2>Your bank</h2>
<div id="banks">${view.banks.map(bank)}</div>
</form>`

const openData = (
  banks: readonly BankChoice[],
): Html => html`<section class="card" id="open-data"><h2>Without connecting</h2>
<ul class="plain">${banks
  .filter(({ fault }) => fault === null)
  .map(
    ({ lfi }) => html`<li><a class="bank-page" data-lfi="${lfi.code}" href="/about/${lfi.code}"><b>${lfi.name}</b>
<small>Products, cash machines, and whose an account is</small></a></li>`,
  )}</ul></section>`

const bank = ({ lfi, fault }: BankChoice): Html => html`<button class="bank" name="lfi" value="${lfi.code}"
 data-lfi="${lfi.code}" ${fault === null ? '' : 'disabled'}><span class="initial" aria-hidden="true">${lfi.name.slice(0, 1)}</span>
<span><b>${lfi.name}</b><small>${fault === null ? 'Connect' : `Not available: ${fault.message}`}</small></span></button>`

const connections = (
  all: readonly Connection[],
): Html => html`<section class="card" id="connections"><h2>Your connections</h2>
<p><a id="all-consents" href="/consents">Everything that you have agreed to</a></p>
<ul class="plain">${all.map(
  (
    one,
  ) => html`<li><a class="connection" data-lfi="${one.lfiCode}" href="/consents/${one.consentId}"><b>${one.lfiName}</b>
<small>${one.presetLabel} · since ${new Date(one.connectedAt).toISOString().slice(0, 10)}</small></a></li>`,
)}</ul></section>`
