import { setTimeout as sleep } from 'node:timers/promises'
import { HubError } from '../../errors.ts'
import type { IdempotencyKey } from '../../resource-log/index.ts'
import type { Answer } from '../answer.ts'
import type { Facts } from '../facts.ts'
import { answerAgain as again } from '../payments/kept-answer.ts'
import type { Services } from '../services.ts'
import { stage } from '../stage.ts'

/** How long a repeated request waits for the answer of the first, and how often it looks. */
const WAIT_MS = 5_000
const LOOK_EVERY_MS = 50

/** Of several requests with one key at once one asks the LFI; the others get what it was answered. */
export const awaitFirst = stage({
  name: 'await-first',
  needs: ['arrival', 'pay', 'client', 'idempotencyKey', 'reserved'],
  adds: ['payment'],
  fails: ['GenericRecoverableError'],
  async run(facts, services) {
    const { reserved } = facts
    switch (reserved.outcome) {
      case 'recorded':
      case 'resumed':
        return { payment: reserved.payment }
      case 'answered':
        return again(reserved.payment, services.paymentLinks)
      case 'in-flight':
        return answerOfFirst(facts, services)
    }
  },
})

type Waiting = Pick<Facts, 'arrival' | 'pay' | 'client' | 'idempotencyKey'>

/** @throws HubError GenericRecoverableError (409) when it takes too long, or ends without an answer */
async function answerOfFirst(facts: Waiting, services: Services): Promise<Answer> {
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
