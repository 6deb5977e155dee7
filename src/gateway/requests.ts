/** How quotes and openings lie in bodies and paths: the names of their id and status, and where they are shown. */
import type { Caller, Subscription } from '../consent-store/index.ts'
import { HubError } from '../errors.ts'
import type { Client } from '../participants/index.ts'
import type { RequestKind } from '../resource-log/index.ts'
import type { Arrival } from './facts.ts'

type Shape = {
  readonly id: string
  readonly status: string
  /** Below the base path of the family. */
  readonly shownAt: (id: string) => string
  /** Status of an answer that names none. */
  readonly begins: string
  /** Members of the request that events about it repeat. */
  readonly echoes: readonly string[]
}

export const REQUESTS: Readonly<Record<RequestKind, Shape>> = {
  'fx-quote': {
    id: 'FxQuoteId',
    status: 'QuoteStatus',
    shownAt: (id) => `/fx-quotes/${encodeURIComponent(id)}`,
    begins: 'Available',
    echoes: [],
  },
  'account-opening': {
    id: 'AccountId',
    status: 'OpeningStatus',
    shownAt: (id) => `/accounts/${encodeURIComponent(id)}/status`,
    begins: 'Pending',
    echoes: ['LinkedOperations'],
  },
  'insurance-quote': {
    id: 'QuoteId',
    status: 'QuoteStatus',
    shownAt: (id) => `/quotes/${encodeURIComponent(id)}`,
    begins: 'ApplicationPending',
    echoes: [],
  },
}

export const callerOfRequest = (client: Client, { correlationId }: Pick<Arrival, 'correlationId'>): Caller => ({
  by: 'tpp',
  organisationId: client.organisationId,
  clientId: client.clientId,
  softwareStatementId: client.softwareStatementId,
  interactionId: correlationId,
})

/** Events go to addresses that the trust framework lists for the client, over TLS. @throws HubError Body.InvalidFormat */
export function requireRegistered(subscription: Subscription, at: string, client: Client): Subscription {
  const { Url } = subscription.Webhook
  if (Url.startsWith('https://') && client.webhookUris.includes(Url)) return subscription
  throw new HubError('Body.InvalidFormat', {
    rule: 'patch.webhook',
    reason: 'The address is not an https webhook that the trust framework lists for the application',
    path: `${at}.Webhook.Url`,
  })
}
