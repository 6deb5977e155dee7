/** Modules 20 to 33: a request object with one fault is refused at PAR, and nothing is lodged. */
import { now, type Push, setField } from '../auth-server/support/tpp.ts'
import { lodge } from './flow.ts'
import { MS, modules, SP } from './module.ts'
import { expectNothingLodged, expectRefused, INVALID_OBJECT, INVALID_REQUEST, type Refusal } from './refusals.ts'
import { asParameters } from './style.ts'
import type { Suite } from './suite.ts'

type Fault = (push: Push, suite: Suite) => void

const HOUR_SECONDS = 3_600
const TEN_MINUTES_SECONDS = 600

/** The same request but for the fault was accepted moments before. */
const refused = (requirements: readonly string[], fault: Fault, refusal: Refusal = INVALID_OBJECT) => ({
  requirements,
  reach: 'par' as const,
  run: async (suite: Suite) => {
    await lodge(suite)
    const push = suite.first.push()
    fault(push, suite)
    expectRefused(await suite.send(push), refusal)
    await expectNothingLodged(suite, push)
  },
})
const without = (name: string): Fault => {
  return (push) => delete push.request.claims[name]
}
const claims = (changed: () => Readonly<Record<string, unknown>>): Fault => {
  return (push) => Object.assign(push.request.claims, changed())
}
const alg = (name: string): Fault => {
  return (push) => Object.assign(push.request.header, { alg: name })
}

export const REQUEST_OBJECT = modules('request object refused', {
  'ensure-request-object-without-exp-fails': refused(MS('5.3.1-4'), without('exp')),
  'ensure-request-object-without-nbf-fails': refused(MS('5.3.1-3'), without('nbf')),
  'ensure-request-object-without-redirect-uri-fails': refused(SP('5.3.2.2-6'), (push, suite) => {
    delete push.request.claims['redirect_uri']
    setField(push, 'redirect_uri', suite.first.redirectUri)
  }),
  'ensure-expired-request-object-fails': refused(
    MS('5.3.1-4'),
    claims(() => ({ iat: now() - 300, nbf: now() - 300, exp: now() - 60 })),
  ),
  'ensure-request-object-with-bad-aud-fails': refused(
    MS('5.3.1-1'),
    claims(() => ({ aud: 'https://auth.other.example' })),
  ),
  'ensure-request-object-with-exp-over-60-fails': refused(
    MS('5.3.1-4'),
    claims(() => ({ exp: now() + HOUR_SECONDS + TEN_MINUTES_SECONDS })),
  ),
  'ensure-request-object-with-nbf-over-60-fails': refused(
    MS('5.3.1-3'),
    claims(() => ({ nbf: now() - HOUR_SECONDS - TEN_MINUTES_SECONDS })),
  ),
  'ensure-signed-request-object-with-RS256-fails': refused([...SP('5.4.1-2'), ...MS('5.3.1-1')], alg('RS256')),
  'ensure-request-object-signature-algorithm-is-not-none': refused([...SP('5.4.1-2'), ...MS('5.3.1-1')], alg('none')),
  'ensure-request-object-with-invalid-signature-fails': refused(MS('5.3.1-1'), (push) => {
    push.request.damage = (text) => {
      const at = text.lastIndexOf('.') + 1
      return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
    }
  }),
  'ensure-matching-key-in-authorization-request': refused(MS('5.3.1-1'), (push, { second }) => {
    push.request.key = second.key
    push.request.header['kid'] = second.kid
  }),
  'ensure-unsigned-request-at-par-endpoint-fails': refused(
    MS('5.3.1-1'),
    (push) => {
      setField(push, 'request', null)
      push.form.push(...asParameters(push.request))
    },
    INVALID_REQUEST,
  ),
  'par-authorization-request-containing-request_uri': refused(
    SP('5.3.2.2-2'),
    claims(() => ({ request_uri: 'urn:ietf:params:oauth:request_uri:another' })),
  ),
  'par-authorization-request-containing-request_uri-form-param': refused(
    SP('5.3.2.2-2'),
    (push) => setField(push, 'request_uri', 'urn:ietf:params:oauth:request_uri:another'),
    INVALID_REQUEST,
  ),
})
