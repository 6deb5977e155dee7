/** Looking for a consent. */
import type { Consent } from '../../consent-store/index.ts'
import { html } from '../../html.ts'
import { CONSENTS_PER_PAGE, findConsents, placeOf } from '../consent-search.ts'
import { consentState } from '../consent-words.ts'
import { choice, code, field, table } from '../parts.ts'
import type { Page, Visit } from '../visit.ts'

export const consents: Page = {
  name: 'consents',
  path: '/consents',
  isListed: true,
  show: async (visit) => {
    const { tongue } = visit
    const { consents: words, shell } = tongue.words
    const typed = (name: string): string => (visit.query.get(name) ?? '').trim()
    const found = await findConsents(
      visit.rooms,
      {
        ...{ id: typed('id'), customer: typed('customer'), account: typed('account') },
        ...{ tpp: typed('tpp'), state: typed('state'), after: typed('after') },
      },
      { actor: visit.session.person.subject, interactionId: visit.interactionId },
    )
    const last = found.length === CONSENTS_PER_PAGE ? found.at(-1) : undefined
    const state = visit.query.get('state') ?? ''
    return {
      body: html`<p>${words.searchWhy}</p>
<form class="search" method="get" action="/consents" role="search">
${field({ name: 'id', label: words.id, type: 'search', value: visit.query.get('id') ?? '' })}
${field({ name: 'customer', label: words.customer, type: 'search', value: visit.query.get('customer') ?? '' })}
${field({ name: 'account', label: words.account, type: 'search', value: visit.query.get('account') ?? '' })}
${field({ name: 'tpp', label: words.tpp, type: 'search', value: visit.query.get('tpp') ?? '' })}
${choice({ name: 'state', label: words.state, chosen: state, options: [['', words.any], ...Object.entries(words.states)] })}
<button>${shell.search}</button>
</form>
${table({
  caption: words.found,
  columns: [words.id, words.by, words.type, words.state, words.created, words.expires],
  empty: words.none,
  rows: found.map((each) => [
    html`<a href="/consents/${each.id}">${code(each.id)}</a>`,
    tppOf(each),
    words.types[each.type],
    consentState(tongue, each.status),
    tongue.time(each.createdAt),
    tongue.time(each.expiresAt),
  ]),
})}
${last === undefined ? null : html`<p><a href="${after(visit, last)}">${words.older}</a></p>`}`,
    }
  },
}

export const tppOf = ({ tpp, clientId }: Consent): string => String(tpp['tppName'] ?? clientId)

function after({ query }: Visit, last: Consent): string {
  const next = new URLSearchParams(query)
  next.delete('done')
  next.set('after', placeOf(last))
  return `/consents?${next}`
}
