import { HubError } from '../../errors.ts'
import { INTERACTION_HEADER } from '../../listener.ts'
import { stage } from '../stage.ts'
import { invalidResource } from '../violations.ts'

/** Form of the documented headers (tpp-api 6). */
export const checkHeaders = stage({
  name: 'check-headers',
  needs: ['arrival', 'route'],
  adds: [],
  fails: ['Resource.InvalidFormat'],
  run({ arrival, route }, { registry }) {
    if (arrival.correlationMalformed) {
      throw new HubError('Resource.InvalidFormat', {
        rule: 'headers.interaction-id',
        reason: `${INTERACTION_HEADER} must be a UUID`,
        path: INTERACTION_HEADER,
      })
    }
    const violations = registry.parameters(route.document, route.operationId).header(arrival.headers)
    if (violations.length > 0) throw invalidResource(violations)
    return {}
  },
})
