import { HubError } from '../../errors.ts'
import { stage } from '../stage.ts'

/** Unknown paths and versions are 404, known ones with another method 405 (tpp-api 7.3). */
export const matchRoute = stage({
  name: 'match-route',
  needs: ['arrival'],
  adds: ['route', 'pathValues'],
  fails: ['NotFound', 'MethodNotAllowed'],
  run({ arrival }, { routes }) {
    const found = routes.find(arrival.method, arrival.path)
    if (found.kind === 'nowhere') throw new HubError('NotFound', { rule: 'route.known' })
    if (found.kind === 'other-method')
      throw new HubError('MethodNotAllowed', { rule: 'route.method', allow: found.allow })
    return { route: found.route, pathValues: found.values }
  },
})
