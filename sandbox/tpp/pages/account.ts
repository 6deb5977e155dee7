/** One account, one kind of data at a time, page by page as the bank's links lead. */

import { type Html, html } from '../../html.ts'
import type { LfiFault } from '../errors.ts'
import { ACCOUNT_READS, type AccountRead } from '../permissions.ts'
import { problem, smallProblem } from './problem.ts'
import { day, type Json, members, money, record, records, text } from './values.ts'

export type AccountPageView = {
  readonly lfiName: string
  readonly consentId: string
  readonly account: Json | LfiFault
  readonly accountId: string
  readonly read: AccountRead
  readonly answer: { readonly body: Json; readonly signedBy: string | null } | LfiFault
  readonly nextHref: string | null
}

export function accountPage(view: AccountPageView): Html {
  const base = `/consents/${view.consentId}`
  const here = `${base}/accounts/${encodeURIComponent(view.accountId)}`
  const account = view.account instanceof Error ? {} : view.account
  return html`<p class="crumbs"><a href="/">All banks</a> / <a href="${base}">${view.lfiName}</a></p>
<h1 dir="auto">${text(account['Nickname']) || text(account['AccountSubType']) || 'Account'}</h1>
${view.account instanceof Error ? smallProblem(view.account, 'The account itself cannot be read') : details(account)}
<nav id="tabs">${ACCOUNT_READS.map(
    (read) => html`<a href="${here}/${read.segment}" data-tab="${read.segment}"
 ${read.segment === view.read.segment ? 'aria-current="page"' : ''}>${read.label}</a>`,
  )}</nav>
${content(view, here)}`
}

const details = (account: Json): Html =>
  html`<details id="account-details" class="card"><summary>Account details</summary>${members(account)}</details>`

function content(view: AccountPageView, here: string): Html {
  const { answer, read } = view
  if (answer instanceof Error) return problem(answer, `${read.label} cannot be shown`)
  const data = record(answer.body['Data'])
  const items = records(data[read.member])
  const shown = read.segment === 'transactions' ? transactions(items) : plain(items, read.segment)
  return html`${answer.signedBy === null ? '' : html`<p id="signed" class="note">Signed by the hub and verified, key <span class="id">${answer.signedBy}</span></p>`}
${items.length === 0 ? html`<p class="quiet" id="nothing">The bank has none.</p>` : shown}
<p class="pager">${view.nextHref === null ? '' : html`<a id="next" class="button" href="${view.nextHref}">Next page</a>`}
<a id="ask-signed" href="${here}/${read.segment}?signed=1">Ask for a signed answer</a></p>`
}

const plain = (items: readonly Json[], segment: string): Html =>
  html`<div id="${segment}">${items.map((item) => html`<article class="item card">${members(item)}</article>`)}</div>`

const transactions = (
  items: readonly Json[],
): Html => html`<div class="scroll"><table id="transactions" class="transactions">
<thead><tr><th>Booked</th><th>What</th><th class="kind">Kind</th><th class="num">Amount</th></tr></thead>
<tbody>${items.map(transaction)}</tbody></table></div>`

const transaction = (
  item: Json,
): Html => html`<tr class="transaction" data-transaction="${text(item['TransactionId'])}">
<td>${day(item['BookingDateTime'])}</td>
<td dir="auto">${text(record(item['MerchantDetails'])['MerchantName']) || text(item['TransactionInformation']) || text(item['TransactionReference'])}
${item['Status'] === 'Booked' ? '' : html` <span class="chip">${text(item['Status'])}</span>`}</td>
<td class="kind"><small>${text(item['TransactionType'])} · ${text(item['SubTransactionType'])}</small></td>
<td class="num">${money(item)}</td></tr>`
