import { HubError } from '../../errors.ts'
import { negotiate, OFFERS, type Offer } from '../accept.ts'
import type { Route } from '../routes.ts'
import type { Services } from '../services.ts'
import { stage } from '../stage.ts'

const SIGNED = ['application/jwt'] as const
const PLAIN = OFFERS.filter((offer) => offer !== 'application/jwt')

/** The caller chooses plain or signed, for errors as well (tpp-api 5.0). */
export const negotiateAnswer = stage({
  name: 'negotiate-answer',
  needs: ['arrival', 'route'],
  adds: ['offer'],
  fails: ['NotAcceptable'],
  run({ arrival, route }, { registry }) {
    const offers = offersOf(route, registry)
    // A body of any type cannot be chosen among; what it may be refused with is signed.
    if (offers === 'anything') return { offer: SIGNED[0] }
    const offer = negotiate(arrival.headers.accept, offers)
    if (offer === null) throw new HubError('NotAcceptable', { rule: 'accept.offered' })
    return { offer }
  },
})

function offersOf(route: Route, registry: Services['registry']): readonly Offer[] | 'anything' {
  const documented = registry.operations(route.document).find((each) => each.operationId === route.operationId)
  if (documented?.responseMediaTypes.includes('*/*') === true) return 'anything'
  return route.signedOnly ? SIGNED : route.signable ? OFFERS : PLAIN
}
