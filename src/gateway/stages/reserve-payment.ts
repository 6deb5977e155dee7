import { setTimeout as sleep } from 'node:timers/promises'
import { toMilliseconds } from '../../clock.ts'
import { HubError } from '../../errors.ts'
import { keptHeaders } from '../../kept-headers.ts'
import { longestAttemptOf } from '../../lfi/index.ts'
import type { IdempotencyKey, PaymentIntent } from '../../resource-log/index.ts'
import type { Answer } from '../answer.ts'
import { callerOf } from '../callers.ts'
import type { Facts } from '../facts.ts'
import { answerAgain as again } from '../payments/kept-answer.ts'
import type { Services } from '../services.ts'
import { stage } from '../stage.ts'
import { keyOfAnotherConsent } from './answer-again.ts'

/** How long a repeated request waits for the answer of the first, and how often it looks. */
const WAIT_MS = 5_000
const LOOK_EVERY_MS = 50
/** Beyond the LFI's time, for what the hub itself does before and after. */
const MARGIN_MS = 2_000

/**
 * The payment is on record, durable and counted against its consent, before the LFI hears of it (lfi-api 3.9.1). What
 * was recorded under the same key before goes on as it was recorded then; while that is under way nothing is asked.
 */
export const reservePayment = stage({
  name: 'reserve-payment',
  needs: ['arrival', 'pay', 'client', 'userToken', 'consent', 'idempotencyKey', 'body', 'signedBody', 'asked'],
  adds: ['payment'],
  fails: ['Consent.Invalid', 'Consent.FailsControlParameters', 'GenericError', 'GenericRecoverableError'],
  async run(facts, services) {
    const { resources, tenant, paymentLinks } = services
    const attemptFor = toMilliseconds(longestAttemptOf(tenant.lfi, 'makePayment') + MARGIN_MS)
    const recorded = await resources.reservePayment(intentOf(facts), facts.asked, attemptFor, callerOf(facts))
    switch (recorded.outcome) {
      case 'recorded':
      case 'resumed':
        return { payment: recorded.payment }
      case 'answered':
        return again(recorded.payment, paymentLinks)
      case 'other-consent':
        throw keyOfAnotherConsent()
      case 'in-flight':
        return answerOfFirst(facts, services)
    }
  },
})

type Asking = Pick<
  Facts,
  'arrival' | 'pay' | 'client' | 'userToken' | 'consent' | 'idempotencyKey' | 'body' | 'signedBody' | 'asked'
>

function intentOf(facts: Asking): PaymentIntent {
  const { arrival, pay, client, userToken, consent, idempotencyKey, body, signedBody } = facts
  return {
    consentId: consent.id,
    clientId: client.clientId,
    organisationId: client.organisationId,
    paymentType: pay.paymentType,
    idempotencyKey,
    accountId: consent.accountIds[0],
    psu: consent.psu,
    tpp: consent.tpp,
    requestBody: body as PaymentIntent['requestBody'],
    signedRequestBody: signedBody,
    requestHeaders: keptHeaders(arrival.headers),
    accessTokenHash: userToken.hash,
    interactionId: arrival.correlationId,
    clientInteractionId: arrival.correlationGiven ? arrival.correlationId : null,
  }
}

/** @throws HubError GenericRecoverableError (409) when it takes too long, or ends without an answer */
async function answerOfFirst(facts: Asking, services: Services): Promise<Answer> {
  const { resources, paymentLinks } = services
  const key: IdempotencyKey = {
    clientId: facts.client.clientId,
    paymentType: facts.pay.paymentType,
    idempotencyKey: facts.idempotencyKey,
  }
  for (let waitedMs = 0; waitedMs < WAIT_MS; waitedMs += LOOK_EVERY_MS) {
    await sleep(LOOK_EVERY_MS)
    if (facts.arrival.gone.aborted) break
    const first = await resources.findByKey(key)
    if (first !== null && first.state !== 'open') return again(first, paymentLinks)
  }
  throw new HubError('GenericRecoverableError', {
    status: 409,
    rule: 'key.answered',
    reason: 'The first request with this idempotency key has no answer yet; repeat it later',
    path: 'x-idempotency-key',
  })
}
