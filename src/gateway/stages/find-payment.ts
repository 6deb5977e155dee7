import { HubError } from '../../errors.ts'
import { unansweredId } from '../../resource-log/index.ts'
import { Answer } from '../answer.ts'
import { stage } from '../stage.ts'

/** Where the payment of a key is, for a TPP that never got its answer (tpp-api 5.3). */
export const findPayment = stage({
  name: 'find-payment',
  needs: ['client', 'paid', 'idempotencyKey'],
  adds: [],
  fails: ['Resource.InvalidFormat'],
  async run({ client, paid, idempotencyKey }, { resources, paymentLinks }) {
    const { clientId } = client
    const found = await resources.findByKey({ clientId, paymentType: paid.paymentType, idempotencyKey })
    // No 404 is declared here.
    if (found === null || found.state === 'refused') {
      throw new HubError('Resource.InvalidFormat', {
        rule: 'key.known',
        reason: 'No payment was made under this idempotency key',
        path: 'x-idempotency-key',
      })
    }
    const id = found.state === 'made' ? found.paymentId : unansweredId(found)
    return new Answer(200, { Data: {}, Links: { Self: paymentLinks.self(paid.paymentType, id) } }, 1)
  },
})
