/** Modules 45 to 60: who is not the client, or did not begin what it wants to end, gets no token. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type Draft, now, type Push, setField } from '../auth-server/support/tpp.ts'
import { type Coded, exchange, lodge, redeem, toCode, toTokens, withoutBinding } from './flow.ts'
import { modules, SP } from './module.ts'
import {
  expectNothingLodged,
  expectRefused,
  INVALID_GRANT,
  type Refusal,
  UNAUTHENTICATED,
  UNBOUND,
} from './refusals.ts'
import type { Suite } from './suite.ts'

const ONE_SECOND_MS = 1_000
/** Two more than a code may live (FAPI 2.0 SP 5.3.2.1-11). */
const CODE_IS_OVER_MS = 62_000

/** At the token endpoint, with a code that is good: the right request after the wrong one gets its tokens. */
const refusedAtToken = (
  clause: string,
  /** Changes the request, or makes another of it. */
  fault: (draft: Draft, suite: Suite, coded: Coded) => Draft,
  refusal: Refusal = UNAUTHENTICATED,
) => ({
  requirements: SP(clause),
  reach: 'tokens' as const,
  run: async (suite: Suite) => {
    await toTokens(suite)
    const coded = await toCode(suite)
    expectRefused(await suite.send(fault(exchange(coded), suite, coded)), refusal)
    await redeem(suite, coded)
  },
})

/** At PAR: only the assertion is wrong. */
const refusedAtPar = (clause: string, fault: (push: Push, suite: Suite) => void) => ({
  requirements: SP(clause),
  reach: 'par' as const,
  run: async (suite: Suite) => {
    await lodge(suite)
    const push = suite.first.push()
    fault(push, suite)
    expectRefused(await suite.send(push), UNAUTHENTICATED)
    await expectNothingLodged(suite, push)
  },
})

const assertion = <D extends Draft>(draft: D, changed: Readonly<Record<string, unknown>>): D => {
  Object.assign(draft.assertion.claims, changed)
  return draft
}
const withField = (draft: Draft, name: string, value: string | null): Draft => {
  setField(draft, name, value)
  return draft
}

export const CLIENT = modules('client and token request refused', {
  'ensure-client-id-in-token-endpoint': refusedAtToken('5.3.2.1-6', (draft, { second }) =>
    withField(draft, 'client_id', second.clientId),
  ),
  'ensure-holder-of-key-required': {
    ...refusedAtToken('5.3.2.1-4', (draft, suite) => withoutBinding(suite, draft), UNBOUND),
    requirements: SP('5.2.1-1', '5.2.1-3', '5.2.2', '5.3.2.1-4'),
  },
  'ensure-authorization-code-is-bound-to-client': refusedAtToken(
    '5.3.2.1-6',
    (_draft, { second }, coded) => exchange({ ...coded, by: second }),
    INVALID_GRANT,
  ),
  'attempt-reuse-authorization-code-after-one-second': {
    requirements: SP('5.3.2.2-9'),
    reach: 'tokens',
    run: async (suite) => {
      const used = await toTokens(suite)
      const read = () => suite.read(used.by, used.accessToken)
      assert.equal((await read()).status, 200)
      await pause(ONE_SECOND_MS)
      expectRefused(await suite.send(exchange(used)), INVALID_GRANT)
      const { status } = await read()
      assert.ok(status >= 400 && status < 500, `what the code gave is over, not ${status}`)
      if (used.refreshToken !== null) expectRefused(await suite.send(used.by.refresh(used.refreshToken)), INVALID_GRANT)
    },
  },
  'ensure-token-endpoint-fails-with-expired-auth-code': {
    requirements: SP('5.3.2.1-11'),
    reach: 'tokens',
    duration: 'minute',
    run: async (suite) => {
      await toTokens(suite)
      const coded = await toCode(suite)
      await pause(CODE_IS_OVER_MS)
      expectRefused(await suite.send(exchange(coded)), INVALID_GRANT)
    },
  },
  'ensure-signed-client-assertion-with-RS256-fails': refusedAtToken('5.4.1-2', (draft) => {
    draft.assertion.header['alg'] = 'RS256'
    return draft
  }),
  'ensure-client-assertion-in-token-endpoint': refusedAtToken('5.3.2.1-6', (draft, { first }) => {
    setField(draft, 'client_assertion', null)
    setField(draft, 'client_assertion_type', null)
    return withField(draft, 'client_id', first.clientId)
  }),
  'ensure-client-assertion-with-exp-is-5-minutes-in-past-fails': refusedAtToken('5.3.2.1-6', (draft) =>
    assertion(draft, { iat: now() - 360, exp: now() - 300 }),
  ),
  'ensure-client-assertion-with-wrong-aud-fails': refusedAtToken('5.3.2.1-8', (draft) =>
    assertion(draft, { aud: 'https://auth.other.example' }),
  ),
  'ensure-client-assertion-with-no-sub-fails': refusedAtToken('5.3.2.1-6', (draft) => {
    delete draft.assertion.claims['sub']
    return draft
  }),
  'par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails': refusedAtPar('5.3.2.1-13', (push) => {
    const at = now() + 70
    assertion(push, { iat: at, nbf: at, exp: at + 60 })
  }),
  'par-test-array-as-audience-fails': refusedAtPar('5.3.2.1-8', (push, { issuer }) =>
    assertion(push, { aud: [issuer] }),
  ),
  'par-test-par-endpoint-url-as-audience-fails': refusedAtPar('5.3.2.1-8', (push, { server }) =>
    assertion(push, { aud: server.par }),
  ),
  'par-test-token-endpoint-url-as-audience-fails': refusedAtPar('5.3.2.1-8', (push, { server }) =>
    assertion(push, { aud: server.token }),
  ),
  'ensure-pkce-code-verifier-required': refusedAtToken(
    '5.3.2.2-5',
    (draft) => withField(draft, 'code_verifier', null),
    INVALID_GRANT,
  ),
  'incorrect-pkce-code-verifier-rejected': refusedAtToken(
    '5.3.2.2-5',
    (draft) => withField(draft, 'code_verifier', randomBytes(32).toString('base64url')),
    INVALID_GRANT,
  ),
})
