import { HubError } from '../../errors.ts'
import { readUnansweredId } from '../../resource-log/index.ts'
import type { Services } from '../services.ts'
import { stage } from '../stage.ts'

/** Absent, of another client, of another kind: all told alike. */
export const loadPayment = stage({
  name: 'load-payment',
  needs: ['client', 'paid', 'pathValues'],
  adds: ['entry'],
  fails: ['NotFound'],
  async run({ client, paid, pathValues }, { resources }) {
    const entry = await find(pathValues['PaymentId'] ?? '', resources)
    if (entry?.clientId !== client.clientId || entry.paymentType !== paid.paymentType || entry.state === 'refused') {
      throw new HubError('NotFound', { rule: 'payment.known' })
    }
    return { entry }
  },
})

async function find(id: string, resources: Services['resources']) {
  const made = await resources.findPayment(id)
  if (made !== null) return made
  const logId = readUnansweredId(id)
  return logId === null ? null : resources.findByLogId(logId)
}
