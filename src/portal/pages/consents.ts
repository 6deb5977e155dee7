/** Looking for a consent. Whoever looks by a person leaves a trace of it, before the answer. */
import { toInstant } from '../../clock.ts'
import { CONSENT_STATUSES, type Consent, type ConsentSearch } from '../../consent-store/index.ts'
import { html } from '../../html.ts'
import { toAccountId, toClientId, toConsentId } from '../../ids.ts'
import { note } from '../acts/desk.ts'
import { consentState } from '../consent-words.ts'
import { choice, code, field, table } from '../parts.ts'
import type { Page, Visit } from '../visit.ts'

const PAGE_SIZE = 50
const CUSTOMER_MAX = 256

export const consents: Page = {
  name: 'consents',
  path: '/consents',
  isListed: true,
  show: async (visit) => {
    const { tongue } = visit
    const { consents: words, shell } = tongue.words
    const found = await foundBy(visit)
    const last = found.length === PAGE_SIZE ? found.at(-1) : undefined
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

async function foundBy(visit: Visit): Promise<readonly Consent[]> {
  const { rooms } = visit
  const asked = askedIn(visit.query)
  if (asked === null) return []
  if ('id' in asked) {
    const found = await rooms.consents.find(asked.id)
    return found === null ? [] : [found]
  }
  const person = asked.psuUserId ?? asked.accountId
  if (person !== undefined) {
    const operator = { actor: visit.session.person.subject, interactionId: visit.interactionId }
    await note(rooms, { operator }, { act: 'consents searched', outcome: 'done', target: person })
  }
  return rooms.consents.search(asked)
}

/** null: what was typed cannot be of any consent. */
function askedIn(
  query: URLSearchParams,
): ConsentSearch | { readonly id: NonNullable<ReturnType<typeof toConsentId>> } | null {
  const typed = (name: string): string => (query.get(name) ?? '').trim()
  const [id, customer, account, tpp] = [typed('id'), typed('customer'), typed('account'), typed('tpp')]
  if (id !== '') {
    const known = toConsentId(id)
    return known === null ? null : { id: known }
  }
  const accountId = account === '' ? undefined : toAccountId(account)
  const clientId = tpp === '' ? undefined : toClientId(tpp)
  if (accountId === null || clientId === null || customer.length > CUSTOMER_MAX) return null
  const status = CONSENT_STATUSES.find((each) => each === typed('state'))
  const behind = afterIn(typed('after'))
  return {
    ...(customer === '' ? {} : { psuUserId: customer }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(status === undefined ? {} : { status }),
    ...(behind === null ? {} : { after: behind }),
    limit: PAGE_SIZE,
  }
}

function after({ query }: Visit, { createdAt, id }: Consent): string {
  const next = new URLSearchParams(query)
  next.delete('done')
  next.set('after', `${createdAt}~${id}`)
  return `/consents?${next}`
}

function afterIn(text: string): NonNullable<ConsentSearch['after']> | null {
  const [, at, raw] = /^(\d{1,15})~(.+)$/.exec(text) ?? []
  const id = toConsentId(raw)
  return at === undefined || id === null ? null : { createdAt: toInstant(Number(at)), id }
}
