import { HubError } from '../../errors.ts'
import { answerAgain as again } from '../payments/kept-answer.ts'
import { stage } from '../stage.ts'

/**
 * A key that has its answer gets it again, whatever has become of the consent and whatever the body says now: nothing
 * is done (tpp-api 5.3). Before the consent is judged, because the first payment may have used it up.
 */
export const answerAgain = stage({
  name: 'answer-again',
  needs: ['pay', 'client', 'userToken', 'idempotencyKey'],
  adds: [],
  fails: ['GenericError'],
  async run({ pay, client, userToken, idempotencyKey }, { resources, paymentLinks }) {
    const { clientId } = client
    const known = await resources.findByKey({ clientId, paymentType: pay.paymentType, idempotencyKey })
    if (known === null) return {}
    if (known.consentId !== userToken.consentId) throw keyOfAnotherConsent()
    return known.state === 'open' ? {} : again(known, paymentLinks)
  },
})

export const keyOfAnotherConsent = (): HubError =>
  new HubError('GenericError', {
    status: 409,
    rule: 'key.own',
    reason: 'The idempotency key was used for a payment of another consent',
    path: 'x-idempotency-key',
  })
