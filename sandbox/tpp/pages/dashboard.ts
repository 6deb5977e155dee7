/** One connection: what the consent says, the accounts behind it, and the two things a person can do about it. */

import { type Html, html } from '../../html.ts'
import type { LfiFault } from '../errors.ts'
import type { Connection } from '../state.ts'
import { problem, smallProblem } from './problem.ts'
import { day, type Json, money, record, records, text } from './values.ts'

export type AccountView = {
  readonly account: Json
  readonly balances: readonly Json[]
  readonly fault: LfiFault | null
}
export type DashboardView = {
  readonly connection: Connection
  /** The consent as the hub holds it now, or why it cannot be read. */
  readonly consent: Json | LfiFault
  readonly accounts: readonly AccountView[] | LfiFault
  readonly refreshed: boolean
  readonly csrf: string
}

export function dashboardPage(view: DashboardView): Html {
  const { connection } = view
  return html`<p class="crumbs"><a href="/">All banks</a></p>
<h1>${connection.lfiName}</h1>
${view.refreshed ? html`<p id="refreshed" class="note">Fresh from the bank at ${new Date().toISOString().slice(11, 19)} UTC.</p>` : ''}
${accountsOf(view)}
${consentOf(view)}`
}

function accountsOf(view: DashboardView): Html {
  if (view.accounts instanceof Error) {
    return html`<div id="data-refused">${problem(view.accounts, 'The bank gives no data for this connection')}</div>`
  }
  const base = `/consents/${view.connection.consentId}`
  return html`<section id="accounts">${view.accounts.map((one) => account(base, one))}
${view.accounts.length === 0 ? html`<p class="quiet">The bank shares no account.</p>` : ''}</section>
<p><a id="party-link" href="${base}/party">What the bank knows about you</a></p>`
}

function account(base: string, { account: data, balances, fault }: AccountView): Html {
  const id = text(data['AccountId'])
  const number = records(data['AccountIdentifiers'])[0]
  const name = text(data['Nickname']) || text(data['AccountSubType']) || 'Account'
  return html`<article class="account card" data-account="${id}">
<div class="line"><h2 dir="auto"><a href="${base}/accounts/${encodeURIComponent(id)}/transactions">${name}</a></h2>
${balances.slice(0, 1).map((balance) => html`<span class="balance" data-type="${text(balance['Type'])}">${money(balance)}</span>`)}</div>
<p class="quiet" dir="auto">${[text(data['AccountSubType']), text(data['AccountHolderName'])].filter(Boolean).join(' · ')}</p>
<p class="id">${text(number?.['Identification'])}</p>
${fault === null ? '' : smallProblem(fault, 'No balance')}
</article>`
}

function consentOf(view: DashboardView): Html {
  const { connection, csrf } = view
  const action = (name: string, label: string, look: string): Html => html`<form method="post"
 action="/consents/${connection.consentId}/${name}"><input type="hidden" name="csrf" value="${csrf}">
<button id="${name}" class="${look}">${label}</button></form>`
  return html`<section id="consent" class="card"><h2>Consent</h2>
${view.consent instanceof Error ? smallProblem(view.consent, 'The consent cannot be read') : consentFacts(view.consent)}
<div class="actions">${action('refresh', 'Refresh data', 'main')}${action('revoke', 'Revoke consent', 'danger')}
${action('forget', 'Forget this connection', 'ghost')}</div></section>`
}

function consentFacts(consent: Json): Html {
  const data = record(consent['Data'])
  const permissions = Array.isArray(data['Permissions']) ? data['Permissions'].map(text) : []
  const status = text(data['Status'])
  return html`<dl class="members">
<dt>Status</dt><dd><span id="consent-status" class="status ${status === 'Authorized' ? 'good' : 'bad'}">${status}</span>
${data['RevokedBy'] === undefined ? '' : html` <small id="revoked-by">by ${text(data['RevokedBy'])}</small>`}</dd>
<dt>Until</dt><dd>${day(data['ExpirationDateTime'])}</dd>
<dt>Consent id</dt><dd id="consent-id" class="id">${text(data['ConsentId'])}</dd>
<dt>Permissions</dt><dd id="consent-permissions">${permissions.map((one) => html`<span class="chip">${one}</span> `)}</dd></dl>`
}
