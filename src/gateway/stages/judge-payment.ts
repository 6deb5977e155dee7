import { toHubError } from '../../errors.ts'
import { readLfiJson } from '../lfi-json.ts'
import { stage } from '../stage.ts'

/** What the LFI says it has made of the order. A refusal and a failure are kept as well, so they end no path here. */
export const judgePayment = stage({
  name: 'judge-payment',
  needs: ['arrival', 'payment', 'exchange'],
  adds: ['verdict'],
  fails: [],
  run({ arrival, payment, exchange }, { paymentReplies, paymentLinks }) {
    try {
      const body = readLfiJson(exchange.attempt, { has404: false, has409: true })
      const verdict = paymentReplies.read(payment, 'makePayment', body, paymentLinks)
      if (verdict.quality !== null) {
        const { operationId } = exchange
        arrival.log.warn({ operationId, quality: verdict.quality }, 'data quality of an answer of the LFI')
      }
      return { verdict }
    } catch (thrown) {
      return { verdict: toHubError(thrown) }
    }
  },
})
