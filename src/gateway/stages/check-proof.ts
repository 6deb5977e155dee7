import { HubError } from '../../errors.ts'
import { stage } from '../stage.ts'

/** RFC 9449 7: a token that is bound to a key comes with a proof of that key, made for this request and used once. */
export const checkProof = stage({
  name: 'check-proof',
  // The client is known by now: what is remembered of proofs is of tokens that are good.
  needs: ['arrival', 'token', 'client'],
  adds: [],
  fails: ['Unauthorized'],
  async run({ arrival, token }, { tenant, dpop }) {
    const { binding } = token
    if (binding.kind !== 'dpop') return {}
    if (dpop === null) throw new Error('a token bound to a key at a tenant without DPoP')
    const { dpop: header } = arrival.headers
    const shown = await dpop.check({
      header: typeof header === 'string' ? header : undefined,
      method: arrival.method,
      url: `${tenant.listeners.rs.origin}${arrival.path}`,
      accessTokenHash: token.hash,
      jkt: binding.jkt,
    })
    if (shown.ok) return {}
    const { error, why } = shown
    throw new HubError('Unauthorized', {
      rule: 'proof.valid',
      reason: why,
      ...(error === 'invalid_token' ? {} : { challenge: error }),
    })
  },
})
