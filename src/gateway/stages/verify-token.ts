import { HubError } from '../../errors.ts'
import { type AccessToken, unauthorized } from '../access-token.ts'
import { stage } from '../stage.ts'

const CREDENTIALS = /^(bearer|dpop) +([A-Za-z0-9._~+/-]+=*)$/i

/** FAPI 2.0 SP 5.3.4: the token comes in the Authorization header and nowhere else. */
export const verifyToken = stage({
  name: 'verify-token',
  needs: ['arrival'],
  adds: ['token'],
  fails: ['Unauthorized', 'Resource.InvalidFormat'],
  async run({ arrival }, { accessTokens, dpop }) {
    const { authorization } = arrival.headers
    const inQuery = new URLSearchParams(arrival.search).has('access_token')
    if (inQuery && authorization !== undefined) {
      throw new HubError('Resource.InvalidFormat', {
        rule: 'token.in-header',
        reason: 'An access token is accepted in the Authorization header only',
        path: 'access_token',
      })
    }
    if (authorization === undefined || inQuery)
      throw unauthorized('token.in-header', 'send an access token in the Authorization header')
    if (countOf(arrival.request.rawHeaders, 'authorization') > 1) {
      throw unauthorized('token.in-header', 'send one Authorization header')
    }
    const [, scheme = '', text] = CREDENTIALS.exec(authorization) ?? []
    const asDpop = scheme.toLowerCase() === 'dpop'
    if (text === undefined || (asDpop && dpop === null)) {
      throw unauthorized('token.in-header', 'the Authorization header must be: Bearer and the access token')
    }
    const token = await accessTokens.read(text)
    fits(token, asDpop, arrival.headers['dpop'] !== undefined)
    return { token }
  },
})

/** RFC 9449 7.2: what a token is bound to decides how it is sent, and nothing of the other way comes with it. */
function fits({ binding }: AccessToken, asDpop: boolean, withProof: boolean): void {
  if (binding.kind === 'dpop' && !asDpop) {
    throw unauthorized('token.binding', 'the access token is bound to a key: send it as DPoP, with a proof')
  }
  if (binding.kind === 'mtls' && (asDpop || withProof)) {
    throw unauthorized(
      'token.binding',
      'the access token is bound to a client certificate: send it as Bearer, without a DPoP proof',
    )
  }
}

/** Node keeps the first of several and would hide the others. */
function countOf(rawHeaders: readonly string[], name: string): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === name) count += 1
  return count
}
