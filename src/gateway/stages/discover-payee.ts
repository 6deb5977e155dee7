import { HubError } from '../../errors.ts'
import { Answer } from '../answer.ts'
import { stage } from '../stage.ts'

/** Which hub to ask about an account: the bank's part of its number leads there. No LFI hears of the question. */
export const discoverPayee = stage({
  name: 'discover-payee',
  needs: ['arrival', 'bankCode'],
  adds: [],
  fails: ['NotFound'],
  run({ arrival, bankCode }, { tenant, payees }) {
    const source = payees.get(bankCode)
    if (source === undefined)
      throw new HubError('NotFound', { rule: 'payee.bank', detail: 'no LFI has this bank code' })
    const { issuer, resourceServer } = source
    return new Answer(200, {
      Data: {
        DiscoveryEndpointUrl: `${issuer}/.well-known/openid-configuration`,
        ResourceServerUrl: `${resourceServer}${arrival.path.replace(/\/discovery$/, '/confirmation')}`,
      },
      Links: { Self: tenant.listeners.rs.origin + arrival.path },
      Meta: {},
    })
  },
})
