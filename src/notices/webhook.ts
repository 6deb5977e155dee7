/** One attempt to deliver a webhook: to whom, if to anybody any more, and what becomes of the notice after it. */
import type { Audit } from '../audit/index.ts'
import { digestOf } from '../body.ts'
import type { Clock, Instant } from '../clock.ts'
import type { WebhooksConfig } from '../config.ts'
import type { ConsentStore, Subscription } from '../consent-store/index.ts'
import { type ClientId, newCorrelationId, type TenantId } from '../ids.ts'
import { encryptionKey, type JWK } from '../jose.ts'
import type { Client, Participants } from '../participants/index.ts'
import type { ResourceLog } from '../resource-log/index.ts'
import { nextAttempt } from './back-off.ts'
import type { Post, Posted } from './post.ts'
import type { About, Webhook } from './queue.ts'
import { type MessageDeps, type Subject, webhookMessage } from './webhook-message.ts'

export type WebhookDeps = MessageDeps & {
  readonly config: WebhooksConfig
  readonly consents: Pick<ConsentStore, 'find'>
  readonly resources: Pick<ResourceLog, 'findRequest'>
  readonly participants: Pick<Participants, 'client'>
  readonly post: Post
  readonly audit: Audit
  readonly tenantId: TenantId
  readonly clock: Clock
  readonly random: () => number
}

export type Fate =
  | { readonly state: 'delivered' | 'dropped' | 'dead'; readonly outcome: string }
  | { readonly state: 'waiting'; readonly outcome: string; readonly dueAt: Instant }

/** Never rejects for what the receiver does. */
export async function deliverWebhook(deps: WebhookDeps, notice: Webhook): Promise<Fate> {
  const found = await subjectOf(deps, notice.about)
  if (found === null) return { state: 'dropped', outcome: 'what it is about is gone' }
  const receiver = await receiverOf(deps, notice, found.subscription?.Webhook ?? null)
  if ('state' in receiver) return receiver
  const { url, key } = receiver
  const body = await webhookMessage(deps, notice, found.subject, { clientId: notice.clientId, key }, deps.clock.now())
  const interactionId = newCorrelationId()
  const headers = { 'content-type': 'application/jwe', 'x-fapi-interaction-id': interactionId }
  const at = deps.clock.now()
  const posted = await deps.post.send(url, headers, body)
  // A notice is settled after this: what cannot be recorded is brought once more.
  await deps.audit.record({
    kind: 'webhook-call',
    at,
    interactionId,
    tenantId: deps.tenantId,
    clientId: notice.clientId as ClientId,
    consentId: 'consentId' in notice.about ? notice.about.consentId : null,
    resource: notice.about.resource,
    eventId: notice.eventId,
    attempt: notice.attempts,
    status: posted.outcome === 'answered' ? posted.status : null,
    outcome: posted.outcome,
    requestDigest: digestOf(body),
    parentInteractionId: notice.interactionId,
  })
  return fateOf(deps, notice, posted)
}

type Found = { readonly subject: Subject; readonly subscription: Subscription | null }

/** The subscription of a payment is that of its consent; quotes and openings have their own (tpp-api 8.2). */
async function subjectOf(deps: WebhookDeps, about: About): Promise<Found | null> {
  if (!('consentId' in about)) {
    const request = await deps.resources.findRequest(about.resource, about.resourceId)
    return request === null ? null : { subject: about, subscription: request.subscription }
  }
  const consent = await deps.consents.find(about.consentId)
  if (consent === null) return null
  const { type, subscription } = consent
  return { subject: about.resource === 'consent' ? { ...about, type } : about, subscription }
}

type Receiver = { readonly url: string; readonly key: JWK }

/**
 * As things stand now: who has unsubscribed since the change, or has moved its webhook, is believed. That the consent
 * has ended is no reason to keep quiet about what came before, and least of all about the end.
 */
async function receiverOf(
  deps: WebhookDeps,
  notice: Webhook,
  webhook: { readonly Url: string; readonly IsActive: boolean } | null,
): Promise<Receiver | Fate> {
  const dropped = (outcome: string): Fate => ({ state: 'dropped', outcome })
  if (webhook?.IsActive !== true) return dropped('the TPP has unsubscribed')
  let client: Client | null
  try {
    client = await deps.participants.client(notice.clientId as ClientId)
  } catch {
    return again(deps, notice, 'the directory is out of reach', null)
  }
  if (client?.status !== 'active') return dropped('the client is not active')
  if (!webhook.Url.startsWith('https://') || !client.webhookUris.includes(webhook.Url)) {
    return dropped('the directory does not list the address')
  }
  const key = encryptionKey(client.jwks.keys)
  // tpp-api 8.1: without a key nothing is delivered, because anything else would be readable on the way.
  return key === null ? dropped('the TPP has published no key to encrypt to') : { url: webhook.Url, key }
}

/** What may pass is tried again; an answer that says no, or leads elsewhere, is final (tpp-api 8.1). */
function fateOf(deps: WebhookDeps, notice: Webhook, posted: Posted): Fate {
  if (posted.outcome !== 'answered') return again(deps, notice, `${posted.outcome}: ${posted.why}`, null)
  const outcome = `answered ${posted.status}`
  if (posted.status >= 200 && posted.status < 300) return { state: 'delivered', outcome }
  const mayPass = posted.status >= 500 || posted.status === 429 || posted.status === 408
  return mayPass ? again(deps, notice, outcome, posted.retryAfterSeconds) : { state: 'dead', outcome }
}

function again(deps: WebhookDeps, notice: Webhook, outcome: string, retryAfterSeconds: number | null): Fate {
  const tried = { attempts: notice.attempts, since: notice.since, retryAfterSeconds }
  const dueAt = nextAttempt(tried, deps.config, deps.clock.now(), deps.random)
  return dueAt === null ? { state: 'dead', outcome } : { state: 'waiting', outcome, dueAt }
}
