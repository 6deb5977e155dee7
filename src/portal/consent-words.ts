/** A consent as a person understands it, in their language: who may do what, with which accounts, until when. */
import { type Consent, type ConsentStatus, controlParametersOf, type PaymentConsent } from '../consent-store/index.ts'
import { type Html, html, type Piece } from '../html.ts'
import type { Money } from '../money.ts'
import { isAccountPermission } from '../permissions.ts'
import { code, facts } from './parts.ts'
import { stateOf } from './states.ts'
import type { Tongue } from './words/index.ts'

const TONES = {
  AwaitingAuthorization: 'warn',
  Authorized: 'good',
  Suspended: 'warn',
  Rejected: 'plain',
  Revoked: 'bad',
  Expired: 'plain',
  Consumed: 'plain',
} as const satisfies Record<ConsentStatus, Parameters<typeof stateOf>[1]>

export const consentState = ({ words }: Tongue, status: ConsentStatus): Html =>
  stateOf(words.consents.states[status], TONES[status])

type Fact = readonly [term: string, fact: Piece]

export function consentInWords(consent: Consent, tongue: Tongue, tpp: string): Html {
  const { consents: words } = tongue.words
  const rows: readonly Fact[] = [
    [words.state, consentState(tongue, consent.status)],
    [words.by, html`${tpp} ${code(consent.clientId)}`],
    [words.type, words.types[consent.type]],
    [words.created, tongue.time(consent.createdAt)],
    [words.authorized, tongue.time(consent.authorizedAt)],
    [words.expires, tongue.time(consent.expiresAt)],
    [words.customer, consent.psu === null ? '–' : code(consent.psu.userId)],
    [words.accounts, consent.accountIds.length === 0 ? '–' : consent.accountIds.map((id) => html`${code(id)} `)],
    [words.channel, consent.channel ?? '–'],
    [words.lastShared, tongue.time(consent.lastDataSharedAt)],
    ...(consent.type === 'service-initiation' ? paymentIn(consent, tongue) : []),
  ]
  return html`<p>${words.summary[consent.status](tpp)}</p>
${facts(rows)}
${consent.permissions.length === 0 ? null : permissionsIn(consent, tongue)}`
}

const permissionsIn = ({ permissions }: Consent, { words: { consents: words } }: Tongue): Html =>
  html`<h2>${words.permissions}</h2>
<ul>${permissions.map(
    (each) => html`<li>${isAccountPermission(each) ? words.permissionCodes[each] : each} ${code(each)}</li>`,
  )}</ul>`

/** What the customer agreed to have paid; limits of single periods are left to the record. */
function paymentIn(consent: PaymentConsent, { words: { consents: words } }: Tongue): readonly Fact[] {
  const control = controlParametersOf(consent.request)
  const single = 'single' in control ? control.single : null
  const multi = 'multi' in control ? control.multi : null
  return [
    [words.payment, words.paymentKinds[control.kind]],
    ...(single === null ? [] : [[words.amount, amount(single.amount)] as const]),
    ...(multi === null || multi.maximumValue === null ? [] : [[words.mostInAll, amount(multi.maximumValue)] as const]),
    ...(multi === null || multi.maximumNumber === null ? [] : [[words.howMany, String(multi.maximumNumber)] as const]),
  ]
}

const amount = (money: Money): Html => code(`${money.amount} ${money.currency}`)
