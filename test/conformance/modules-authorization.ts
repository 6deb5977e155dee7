/** Modules 34 to 44: an authorization request that is out of the way ends without a code. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { Push } from '../auth-server/support/tpp.ts'
import { approve, begun, lodge, toCode, toTokens, visit } from './flow.ts'
import { modules, SP } from './module.ts'
import {
  expectNoSpoils,
  expectNotAuthorized,
  expectNothingLodged,
  expectRefused,
  INVALID_OBJECT,
  type Refusal,
} from './refusals.ts'
import { asParameters } from './style.ts'
import type { Suite } from './suite.ts'

const WRONG_RESPONSE_TYPE: Refusal = {
  status: [400],
  errors: ['unsupported_response_type', 'invalid_request', 'invalid_request_object'],
}
/** A module that waits for a request_uri to end needs a hub where that is soon. */
const WAIT_MAX_SECONDS = 30

const refusedAtPar = (clause: string, fault: (push: Push) => void, refusal: Refusal = INVALID_OBJECT) => ({
  requirements: SP(clause),
  reach: 'par' as const,
  run: async (suite: Suite) => {
    await lodge(suite)
    const push = suite.first.push()
    fault(push)
    expectRefused(await suite.send(push), refusal)
    await expectNothingLodged(suite, push)
  },
})

export const AUTHORIZATION = modules('authorization request refused', {
  'ensure-registered-redirect-uri': refusedAtPar('5.3.2.2-6', ({ request }) => {
    request.claims['redirect_uri'] = `${request.claims['redirect_uri']}/elsewhere`
  }),
  'ensure-redirect-uri-in-authorization-request': refusedAtPar('5.3.2.2-6', ({ request }) => {
    delete request.claims['redirect_uri']
  }),
  'ensure-unsigned-authorization-request-without-using-par-fails': {
    requirements: SP('5.3.2.2-2'),
    reach: 'code',
    run: async (suite) => {
      await toCode(suite)
      // The consent exists, so nothing is wrong but that these parameters were neither pushed nor signed.
      const { push } = await lodge(suite)
      const answer = await suite.bank.getAuth(Object.fromEntries(asParameters(push.request)))
      expectNotAuthorized(suite, answer, { push, errors: ['invalid_request'], isRedirectAllowed: true })
    },
  },
  'ensure-response-type-code-idtoken-fails': refusedAtPar(
    '5.3.2.2-1',
    ({ request }) => Object.assign(request.claims, { response_type: 'code id_token' }),
    WRONG_RESPONSE_TYPE,
  ),
  'ensure-response-type-token-fails': refusedAtPar(
    '5.3.2.2-1',
    ({ request }) => Object.assign(request.claims, { response_type: 'token' }),
    WRONG_RESPONSE_TYPE,
  ),
  'par-attempt-invalid-http-method': {
    requirements: SP('5.3.2.2-2'),
    reach: 'par',
    run: async (suite) => {
      await lodge(suite)
      const push = suite.first.push()
      push.method = 'PUT'
      const answer = await suite.send(push)
      assert.equal(answer.status, 405, `PUT is answered ${answer.status}`)
      expectNoSpoils(answer)
      await expectNothingLodged(suite, push)
    },
  },
  'par-ensure-pkce-required': refusedAtPar('5.3.2.2-5', ({ request }) => {
    delete request.claims['code_challenge']
    delete request.claims['code_challenge_method']
  }),
  'par-plain-pkce-rejected': refusedAtPar('5.3.2.2-5', ({ request, verifier }) =>
    Object.assign(request.claims, { code_challenge_method: 'plain', code_challenge: verifier }),
  ),
  'par-attempt-reuse-request_uri': {
    requirements: SP('5.3.2.2-2'),
    reach: 'tokens',
    run: async (suite) => {
      const used = await toTokens(suite)
      const answer = await visit(suite, used)
      const errors = ['invalid_request', 'invalid_request_uri']
      expectNotAuthorized(suite, answer, { push: used.push, errors, isRedirectAllowed: true })
    },
  },
  'par-attempt-to-use-expired-request_uri': {
    requirements: SP('5.3.2.2-2'),
    reach: 'code',
    duration: 'seconds',
    run: async (suite) => {
      await toCode(suite)
      const lodged = await lodge(suite)
      assert.ok(lodged.expiresIn <= WAIT_MAX_SECONDS, `a request_uri that ends soon, not in ${lodged.expiresIn} s`)
      await pause((lodged.expiresIn + 1) * 1000)
      const answer = await visit(suite, lodged)
      const errors = ['invalid_request_uri', 'invalid_request']
      expectNotAuthorized(suite, answer, { push: lodged.push, errors, isRedirectAllowed: true })
    },
  },
  'par-attempt-to-use-request_uri-for-different-client': {
    requirements: SP('5.3.2.2-2'),
    reach: 'code',
    run: async (suite) => {
      await toCode(suite)
      const lodged = await lodge(suite)
      const answer = await visit(suite, { ...lodged, by: suite.second })
      const errors = ['invalid_client', 'invalid_request', 'invalid_request_uri', 'invalid_request_object']
      expectNotAuthorized(suite, answer, { push: lodged.push, errors, isRedirectAllowed: false })
      // Whose it is has lost nothing.
      await approve(suite, lodged, begun(await visit(suite, lodged)))
    },
  },
})
