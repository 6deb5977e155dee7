/** The pages themselves. Everything interpolated is escaped by `html`. */

import { type Html, html } from '../../html.ts'
import type { Book } from '../data/book.ts'
import { amountText } from '../data/money.ts'
import { accountName } from '../data/parties.ts'
import { type Policy, policiesOf } from '../data/policies.ts'
import type { AccountSpec, UserSpec } from '../data/spec.ts'
import type { Consent } from './consent.ts'
import { inWords, purposeInWords, reachesBack } from './permissions.ts'
import type { Session } from './session.ts'

/** `base` is the path under which the pages are served. */
export type Site = { readonly book: Book; readonly name: string; readonly base: string }

export function layout(site: Site, title: string, content: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – ${site.name}</title>
<link rel="stylesheet" href="${site.base}/style.css">
</head>
<body>
<header><p>${site.name}</p></header>
<main id="main">
${content}
</main>
</body>
</html>
`.text
}

export const problemBox = (problem: string | null): Html =>
  problem === null ? html`` : html`<p class="problem" id="problem" role="alert">${problem}</p>`

export const hidden = (session: Session): Html =>
  html`<input type="hidden" name="csrf" value="${session.csrf}">
<input type="hidden" name="interaction" value="${session.journey?.interactionId ?? ''}">`

export function loginPage(site: Site, session: Session, problem: string | null): string {
  const consent = session.journey?.consent ?? null
  const intro =
    consent === null
      ? html`<p>Sign in to see the apps that you share data with or pay through.</p>`
      : html`<p><strong id="tpp-name" dir="auto">${tppName(consent)}</strong> asks ${WISHES[topicOf(consent)]}. Sign in to see what it asks for and to decide.</p>`
  const cancel =
    consent === null
      ? html``
      : html`<button class="quiet" id="cancel" name="action" value="cancel" formnovalidate>Cancel</button>`
  return layout(
    site,
    'Sign in',
    html`<h1>Sign in</h1>
${problemBox(problem)}
${intro}
<form class="card" method="post" action="${site.base}/login">
${hidden(session)}
<label for="username">User name</label>
<input type="text" id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required>
<label for="password">Password</label>
<input type="password" id="password" name="password" autocomplete="current-password" required>
<div class="actions">
<button id="login" name="action" value="login">Sign in</button>
${cancel}
</div>
</form>`,
  )
}

export function consentPage(
  site: Site,
  session: Session,
  view: {
    readonly consent: Consent
    readonly user: UserSpec
    readonly accounts: readonly AccountSpec[]
    readonly policies: readonly Policy[]
  },
  problem: string | null,
): string {
  const { consent, user, accounts, policies } = view
  return layout(
    site,
    'Share your data',
    html`<h1>Share your data with <span dir="auto">${tppName(consent)}</span>?</h1>
${problemBox(problem)}
<section id="who"><h2>Who asks</h2>${terms(consent)}</section>
<section id="permissions"><h2>What they will see</h2>${asked(consent)}</section>
<form class="card" method="post" action="${site.base}/consent">
${hidden(session)}
<fieldset id="accounts">
<legend>${consent.insurance === null ? 'Which accounts' : 'Which policies'}</legend>
${accounts.map((account) => accountChoice(site.book, account, 'checkbox'))}${policies.map(policyChoice)}
</fieldset>
<p class="note">Signed in as <span dir="auto">${user.person.given} ${user.person.family}</span>. Nobody can move your money with this. You can end it at any time under connected apps.</p>
<div class="actions">
<button id="approve" name="action" value="approve">Share</button>
<button class="quiet" id="refuse" name="action" value="refuse">Do not share</button>
</div>
</form>`,
  )
}

/** The accounts, or the policies, that a consent is about. */
export function accountsShared(site: Site, consent: Consent): Html {
  if (consent.insurance !== null) {
    const policies = site.book.bank.users.flatMap(policiesOf).filter(({ id }) => consent.accountIds.includes(id))
    return html`<h3>Policies</h3><ul>${policies.map(({ name, number }) => html`<li>${name} <small>${number}</small></li>`)}</ul>`
  }
  const accounts = consent.accountIds.flatMap((id) => {
    const account = site.book.account(id)
    return account === null ? [] : [html`<li>${account.nickname} <small>${site.book.number(account)}</small></li>`]
  })
  return html`<h3>Accounts</h3><ul>${accounts}</ul>`
}

/** What may be seen or paid, by the words of each kind of consent. */
export function asked(consent: Consent): Html {
  if (consent.payment !== null) return html`<ul>${consent.payment.words.map((line) => html`<li>${line}</li>`)}</ul>`
  if (consent.insurance === null) return permissionList(consent)
  return html`${consent.insurance.map(
    ({ type, words }) => html`<h3>${type} insurance</h3><ul>${words.map((line) => html`<li>${line}</li>`)}</ul>`,
  )}`
}

export type Topic = 'data' | 'insurance' | 'payments'
export const topicOf = ({ payment, insurance }: Consent): Topic =>
  payment !== null ? 'payments' : insurance !== null ? 'insurance' : 'data'

const KINDS: Readonly<Record<Topic, string>> = {
  data: 'Sharing of data',
  insurance: 'Sharing of insurance policies',
  payments: 'Payments',
}
export const kindOf = (consent: Consent): string => KINDS[topicOf(consent)]

const WISHES: Readonly<Record<Topic, string>> = {
  data: 'to see data of your accounts',
  insurance: 'to see your insurance policies',
  payments: 'to pay from your account',
}

export const errorPage = (
  site: Site,
  problem: { readonly title: string; readonly reason: string; readonly interactionId: string | null },
): string =>
  layout(
    site,
    problem.title,
    html`<h1>${problem.title}</h1>
<p class="problem" id="reason" role="alert">${problem.reason}</p>
${
  problem.interactionId === null
    ? html``
    : html`<p class="note">If you ask for help, quote <code id="interaction-id">${problem.interactionId}</code>.</p>`
}`,
  )

export const tppName = (consent: Consent): string =>
  consent.clientName === null ? consent.tppName : `${consent.clientName} (${consent.tppName})`

export function terms(consent: Consent): Html {
  const rows: readonly (readonly [string, string, string | null])[] = [
    ['tpp', 'Company', consent.tppName],
    ['client', 'App', consent.clientName],
    ['on-behalf-of', 'On behalf of', consent.onBehalfOf],
    ['purpose', 'Purpose', consent.purpose === null ? null : purposeInWords(consent.purpose)],
    ['history', 'How far back', reachesBack(consent.permissions) ? historyInWords(consent) : null],
    ['expires', 'Until', consent.expires === null ? null : moment(consent.expires)],
    ['created', 'Asked on', consent.created === null ? null : moment(consent.created)],
    ['last-used', 'Last used', consent.lastUsed === null ? null : moment(consent.lastUsed)],
    ['reference', 'Reference', consent.id],
  ]
  return html`<dl>${rows.map(([id, label, value]) =>
    value === null ? html`` : html`<dt>${label}</dt><dd class="${id}" dir="auto">${value}</dd>`,
  )}</dl>`
}

const permissionList = (consent: Consent): Html =>
  html`${inWords(consent.permissions).map(
    ({ group, words }) => html`<h3>${group}</h3><ul>${words.map((line) => html`<li>${line}</li>`)}</ul>`,
  )}`

export function accountChoice(book: Book, account: AccountSpec, how: 'checkbox' | 'radio'): Html {
  const balance = book.balance(account)
  const frozen = account.status === 'Suspended' ? ' · frozen at present' : ''
  return html`<label class="account" for="account-${account.id}">
<input type="${how}" id="account-${account.id}" name="account" value="${account.id}">
<span>${account.nickname}<small dir="auto">${account.description} · ${book.number(account)} · ${accountName(account, book.bank)}</small>
<small>${balance < 0 ? 'Owed' : 'Balance'} ${account.currency} ${grouped(amountText(balance))}${frozen}</small></span>
</label>`
}

const policyChoice = ({ id, name, number, type }: Policy): Html => html`<label class="account" for="policy-${id}">
<input type="checkbox" id="policy-${id}" name="account" value="${id}">
<span>${name}<small>${type} insurance · ${number}</small></span>
</label>`

const grouped = (amount: string): string => amount.replaceAll(/\B(?=(?:\d{3})+\.)/g, ',')

function historyInWords({ from, to }: Consent): string {
  if (from === null && to === null) return 'Everything that the bank keeps'
  if (to === null) return `From ${day(from ?? '')} until sharing ends`
  return from === null ? `Up to ${day(to)}` : `From ${day(from)} to ${day(to)}`
}

const STATUSES: ReadonlyMap<string, string> = new Map([
  ['AwaitingAuthorization', 'Waiting for your answer'],
  ['Authorized', 'Active'],
  ['Suspended', 'Paused by the bank'],
  ['Rejected', 'You said no'],
  ['Revoked', 'Stopped'],
  ['Expired', 'Ran out'],
  ['Consumed', 'Used'],
])
export const statusInWords = (status: string): string => STATUSES.get(status) ?? status

const formatted = (options: Intl.DateTimeFormatOptions) => {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Dubai', ...options })
  return (text: string): string => {
    const epoch = Date.parse(text)
    return Number.isNaN(epoch) ? text : format.format(epoch)
  }
}
const day = formatted({ dateStyle: 'long' })
export const moment = formatted({ dateStyle: 'long', timeStyle: 'short' })
