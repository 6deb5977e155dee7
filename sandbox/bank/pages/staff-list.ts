/** The staff's list of consents: one page of what the hub finds, narrowed as far as the hub can narrow it (lfi-api 2.2). */

import { type Html, html } from '../../html.ts'
import { DATA_SHARING } from './consent.ts'
import { statusFilter } from './consent-views.ts'
import type { ConsentQuery, Found } from './hub.ts'
import { INSURANCE } from './insurance.ts'
import { PAYMENT } from './payment.ts'
import type { Session } from './session.ts'
import { hidden, kindOf, layout, type Site, statusInWords, tppName } from './templates.ts'

/** What the form asks for, as it stands in the address. The hub has no filter for the app; its customers it has. */
export type Wanted = {
  readonly state: string
  readonly kind: string
  /** A day, as a date field gives it. */
  readonly since: string
  readonly customer: string
  readonly page: number
}

const KINDS: ReadonlyMap<string, { readonly type: string; readonly words: string }> = new Map([
  ['data', { type: DATA_SHARING, words: 'Sharing of data' }],
  ['insurance', { type: INSURANCE, words: 'Sharing of insurance policies' }],
  ['payments', { type: PAYMENT, words: 'Payments' }],
])

const PAGE_SIZE = 25
const DAY = /^\d{4}-\d{2}-\d{2}$/

export function readWanted(query: URLSearchParams): Wanted {
  const page = Number(query.get('page') ?? '1')
  const since = query.get('since') ?? ''
  const kind = query.get('kind') ?? ''
  return {
    state: query.get('state') ?? '',
    kind: KINDS.has(kind) ? kind : '',
    since: DAY.test(since) && !Number.isNaN(Date.parse(since)) ? since : '',
    customer: (query.get('customer') ?? '').trim().slice(0, 100),
    page: Number.isSafeInteger(page) && page >= 1 ? page : 1,
  }
}

/** The hub takes a customer or a date, not both: its lists of a customer know no date. */
export function queryOf({ state, kind, since, customer, page }: Wanted): ConsentQuery {
  const type = KINDS.get(kind)?.type
  return {
    page,
    pageSize: PAGE_SIZE,
    ...(state === '' ? {} : { status: state }),
    ...(type === undefined ? {} : { consentType: type }),
    ...(customer !== ''
      ? { userId: customer }
      : since === ''
        ? {}
        : { changedSince: Date.parse(`${since}T00:00+04:00`) }),
  }
}

export function staffPage(
  site: Site,
  session: Session,
  view: { readonly wanted: Wanted; readonly found: Found },
): string {
  const { wanted, found } = view
  return layout(
    site,
    'Consents of all customers',
    html`<h1>Consents of all customers</h1>
${filters(site, wanted)}
<p id="found" class="note">${found.total === 0 ? 'There are none.' : `${found.total.toLocaleString('en')} consents, page ${wanted.page.toLocaleString('en')} of ${found.pages.toLocaleString('en')}`}</p>
${found.consents.map(
  (consent) => html`<section class="consent" id="consent-${consent.id}">
<h2><a id="open-${consent.id}" href="${site.base}/staff/consents/${encodeURIComponent(consent.id)}"><span dir="auto">${tppName(consent)}</span></a> <span class="status">${statusInWords(consent.status)}</span></h2>
<p><span class="kind">${kindOf(consent)}</span>, customer ${consent.userId ?? 'not known yet'}</p>
</section>`,
)}
${pages(site, wanted, found.pages)}
<form method="post" action="${site.base}/logout">
${hidden(session)}
<div class="actions"><button class="quiet" id="logout">Sign out</button></div>
</form>`,
  )
}

const filters = (site: Site, { state, kind, since, customer }: Wanted): Html =>
  html`<form class="card" method="get" action="${site.base}/staff">
${statusFilter(state)}
<label for="kind">About</label>
<select id="kind" name="kind"><option value="">Everything</option>
${[...KINDS].map(([name, { words }]) =>
  name === kind
    ? html`<option value="${name}" selected>${words}</option>`
    : html`<option value="${name}">${words}</option>`,
)}</select>
<label for="since">Changed since</label>
<input type="date" id="since" name="since" value="${since}">
<label for="customer">Customer, by the bank's own number; then of any date</label>
<input type="text" id="customer" name="customer" value="${customer}" autocapitalize="none" spellcheck="false">
<div class="actions"><button class="quiet" id="filter">Show</button></div>
</form>`

function pages(site: Site, wanted: Wanted, last: number): Html {
  const { page: at, ...filter } = wanted
  const chosen = Object.entries(filter).filter(([, value]) => value !== '')
  const link = (id: string, words: string, page: number): Html =>
    html`<a id="${id}" href="${site.base}/staff?${new URLSearchParams([...chosen, ['page', String(page)]]).toString()}">${words}</a> `
  return html`<nav id="pages" aria-label="Pages">
${at > 1 ? html`${link('first', 'First', 1)}${link('previous', 'Previous', at - 1)}` : null}
${at < last ? html`${link('next', 'Next', at + 1)}${link('last', 'Last', last)}` : null}
</nav>`
}
