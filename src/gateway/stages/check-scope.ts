import { HubError } from '../../errors.ts'
import type { Route } from '../routes.ts'
import { stage } from '../stage.ts'

/** The scope of the family, for client tokens: those of a user carry a consent and go elsewhere. */
export const checkClientScope = stage({
  name: 'check-client-scope',
  needs: ['token', 'route'],
  adds: [],
  fails: ['AccessToken.InvalidScope'],
  run({ token, route }) {
    requireScope(token.scopes, route)
    if (token.grant !== 'client') throw wrongGrant('a client-credentials token')
    return {}
  },
})

/** The same for the tokens of a user. */
export const checkUserScope = stage({
  name: 'check-user-scope',
  needs: ['token', 'route'],
  adds: ['userToken'],
  fails: ['AccessToken.InvalidScope'],
  run({ token, route }) {
    requireScope(token.scopes, route)
    if (token.grant !== 'user') throw wrongGrant('a token that a user has authorized')
    return { userToken: token }
  },
})

function requireScope(scopes: ReadonlySet<string>, route: Route): void {
  if (route.follows === 'register' || scopes.has(route.scope)) return
  throw new HubError('AccessToken.InvalidScope', {
    rule: 'token.scope',
    seen: 'a token without that scope',
    reason: `The access token lacks the scope ${route.scope}`,
  })
}

const wrongGrant = (needed: string): HubError =>
  new HubError('AccessToken.InvalidScope', { rule: 'token.grant', reason: `This operation needs ${needed}` })
