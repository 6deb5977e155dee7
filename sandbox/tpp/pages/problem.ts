/** A fault, told so that a person knows what to do next and a developer which call to look for. */

import { type Html, html } from '../../html.ts'
import type { LfiFault } from '../errors.ts'

const HINTS = new Map([
  ['access_denied', 'You refused, or the bank could not confirm it was you. Nothing was shared. You can start again.'],
  ['AccessToken.InvalidScope', 'The consent does not cover this. Connect again with more permissions to see it.'],
  ['Consent.Invalid', 'The consent is no longer in force: it was revoked, suspended or has expired. Connect again.'],
  ['Consent.TransientAccountAccessFailure', 'The bank cannot show this account just now. Try again in a while.'],
  ['Consent.AccountTemporarilyBlocked', 'The bank has blocked this account for now. Ask the bank.'],
  ['Consent.PermanentAccountAccessFailure', 'This account can no longer be shared. Connect again without it.'],
  ['GenericRecoverableError', 'The bank is slow or down. Try again in a while.'],
  ['invalid_grant', 'The bank has ended this connection: the consent was revoked or has expired. Connect again.'],
  [
    'invalid_client',
    'The hub does not accept this application: it is not registered, not active, or its keys changed.',
  ],
  ['unauthorized_client', 'The hub knows this application but has not activated it yet.'],
  ['invalid_scope', 'This application may not ask for that at this bank.'],
  ['server_error', 'The bank had a fault of its own. Try again in a while.'],
])
const HINTS_BY_KIND = {
  unreachable: 'The other side did not answer. It may be starting up, or down.',
  oauth: 'The authorization server refused. The code and the interaction id say why.',
  resource: 'The hub refused the call. The code and the interaction id say why.',
  untrusted: 'The answer broke a rule that keeps forged answers out, so it was not used.',
} as const

export function problem(fault: LfiFault, title: string): Html {
  return html`<section id="problem" class="problem" data-kind="${fault.kind}" data-code="${fault.code ?? ''}">
<h2>${title}</h2>
<p class="hint">${HINTS.get(fault.code ?? '') ?? HINTS_BY_KIND[fault.kind]}</p>
<dl>
${fault.status === null ? '' : html`<dt>Status</dt><dd id="problem-status">${fault.status}</dd>`}
${fault.code === null ? '' : html`<dt>Code</dt><dd id="problem-code">${fault.code}</dd>`}
<dt>Said</dt><dd id="problem-message">${fault.message}</dd>
${fault.interactionId === null ? '' : html`<dt>Interaction id</dt><dd id="problem-interaction" class="id">${fault.interactionId}</dd>`}
</dl></section>`
}

/** For a part of a page whose main content stands, or has its own problem. */
export const smallProblem = (fault: LfiFault, title: string): Html =>
  html`<p class="small-problem" data-code="${fault.code ?? ''}">${title}: ${fault.code ?? fault.message}</p>`
