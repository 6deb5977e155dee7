/**
 * Asks the LFI how payments stand that it said were pending. Asking changes nothing at the LFI. A payment that it never
 * answered for is not among them: it has no id to ask by, the contract declares no repetition of the order, and only its
 * TPP may have it asked for again. The LFI settles it by the log (docs/operations/payments.md).
 */
import type { Audit } from '../../audit/index.ts'
import type { Clock } from '../../clock.ts'
import type { TenantConfig } from '../../config.ts'
import type { ConsentStore } from '../../consent-store/index.ts'
import { newCorrelationId } from '../../ids.ts'
import { type Connector, consentHeaders } from '../../lfi/index.ts'
import type { Log } from '../../log.ts'
import type { MadePayment, ResourceLog } from '../../resource-log/index.ts'
import { newTrace } from '../../trace.ts'
import { readLfiJson } from '../lfi-json.ts'
import { adoptStatus } from './adopt-status.ts'
import type { PaymentLinks } from './links.ts'
import type { PaymentReplies, PaymentReply } from './reply.ts'

type Deps = {
  readonly tenant: TenantConfig
  readonly consents: ConsentStore
  readonly resources: ResourceLog
  readonly audit: Audit
  readonly connector: Connector
  readonly paymentReplies: PaymentReplies
  readonly paymentLinks: PaymentLinks
  readonly clock: Clock
  readonly log: Log
}

const OPERATION = 'getPayment'
const ROUTE = '/payments/{paymentId}'

/** How many have moved on. */
export async function followUp(deps: Deps, limit: number): Promise<number> {
  let moved = 0
  for (const payment of await deps.resources.claimWaitingPayments(limit)) {
    if (await ask(payment, deps)) moved += 1
  }
  return moved
}

async function ask(payment: MadePayment, deps: Deps): Promise<boolean> {
  const { tenant, consents, resources, audit, connector, clock, log } = deps
  const consent = await consents.find(payment.consentId)
  if (consent === null) return false
  const correlationId = newCorrelationId()
  const headers = consentHeaders({
    tenantId: tenant.id,
    consent,
    apiUri: `/open-finance/payment/v2.1${ROUTE.replace('paymentId', 'PaymentId')}`,
    method: 'GET',
    correlationId,
    correlationGiven: false,
  })
  const target = ROUTE.replace('{paymentId}', encodeURIComponent(payment.paymentId))
  const at = clock.now()
  const { attempt, lfiMs, requestDigest } = await connector.ask(
    { operationId: OPERATION, method: 'GET', route: ROUTE, target, headers, under: consent, trace: newTrace() },
    null,
  )
  let reply: PaymentReply | null = null
  try {
    reply = deps.paymentReplies.read(payment, OPERATION, readLfiJson(attempt, { has404: true }), deps.paymentLinks)
  } catch (error) {
    log.warn({ operationId: OPERATION, err: error }, 'a payment that waits could not be asked about')
  }
  await audit.record({
    kind: 'lfi-call',
    at,
    interactionId: correlationId,
    tenantId: tenant.id,
    clientId: payment.clientId,
    consentId: payment.consentId,
    operationId: OPERATION,
    method: 'GET',
    route: ROUTE,
    status: attempt.status,
    outcome:
      attempt.outcome === 'answered' && attempt.status === 200 && reply === null ? 'invalid-response' : attempt.outcome,
    lfiMs,
    requestDigest,
    parentInteractionId: payment.interactionId,
  })
  if (reply === null) return false
  return (await adoptStatus(payment, reply.said, correlationId, { resources })).status !== payment.status
}
