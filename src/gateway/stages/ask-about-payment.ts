import { lfiHeaders } from '../../lfi/index.ts'
import { isNamedByHub } from '../../resource-log/index.ts'
import { Answer } from '../answer.ts'
import { bodyOfUnanswered } from '../payments/reply.ts'
import { stage } from '../stage.ts'

const OPERATIONS = {
  'show-payment': { operationId: 'getPayment', route: '/payments/{paymentId}' },
  'show-report': { operationId: 'reportFile', route: '/payments/{paymentId}/report-file' },
} as const

/** The LFI says how a payment stands. One that it has given no id cannot be asked about: the record says. */
export const askAboutPayment = stage({
  name: 'ask-about-payment',
  needs: ['arrival', 'paid', 'client', 'entry'],
  adds: ['exchange'],
  fails: [],
  async run({ arrival, paid, client, entry }, { tenant, consents, routes, connector, paymentLinks }) {
    if (entry.state === 'refused') throw new Error('a payment that was refused is none')
    if (entry.state === 'open' || isNamedByHub(entry)) {
      return new Answer(200, bodyOfUnanswered(entry, paymentLinks), 1)
    }
    const { operationId, route } = OPERATIONS[paid.follows === 'show-report' ? 'show-report' : 'show-payment']
    const headers = lfiHeaders({
      tenantId: tenant.id,
      client,
      consent: { id: entry.consentId, psu: entry.psu },
      apiUri: routes.template(paid),
      method: arrival.method,
      correlationId: arrival.correlationId,
      correlationGiven: arrival.correlationGiven,
      fxOnly: false,
    })
    const target = route.replace('{paymentId}', encodeURIComponent(entry.paymentId))
    // What is shown under a consent is read only where something may be.
    const under = tenant.lfi.connectToken === 'consent' ? await consents.find(entry.consentId) : null
    const call = { operationId, method: 'GET', route, target, headers, under, trace: arrival.trace } as const
    return { exchange: await connector.ask(call, arrival.gone) }
  },
})
