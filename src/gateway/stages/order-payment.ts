import { lfiHeaders } from '../../lfi/index.ts'
import { stage } from '../stage.ts'
import { orderOf } from '../transform/payments.ts'

/**
 * The LFI is asked to pay, with the request as it was recorded: a later attempt says the same, under the same
 * idempotency key. A TPP that goes away does not end it, and nothing repeats it but the TPP.
 */
export const orderPayment = stage({
  name: 'order-payment',
  needs: ['arrival', 'pay', 'client', 'consent', 'payment'],
  adds: ['exchange'],
  fails: [],
  async run({ arrival, pay, client, consent, payment }, { tenant, routes, connector }) {
    const headers = lfiHeaders({
      tenantId: tenant.id,
      client,
      consent,
      apiUri: routes.template(pay),
      method: arrival.method,
      correlationId: arrival.correlationId,
      correlationGiven: arrival.correlationGiven,
      fxOnly: false,
    })
    const order = {
      requestUrl: `${tenant.listeners.rs.origin}${arrival.path}`,
      paymentType: payment.paymentType,
      request: orderOf(payment.requestBody),
      requestHeaders: payment.requestHeaders,
      tpp: payment.tpp,
      ...(consent.supplementaryInformation === null
        ? {}
        : { supplementaryInformation: consent.supplementaryInformation }),
    }
    const body = JSON.stringify(order)
    const at = { operationId: 'makePayment', method: 'POST', route: '/payments', target: '/payments' } as const
    return { exchange: await connector.ask({ ...at, headers, under: consent, trace: arrival.trace, body }, null) }
  },
})
