/** Consents of every kind, each with what it allows, what is used up, what its bank has told, and what can be done. */

import { type Html, html } from '../../html.ts'
import type { ConsentKind } from '../consent-kinds.ts'
import type { LfiFault } from '../errors.ts'
import type { Notice } from '../notices.ts'
import { WORDS_FOR_KIND } from '../offers.ts'
import type { Connection } from '../state.ts'
import { smallProblem } from './problem.ts'
import { day, type Json, record, text } from './values.ts'
import { agreed, usedUp, wordsOf } from './words.ts'

export type ConsentView = {
  readonly connection: Connection
  readonly kind: ConsentKind
  /** As the hub holds it now, or why it cannot be read. */
  readonly consent: Json | LfiFault
  /** Oldest first. */
  readonly news: readonly Notice[]
}

export const consentsPage = (view: { readonly consents: readonly ConsentView[]; readonly csrf: string }): Html =>
  html`<p class="crumbs"><a href="/">All banks</a></p>
<h1>Your consents</h1>
${view.consents.length === 0 ? html`<p id="no-consents" class="quiet">You have agreed to nothing in this browser.</p>` : ''}
${view.consents.map((consent) => card(consent, view.csrf))}`

export const consentPage = (view: { readonly consent: ConsentView; readonly csrf: string }): Html =>
  html`<p class="crumbs"><a href="/">All banks</a> <a href="/consents">Your consents</a></p>
<h1>${view.consent.connection.lfiName}</h1>
${card(view.consent, view.csrf)}`

const LIVE: readonly string[] = ['AwaitingAuthorization', 'Authorized', 'Suspended']

function card(view: ConsentView, csrf: string): Html {
  const { connection, kind, consent, news } = view
  const status = consent instanceof Error ? '' : text(record(consent['Data'])['Status'])
  const action = (name: string, label: string, look: string): Html => html`<form method="post"
 action="/consents/${connection.consentId}/${name}"><input type="hidden" name="csrf" value="${csrf}">
<button id="${name}-${connection.consentId}" class="${look}">${label}</button></form>`
  return html`<section class="consent card" id="consent-${connection.consentId}" data-kind="${kind}" data-status="${status}">
<div class="line"><h2>${WORDS_FOR_KIND[kind]}</h2>
${status === '' ? '' : html`<span class="status ${status === 'Authorized' ? 'good' : 'bad'}">${status}</span>`}</div>
<p class="quiet"><a href="/consents/${connection.consentId}">${connection.lfiName}</a> · ${connection.presetLabel}</p>
${consent instanceof Error ? smallProblem(consent, 'The consent cannot be read') : facts(kind, consent)}
${news.length === 0 ? '' : html`<ul class="news plain">${news.map(told)}</ul>`}
<div class="actions">${kind === 'payments' && status === 'Authorized' ? action('pay', 'Pay', 'main') : ''}
${action('renew', 'Renew', 'main')}${LIVE.includes(status) ? action('revoke', 'Revoke', 'danger') : ''}
${action('forget', 'Forget', 'ghost')}</div></section>`
}

function facts(kind: ConsentKind, consent: Json): Html {
  const data = record(consent['Data'])
  const rows: readonly (readonly [string, string, string | null])[] = [
    ['agreed', 'Who agrees', agreed(consent)],
    ['used', 'Used up', kind === 'payments' ? (usedUp(data) ?? 'nothing yet') : null],
    ['until', 'Until', day(data['ExpirationDateTime'])],
    ['ended-by', 'Ended by', text(data['RevokedBy']) || null],
    ['base', 'Continues', text(data['BaseConsentId']) || null],
    ['consent-id', 'Consent id', text(data['ConsentId'])],
  ]
  return html`<ul class="allows">${wordsOf(kind, data).map((line) => html`<li>${line}</li>`)}</ul>
<dl class="members">${rows.map(([name, label, value]) =>
    value === null ? '' : html`<dt>${label}</dt><dd class="${name}">${value}</dd>`,
  )}</dl>`
}

const told = ({ at, about, status, from }: Notice): Html => html`<li class="news-item" data-status="${status}">
${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC · ${from}: ${about === 'payment' ? 'a payment is' : 'now'} <b>${status}</b></li>`
