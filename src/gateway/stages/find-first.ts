import { HubError } from '../../errors.ts'
import { stage } from '../stage.ts'

/** What the key was used for before. A fact of its own, so that also a request that is refused again names the first. */
export const findFirst = stage({
  name: 'find-first',
  needs: ['pay', 'client', 'userToken', 'idempotencyKey'],
  adds: ['first'],
  fails: ['GenericError'],
  async run({ pay, client, userToken, idempotencyKey }, { resources }) {
    const { clientId } = client
    const first = await resources.findByKey({ clientId, paymentType: pay.paymentType, idempotencyKey })
    if (first !== null && first.consentId !== userToken.consentId) throw keyOfAnotherConsent()
    return { first }
  },
})

export const keyOfAnotherConsent = (): HubError =>
  new HubError('GenericError', {
    status: 409,
    rule: 'key.own',
    reason: 'The idempotency key was used for a payment of another consent',
    path: 'x-idempotency-key',
  })
