/** Modules 1 to 19: what must work, and what must be put up with. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { outcomeOf } from '../auth-server/support/bank.ts'
import { now, type Push } from '../auth-server/support/tpp.ts'
import { backAtClient, checkDiscovery } from './checks.ts'
import { approve, begun, expectedOf, lodge, redeem, toCode, toTokens, visit } from './flow.ts'
import { MS, modules, SP } from './module.ts'
import { expectNoSpoils } from './refusals.ts'
import type { Suite } from './suite.ts'

const claim = (name: string, value: unknown) => (push: Push) => {
  if (value === undefined) delete push.request.claims[name]
  else push.request.claims[name] = value
}
const AHEAD_SECONDS = 8

export const TOLERANCE = modules('positive and tolerance', {
  'discovery-end-point-verification': {
    requirements: SP('5.2.1-1', '5.2.2', '5.3.2.1-6', '5.3.2.2-2', '5.3.2.2-7'),
    reach: 'discovery',
    run: async (suite) => checkDiscovery(suite, await suite.discover()),
  },
  'happy-flow': {
    requirements: SP('5.2.1-1', '5.2.2', '5.3.2.1-4', '5.3.2.2-1', '5.3.2.2-2', '5.3.2.2-7', '5.3.4-2'),
    reach: 'tokens',
    run: async (suite) => {
      await toTokens(suite)
      const change = claim('redirect_uri', suite.secondRedirectUri)
      await toTokens(suite, { by: suite.second, change })
    },
  },
  'user-rejects-authentication': {
    requirements: SP('5.3.2.2-7'),
    reach: 'code',
    run: async (suite) => {
      await toCode(suite)
      const lodged = await lodge(suite)
      const answer = await suite.bank.doFail(begun(await visit(suite, lodged)))
      const { status, location } = outcomeOf(answer)
      assert.equal(status, 303)
      const parameters = backAtClient(location, expectedOf(suite, lodged.push))
      assert.deepEqual([parameters.get('error'), parameters.get('code')], ['access_denied', null])
      expectNoSpoils(answer)
    },
  },
  'ensure-authorization-request-without-state-success': {
    requirements: SP('5.3.2.2-7'),
    reach: 'tokens',
    run: async (suite) => void (await toTokens(suite, { change: claim('state', undefined) })),
  },
  'ensure-authorization-request-without-nonce-success': {
    requirements: SP('5.3.2.2-2'),
    reach: 'tokens',
    run: async (suite) => void (await toTokens(suite, { change: claim('nonce', undefined) })),
  },
  'ensure-authorization-request-with-64-char-nonce-success': {
    requirements: SP('5.3.2.2-2'),
    reach: 'tokens',
    run: (suite) => withNonce(suite, 64),
  },
  'ensure-other-scope-order-succeeds': {
    requirements: SP('5.3.2.2-2'),
    reach: 'tokens',
    run: async (suite) => void (await toTokens(suite, { change: claim('scope', 'accounts openid') })),
  },
  'test-claims-parameter-identity-claims': {
    requirements: SP('5.3.2.2-2'),
    reach: 'tokens',
    run: async (suite) => {
      // As in the suite: a server that does not offer the parameter is not asked for claims by it.
      const { json } = await suite.discover()
      assert.notEqual(json['claims_parameter_supported'], true, 'the claims parameter is not offered')
      await toTokens(suite)
    },
  },
  'access-token-type-header-case-sensitivity': {
    requirements: SP('5.3.4-2'),
    reach: 'tokens',
    run: async (suite) => {
      const { by, accessToken } = await toTokens(suite)
      const name = suite.style.binding === 'key' ? 'dpop' : 'bearer'
      for (const scheme of [name, name.toUpperCase()]) {
        const { status } = await suite.read(by, accessToken, { scheme })
        assert.equal(status, 200, `the scheme may be written ${scheme}`)
      }
    },
  },
  'ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted': {
    requirements: SP('5.3.2.1-13'),
    reach: 'tokens',
    run: async (suite) => {
      const ahead = (push: Push) => Object.assign(push.request.claims, { nbf: now() + AHEAD_SECONDS })
      await toTokens(suite, { change: ahead })
    },
  },
  'ensure-different-nonce-inside-and-outside-request-object': {
    requirements: MS('5.3.1-1'),
    reach: 'tokens',
    // The id_token is checked against the nonce inside.
    run: async (suite) => void (await toTokens(suite, { beside: { nonce: randomUUID() } })),
  },
  'ensure-different-state-inside-and-outside-request-object': {
    requirements: MS('5.3.1-1'),
    reach: 'tokens',
    // The authorization response is checked against the state inside.
    run: async (suite) => void (await toTokens(suite, { beside: { state: randomUUID() } })),
  },
  'ensure-authorization-request-with-long-nonce': {
    requirements: SP('5.3.2.2-2'),
    reach: 'tokens',
    run: (suite) => withNonce(suite, 384),
  },
  'ensure-authorization-request-with-long-state': {
    requirements: SP('5.3.2.2-2'),
    reach: 'tokens',
    run: async (suite) => void (await toTokens(suite, { change: claim('state', 's'.repeat(1024)) })),
  },
  'state-only-outside-request-object-not-used': {
    requirements: MS('5.3.1-1'),
    reach: 'tokens',
    run: async (suite) => {
      const beside = { state: randomUUID() }
      await toTokens(suite, { change: claim('state', undefined), beside })
    },
  },
  'par-without-duplicate-parameters': {
    requirements: SP('5.3.2.2-2'),
    reach: 'tokens',
    run: async (suite) => {
      const { push } = await toTokens(suite)
      const repeated = push.form.map(([name]) => name).filter((name) => name in push.request.claims)
      assert.deepEqual(repeated, [], 'no parameter was sent beside the request object')
    },
  },
  'par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted': {
    requirements: SP('5.3.2.1-13'),
    reach: 'tokens',
    run: async (suite) => {
      const at = now() + AHEAD_SECONDS
      const ahead = (push: Push) => Object.assign(push.assertion.claims, { iat: at, nbf: at, exp: at + 60 })
      await toTokens(suite, { change: ahead })
    },
  },
  'par-ensure-reused-request-uri-prior-to-auth-completion-succeeds': {
    requirements: SP('5.3.2.2-2'),
    reach: 'tokens',
    run: async (suite) => {
      const lodged = await lodge(suite)
      begun(await visit(suite, lodged))
      // The user loads the page again, and it is the second visit that ends in a code.
      const interactionId = begun(await visit(suite, lodged))
      await redeem(suite, await approve(suite, lodged, interactionId))
      await toTokens(suite)
    },
  },
  'refresh-token': {
    requirements: SP('5.3.2.1-4', '5.3.2.1-6'),
    reach: 'tokens',
    run: async (suite) => {
      const { by, refreshToken } = await toTokens(suite)
      assert.ok(refreshToken !== null, 'a refresh token is issued')
      const sameScope = by.refresh(refreshToken)
      sameScope.form.push(['scope', 'openid accounts'])
      assert.equal((await suite.send(sameScope)).status, 200, 'a refresh with the scope that was granted works')
    },
  },
})

async function withNonce(suite: Suite, length: number): Promise<void> {
  const nonce = randomUUID()
    .repeat(Math.ceil(length / 36))
    .slice(0, length)
  const { claims } = await toTokens(suite, { change: claim('nonce', nonce) })
  assert.equal(claims['nonce'], nonce, 'the nonce comes back whole')
}
