import { HubError } from '../../errors.ts'
import { LFI_CODES } from '../../lfi/index.ts'
import type { Payment, PaymentOutcome } from '../../resource-log/index.ts'
import { callerOf } from '../callers.ts'
import type { Facts } from '../facts.ts'
import { answerAgain, keptRefusal, madeAnswer } from '../payments/kept-answer.ts'
import { signMessage } from '../render.ts'
import type { Services } from '../services.ts'
import { stage } from '../stage.ts'

/** Only these say that there is no payment (lfi-api 6.4); after anything else there may be one. */
const REFUSALS: ReadonlySet<number> = new Set([400, 403])

/**
 * What came of it is on record before the TPP hears of it: made, refused, or unanswered. An unanswered payment keeps
 * its place in the limits of the consent, and its key may ask the LFI again.
 */
export const settlePayment = stage({
  name: 'settle-payment',
  needs: ['arrival', 'route', 'client', 'payment', 'exchange', 'verdict'],
  adds: [],
  fails: LFI_CODES,
  async run(facts, services) {
    const { route, payment, client, exchange, verdict } = facts
    if (verdict instanceof HubError) {
      const isRefused = exchange.attempt.outcome === 'answered' && REFUSALS.has(exchange.attempt.status)
      await settle(facts, isRefused ? { kind: 'refused', answer: keptRefusal(verdict) } : { kind: 'unknown' }, services)
      throw verdict
    }
    const { said, body } = verdict
    const signed = await signMessage(body, { clientId: client.clientId, audience: route.audience ?? 'list' }, services)
    const kept = await settle(facts, { kind: 'made', ...said, answer: { status: 201, body, signed } }, services)
    // Somebody was quicker: the LFI itself, by the log, or another attempt under this key.
    const isOther = kept.state === 'refused' || (kept.state === 'made' && kept.paymentId !== said.paymentId)
    if (isOther) return answerAgain(kept, services.paymentLinks)
    return madeAnswer({ ...payment, paymentId: said.paymentId }, body, services.paymentLinks, signed)
  },
})

async function settle(
  facts: Pick<Facts, 'arrival' | 'client' | 'payment'>,
  outcome: PaymentOutcome,
  { resources }: Services,
): Promise<Payment> {
  try {
    return await resources.answerPayment(facts.payment, outcome, callerOf(facts))
  } catch (cause) {
    throw new HubError('GenericRecoverableError', { detail: 'what the LFI answered could not be recorded', cause })
  }
}
