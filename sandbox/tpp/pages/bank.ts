/** What a bank tells everybody, and whether an account is whose somebody thinks it is. */

import { type Html, html } from '../../html.ts'
import type { LfiFault } from '../errors.ts'
import { problem, smallProblem } from './problem.ts'
import { type Json, record, records, text } from './values.ts'

export type PayeeView = {
  /** As typed, to be shown again. */
  readonly iban: string
  readonly name: string
  readonly answer: Json | null | LfiFault
}
export type BankView = {
  readonly code: string
  readonly name: string
  readonly machines: readonly Json[] | LfiFault
  readonly brands: readonly Json[] | LfiFault
  readonly payee: PayeeView | null
  readonly csrf: string
}

export function bankPage(view: BankView): Html {
  return html`<p class="crumbs"><a href="/">All banks</a></p>
<h1>${view.name}</h1>
${payee(view)}
<section id="products" class="card"><h2>On offer</h2>${listed(view.brands, 'Products', products)}</section>
<section id="machines" class="card"><h2>Cash machines</h2>${listed(view.machines, 'Cash machines', machines)}</section>`
}

function listed(of: readonly Json[] | LfiFault, what: string, show: (all: readonly Json[]) => Html): Html {
  return of instanceof Error ? smallProblem(of, `${what} cannot be read`) : show(of)
}

const products = (brands: readonly Json[]): Html =>
  html`<ul class="plain">${brands
    .flatMap((brand) => records(brand['Products']))
    .map(
      (one) => html`<li class="product"><b dir="auto">${text(one['ProductName'])}</b>
<small>${text(one['ProductCategory'])} · ${text(one['Description'])}</small></li>`,
    )}</ul>`

const machines = (all: readonly Json[]): Html =>
  html`<ul class="plain">${all.map((one) => {
    const location = record(one['Location'])
    const address = record(location['PostalAddress'])
    const lines = Array.isArray(address['AddressLine']) ? address['AddressLine'].map(text) : []
    return html`<li class="machine"><b dir="auto">${text(record(location['Site'])['Name']) || text(one['ATMId'])}</b>
<small dir="auto">${[...lines, text(address['CountrySubDivision'])].filter(Boolean).join(', ')}</small></li>`
  })}</ul>`

function payee({ code, payee: asked, csrf }: BankView): Html {
  return html`<section id="payee" class="card"><h2>Is this the right account?</h2>
<form method="post" action="/about/${code}/payee"><input type="hidden" name="csrf" value="${csrf}">
<label>IBAN <input name="iban" id="payee-iban" required maxlength="34" value="${asked?.iban ?? ''}"></label>
<label>Name <input name="name" id="payee-name" required maxlength="140" value="${asked?.name ?? ''}" dir="auto"></label>
<button class="main" id="payee-ask">Ask the bank</button></form>
${asked === null ? '' : verdict(asked.answer)}</section>`
}

const WORDS: Readonly<Record<string, string>> = {
  'ConfirmationOfPayee.Yes': 'Yes, the account is in this name.',
  'ConfirmationOfPayee.Partial': 'Nearly: the account is in a name like this one.',
  'ConfirmationOfPayee.No': 'No, the account is in another name.',
}

function verdict(answer: PayeeView['answer']): Html {
  if (answer instanceof Error) return problem(answer, 'The bank could not be asked')
  if (answer === null)
    return html`<p id="payee-answer" class="note" data-indicator="none">The bank knows no such account.</p>`
  const data = record(answer['Data'])
  const indicator = text(data['NameMatchIndicator'])
  const masked = text(data['MaskedName'])
  return html`<p id="payee-answer" class="note" data-indicator="${indicator}">${WORDS[indicator] ?? indicator}
${masked === '' ? '' : html` <span id="payee-masked" dir="auto">${masked}</span>`}</p>`
}
