import { HubError } from '../../errors.ts'
import { REQUESTS } from '../requests.ts'
import { stage } from '../stage.ts'

/** The quote or opening that the path names: of this client, or it does not exist (tpp-api 5.6, 5.7). */
export const findRequest = stage({
  name: 'find-request',
  needs: ['route', 'client', 'pathValues'],
  adds: ['requested'],
  fails: ['NotFound'],
  async run({ route, client, pathValues }, { resources }) {
    const kind = 'kind' in route ? route.kind : null
    if (kind === null) throw new Error(`${route.operationId} is about no request`)
    const found = await resources.findRequest(kind, pathValues[REQUESTS[kind].id] ?? '')
    if (found?.clientId !== client.clientId) throw new HubError('NotFound', { rule: 'request.own' })
    return { requested: found }
  },
})
