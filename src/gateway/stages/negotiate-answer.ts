import { HubError } from '../../errors.ts'
import { negotiate, OFFERS } from '../accept.ts'
import { stage } from '../stage.ts'

const PLAIN = OFFERS.filter((offer) => offer !== 'application/jwt')
const SIGNED = ['application/jwt'] as const

/** The caller chooses plain or signed, for errors as well (tpp-api 5.0). */
export const negotiateAnswer = stage({
  name: 'negotiate-answer',
  needs: ['arrival', 'route'],
  adds: ['offer'],
  fails: ['NotAcceptable'],
  run({ arrival, route }) {
    const offers = route.signedOnly ? SIGNED : route.signable ? OFFERS : PLAIN
    const offer = negotiate(arrival.headers.accept, offers)
    if (offer === null) throw new HubError('NotAcceptable', { rule: 'accept.offered' })
    return { offer }
  },
})
