import { toMilliseconds } from '../../clock.ts'
import { keptHeaders } from '../../kept-headers.ts'
import { longestAttemptOf } from '../../lfi/index.ts'
import type { PaymentIntent } from '../../resource-log/index.ts'
import { callerOf } from '../callers.ts'
import type { Facts } from '../facts.ts'
import { stage } from '../stage.ts'
import { keyOfAnotherConsent } from './find-first.ts'

/** Beyond the LFI's time, for what the hub itself does before and after. */
const MARGIN_MS = 2_000

/**
 * The payment is on record, durable and counted against its consent, before the LFI hears of it (lfi-api 3.9.1). What
 * was recorded under the same key before goes on as it was recorded then; while that is under way nothing is asked.
 */
export const reservePayment = stage({
  name: 'reserve-payment',
  needs: ['arrival', 'pay', 'client', 'userToken', 'consent', 'idempotencyKey', 'body', 'signedBody', 'asked'],
  adds: ['reserved'],
  fails: ['Consent.Invalid', 'Consent.FailsControlParameters', 'GenericError'],
  async run(facts, { resources, tenant }) {
    const attemptFor = toMilliseconds(longestAttemptOf(tenant.lfi, 'makePayment') + MARGIN_MS)
    const reserved = await resources.reservePayment(intentOf(facts), facts.asked, attemptFor, callerOf(facts))
    if (reserved.outcome === 'other-consent') throw keyOfAnotherConsent()
    return { reserved }
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
