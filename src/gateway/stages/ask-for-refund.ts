import { HubError } from '../../errors.ts'
import { lfiHeaders } from '../../lfi/index.ts'
import { stage } from '../stage.ts'

const PERMISSION = 'ReadRefundAccount'
const ROUTE = '/payment-consents/{consentId}/refund'
/** A payment that used its consent up can still be returned. */
const READABLE: ReadonlySet<string> = new Set(['Authorized', 'Consumed'])

/** lfi-api 3.9.4 */
export const askForRefund = stage({
  name: 'ask-for-refund',
  needs: ['arrival', 'askingRoute', 'client', 'owned'],
  adds: ['exchange'],
  fails: ['AccessToken.InvalidScope', 'Consent.Invalid'],
  async run({ arrival, askingRoute, client, owned }, { tenant, routes, connector }) {
    if (!owned.permissions.includes(PERMISSION)) {
      throw new HubError('AccessToken.InvalidScope', {
        rule: 'consent.permission',
        reason: `The consent lacks the permission ${PERMISSION}`,
      })
    }
    if (!READABLE.has(owned.status) || owned.psu === null) {
      throw new HubError('Consent.Invalid', {
        rule: 'consent.usable',
        seen: owned.status,
        reason: `The consent is ${owned.status}`,
      })
    }
    const headers = lfiHeaders({
      tenantId: tenant.id,
      client,
      consent: owned,
      apiUri: routes.template(askingRoute),
      method: arrival.method,
      correlationId: arrival.correlationId,
      correlationGiven: arrival.correlationGiven,
      fxOnly: false,
    })
    const target = ROUTE.replace('{consentId}', owned.id)
    const call = {
      operationId: 'getRefund',
      method: 'GET',
      route: ROUTE,
      target,
      headers,
      under: owned,
      trace: arrival.trace,
    } as const
    return { exchange: await connector.ask(call, arrival.gone) }
  },
})
