/** Rules about single members. */
import type { Rule } from './rule.ts'

/** The window of transactions and statements (tpp-api 2.6). */
export const historyIsInOrder: Rule = ({ detail }) => {
  const { FromDate: from, ToDate: to } = detail.consent
  return from !== undefined && to !== undefined && from > to ? 'consent.FromDate is after consent.ToDate' : null
}

/** Events go to addresses that the trust framework lists for the application, over TLS (tpp-api 2.9). */
export const eventsGoHome: Rule = ({ detail, client }) => {
  const url = detail.subscription?.Webhook.Url
  if (url === undefined || (url.startsWith('https://') && client.webhookUris.includes(url))) return null
  return 'subscription.Webhook.Url is not registered for this application'
}

/**
 * A renewal names the first consent of its chain, which is of the same type (tpp-api 4.5). What this hub has never seen
 * may be older than it; whether the LFI knows it, the LFI says. What another client has is told apart from that by
 * nothing, or anybody could ask whether it exists.
 */
export const chainBeginsAtItsRoot: Rule = ({ detail, base }) => {
  const { ConsentId: id, BaseConsentId: root } = detail.consent
  if (root === undefined) return null
  if (root.toLowerCase() === id.toLowerCase()) return 'consent.BaseConsentId is the ConsentId itself'
  if (base === null) return null
  if (base.baseConsentId !== null) return 'consent.BaseConsentId names a renewal, not the root of its chain'
  return base.rarType === detail.type ? null : 'consent.BaseConsentId names a consent of another type'
}
